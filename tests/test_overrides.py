"""A suite changes a search space: what it may say, what comes of it, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import plugins, suite
from bench.cell import Cell, PlugIn
from bench.errors import UserError
from bench.objective import Objective, Training
from bench.objectives.mnist_cnn import MnistCnn
from bench.overrides import overridden, resolve
from bench.space import Parameter, active, parameters

SUITE = """
budget = 2
seeds = 1
{wide}
[[objectives]]
name = "mnist_cnn"
{own}
[[objectives]]
name = "branin"
[[algorithms]]
name = "random"
"""


def plan(tmp_path: Path, wide: str = "", own: str = "") -> list[Cell]:
    path = tmp_path / "suite.toml"
    path.write_text(SUITE.format(wide=wide, own=own))
    return suite.plan(path, [1], "cpu")


def searched(cell: Cell) -> dict[str, Parameter]:
    space = plugins.make("objectives", cell.objective).space()
    return {each.name: each for each in parameters(space)}


# What it does


def test_a_parameter_is_narrowed_widened_and_fixed(tmp_path: Path) -> None:
    own = "\n".join(
        [
            "[objectives.space]",
            "lr = { log = [1e-6, 1e-2] }",
            "dropout = { linear = [0.1, 0.2] }",
            "batch_size = { choices = [256, 32] }",
            'optimizer = { constant = "adam" }',
            "conv1 = { constant = 12 }",
        ]
    )
    before, after = searched(plan(tmp_path)[0]), searched(plan(tmp_path, own=own)[0])
    assert after["lr"] == Parameter("lr", "float", 1e-6, 1e-2, log=True)
    assert after["dropout"] == Parameter("dropout", "float", 0.1, 0.2)
    assert after["batch_size"] == Parameter("batch_size", "choice", choices=(256, 32))
    assert after["optimizer"] == Parameter("optimizer", "choice", choices=("adam",))
    assert after["conv1"] == Parameter("conv1", "choice", choices=(12,))
    changed = {"lr", "dropout", "batch_size", "optimizer", "conv1"}
    assert {name: after[name] for name in set(after) - changed} == {
        name: before[name] for name in set(before) - changed
    }


def test_choices_among_numbers_can_be_a_range_and_a_range_choices(tmp_path: Path) -> None:
    own = "[objectives.space]\nbatch_size = { log = [4, 64] }\nlr = { choices = [1e-4, 1] }"
    after = searched(plan(tmp_path, own=own)[0])
    assert after["batch_size"] == Parameter("batch_size", "int", 4, 64, log=True)
    assert after["lr"].choices == (1e-4, 1.0)
    assert [type(each) for each in after["lr"].choices] == [float, float], "as the objective has it"


def test_the_suites_overrides_are_for_each_objective_that_has_them_and_its_own_go_first(
    tmp_path: Path,
) -> None:
    wide = (
        "[space.lr]\nlog = [1e-4, 1e-3]\n[space.x1]\nlinear = [0, 5]\n[space.dropout]\nconstant = 0"
    )
    mnist, branin = plan(tmp_path, wide, "[objectives.space.lr]\nconstant = 1e-3")
    assert mnist.objective.space == {"dropout": {"constant": 0.0}, "lr": {"constant": 1e-3}}
    assert branin.objective.space == {"x1": {"linear": [0.0, 5.0]}}


def test_a_parameter_that_is_never_active_any_more_is_gone_and_one_that_always_is_has_no_condition(
    tmp_path: Path,
) -> None:
    never = plan(tmp_path, own='[objectives.space.schedule]\nconstant = "cosine"')[0]
    assert not {"step_size", "gamma"} & set(searched(never))
    always = plan(tmp_path, own='[objectives.space.schedule]\nconstant = "step"')[0]
    space = plugins.make("objectives", always.objective).space()
    assert not space.parent_conditions_of["gamma"]
    assert space.parent_conditions_of["kernel3"], "the others are as they were"


class Seen(Objective):
    """Remembers what it is given to train."""

    max_steps: int = 1
    worst_loss = 1.0

    def space(self) -> Any:
        return MnistCnn().space()

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        raise LookupError(json.dumps(configuration))


def test_what_is_fixed_is_handed_to_the_training() -> None:
    made = overridden(Seen, resolve(Seen(), {"schedule": {"constant": "cosine"}}))()
    space = made.space()
    space.seed(0)
    drawn = active(space, dict(space.sample_configuration()))
    with pytest.raises(LookupError, match='"schedule": "cosine"'):
        made.train(drawn, 0, "cpu")


# The cell


def test_cells_without_overrides_keep_their_keys(tmp_path: Path) -> None:
    mnist, branin = plan(tmp_path)
    assert mnist.key == "mnist_cnn-random-ray-cpu-g1-s0-b2-1dfdef3d69"
    assert branin.key == "branin-random-ray-cpu-g1-s0-b2-9c05596b5b"
    other = plan(tmp_path, own="[objectives.space.lr]\nconstant = 1e-3")
    assert other[0].key != mnist.key
    assert other[1].key == branin.key


def test_an_override_that_changes_nothing_is_none(tmp_path: Path) -> None:
    own = "[objectives.space]\nlr = { log = [1e-5, 5e-3] }\nkernel1 = { choices = [7, 3, 5] }"
    assert plan(tmp_path, own=own)[0] == plan(tmp_path)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dropout = { constant = 0 }", "dropout = { choices = [0.0] }"),
        ("batch_size = { choices = [16, 64] }", "batch_size = { choices = [64.0, 16] }"),
        ("conv1 = { log = [8, 16] }", "conv1 = { log = [8.0, 16.0] }"),
    ],
)
def test_the_same_space_is_the_same_cell_however_it_is_said(
    one: str, other: str, tmp_path: Path
) -> None:
    keys = {plan(tmp_path, own=f"[objectives.space]\n{each}")[0].key for each in (one, other)}
    assert len(keys) == 1


def test_a_cell_with_overrides_survives_json_and_older_ones_have_none(tmp_path: Path) -> None:
    cell = plan(tmp_path, own="[objectives.space.lr]\nlog = [1e-4, 1e-3]")[0]
    fields = json.loads(json.dumps(cell.as_json()))
    assert Cell.from_json(fields) == cell
    assert Cell.from_json(fields).key == cell.key
    del fields["objective"]["space"]
    assert Cell.from_json(fields).key == plan(tmp_path)[0].key


# Mistakes


@pytest.mark.parametrize(
    ("wide", "own", "message"),
    [
        ("[space.lrr]\nconstant = 1", "", "space.lrr: no objective has this parameter; legal: act"),
        ("[space.lr]\nlg = [1, 2]", "", "space.lr: give one of linear = [low, high], log = ["),
        ("[space]\nlr = 0.1", "", "space.lr: give one of linear = [low, high], log = [low, high]"),
        ("[space.lr]\nlog = [1e-3]", "", "space.lr: give log = [low, high], two numbers, not"),
        ("[space.lr]\nlog = [0, 1]", "", "space.lr: a logarithmic range begins above 0, not"),
        ("[space.lr]\nlog = [-1, 1]", "", "space.lr: a logarithmic range begins above 0, not"),
        ("[space.lr]\nlog = [1, inf]", "", "space.lr: give log = [low, high], two numbers, not"),
        ("[space.lr]\nlinear = [1, 1]", "", "low must be below high; for a single value: const"),
        ("[space.lr]\nchoices = []", "", "space.lr: give choices = [a, b, …], of numbers"),
        ("[space.lr]\nchoices = [1, 1]", "", "space.lr: a choice comes twice"),
        ("[space.lr]\nconstant = [1]", "", "space.lr: give constant = a, a number, a text"),
        ("", "[objectives.space.x1]\nconstant = 1", "(mnist_cnn): space.x1: no parameter of this"),
        (
            "",
            "[objectives.space.lr]\nlinear = [-1, 1]",
            "objectives[0] (mnist_cnn): space.lr: legal: from 0 to 1, not linear = [-1, 1]",
        ),
        (
            "[space.lr]\nlog = [0.1, 10]",
            "",
            "objectives[0] (mnist_cnn): space.lr: legal: from 0 to 1, not log = [0.1, 10]",
        ),
        (
            "",
            "[objectives.space.kernel1]\nconstant = 4",
            "space.kernel1: legal: 3, 5, 7, not constant = 4",
        ),
        (
            "",
            "[objectives.space.kernel1]\nlinear = [3, 5]",
            "space.kernel1: legal: 3, 5, 7, not linear = [3, 5]",
        ),
        (
            "",
            "[objectives.space.conv3]\nconstant = 24",
            "space.conv3: legal: 0, 16, 32, 64, 128, not constant = 24",
        ),
        (
            "",
            "[objectives.space.batch_size]\nconstant = 0",
            "legal: 16, 32, 64, 128 or whole numbers from 1 to 4096, not constant = 0",
        ),
        (
            "",
            "[objectives.space.batch_size]\nchoices = [16, 16.5]",
            "space.batch_size: its values are whole numbers, not choices = [16, 16.5]",
        ),
        (
            "",
            "[objectives.space.batch_size]\nchoices = [16, 16.0]",
            "space.batch_size: a choice comes twice, not choices = [16, 16.0]",
        ),
        (
            "",
            "[objectives.space.batch_size]\nconstant = true",
            "space.batch_size: its values are numbers, not constant = true",
        ),
        (
            "",
            "[objectives.space.optimizer]\nlinear = [1, 2]",
            'space.optimizer: give choices or a constant, legal: "adam", "sgd", "adamw", not lin',
        ),
        (
            "",
            '[objectives.space]\nschedule = {constant = "none"}\ngamma = {constant = 0.5}',
            "space.gamma: never active with what the others are set to; remove its override",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_the_parameter_and_what_is_legal(
    tmp_path: Path, wide: str, own: str, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        plan(tmp_path, wide, own)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}/suite.toml: ") and message in text and "\n" not in text


def test_something_must_be_left_to_search(tmp_path: Path) -> None:
    wide = "[space.x1]\nconstant = 0\n[space.x2]\nconstant = 0"
    with pytest.raises(UserError, match="space: every parameter is fixed"):
        plan(tmp_path, wide)


def test_a_space_that_has_lost_the_parameter_is_refused_when_the_cell_is_built() -> None:
    gone = PlugIn("branin", {"max_steps": 9}, space={"x3": {"constant": 1.0}})
    with pytest.raises(UserError, match=r"space\.x3: no parameter of this name; legal: x1, x2"):
        plugins.make("objectives", gone).space()
