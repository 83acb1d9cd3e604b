"""HEBO 0.3.6's search space: what is wrong with it, and that ours is not."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from bench.algorithms._hebo_searcher import GP
from bench.algorithms._hebo_space import design_space, one_silent_thread, value
from bench.space import Parameter

with one_silent_thread():
    from hebo.design_space.categorical_param import CategoricalPara
    from hebo.design_space.design_space import DesignSpace
    from hebo.models.model_factory import model_names
    from hebo.optimizers.hebo import HEBO

SPACE = [
    Parameter("kind", "choice", choices=("a", 2, "c")),
    Parameter("n", "int", 1, 4),
    Parameter("width", "int", 1, 4, log=True),
    Parameter("rate", "float", 0.0, 0.1),
    Parameter("fixed", "choice", choices=("same",)),
]


def shares(space: Any, name: str) -> list[float]:
    """How often each value comes in a quasi-random start."""
    drawn = Counter(HEBO(space, scramble_seed=0).quasi_sample(4096)[name].tolist())
    return [drawn[each] / 4096 for each in sorted(drawn)]


def test_hebo_draws_the_first_and_the_last_value_half_as_often_as_the_others() -> None:
    """When it does not: remove WholeCells, Choice, Whole and LogWhole."""
    space = DesignSpace().parse(
        [
            {"name": "kind", "type": "cat", "categories": [0, 1, 2]},
            {"name": "n", "type": "int", "lb": 1, "ub": 4},
            {"name": "width", "type": "pow_int", "lb": 1, "ub": 4},
        ]
    )
    assert shares(space, "kind") == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.01)
    assert shares(space, "n") == pytest.approx([1 / 6, 1 / 3, 1 / 3, 1 / 6], abs=0.01)
    cells = np.diff(np.log([1, 1.5, 2.5, 3.5, 4]) / np.log(4))
    assert shares(space, "width") == pytest.approx(cells, abs=0.01)


def test_ours_draws_each_as_often_as_the_space_says() -> None:
    space = design_space(SPACE)
    assert shares(space, "kind") == pytest.approx([1 / 3] * 3, abs=0.01)
    assert shares(space, "n") == pytest.approx([1 / 4] * 4, abs=0.01)
    cells = np.diff(np.log([0.5, 1.5, 2.5, 3.5, 4.5]) / np.log(9))
    assert shares(space, "width") == pytest.approx(cells, abs=0.01)


def test_hebo_takes_two_for_a_word_among_words_and_passes_a_bound() -> None:
    """When it does neither: `value` need not go by index, nor clip."""
    kind = CategoricalPara({"name": "kind", "categories": ["a", 2, "c"]})
    assert kind.inverse_transform(np.array([0.0, 1.0])).tolist() == ["a", "2"]
    space = DesignSpace().parse([{"name": "rate", "type": "num", "lb": 0.0, "ub": 0.1}])
    highest = space.inverse_transform(torch.FloatTensor([[0.1]]), torch.zeros(1, 0))
    assert highest["rate"][0] > 0.1, "0.1 in single precision"


def test_ours_gives_the_spaces_own_values_within_the_bounds() -> None:
    space = design_space(SPACE)
    ends, numeric = torch.stack([space.opt_lb, space.opt_ub]), space.num_numeric
    rows = space.inverse_transform(ends[:, :numeric], ends[:, numeric:]).to_dict("records")
    found = [[value(each, row) for each in SPACE] for row in rows]
    assert found == [["a", 1, 1, 0.0, "same"], ["c", 4, 4, 0.1, "same"]]
    assert [type(each) for each in found[1]] == [str, int, int, float, str]
    assert value(SPACE[0], {"kind": 1}) == 2


def test_the_papers_surrogate_is_not_in_the_package_and_ours_is_the_packages_default() -> None:
    """The paper's has warped inputs. When `gpy` is there: offer it as an option."""
    assert "gpy" not in model_names
    assert HEBO(design_space(SPACE)).model_config == {**GP, "num_uniqs": [3]}


def test_importing_hebo_leaves_torchs_threads_as_they_were() -> None:
    """HEBO sets them to one for the whole process. When not: no need to put the number back."""
    import importlib.util

    from hebo.optimizers import hebo

    def import_again() -> int:
        torch.set_num_threads(2)
        spec = importlib.util.spec_from_file_location("hebo.optimizers.again", hebo.__file__)
        assert spec and spec.loader
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        return torch.get_num_threads()

    before = torch.get_num_threads()
    try:
        assert import_again() == 1
        torch.set_num_threads(2)
        with one_silent_thread():
            import_again()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
