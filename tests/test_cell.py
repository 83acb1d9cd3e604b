from dataclasses import replace

import pytest

from bench.cell import Cell, PlugIn
from bench.seeds import derive, search_seed, training_seed

CELL = Cell(
    objective=PlugIn("toy", {"max_steps": 4}),
    algorithm=PlugIn("asha", {"reduction_factor": 3}),
    engine="ray",
    device="cpu",
    gpus=4,
    gpus_per_trial=0.5,
    seed=7,
    budget=20,
    max_steps=4,
)


def test_the_key_is_readable_and_names_a_file() -> None:
    assert CELL.key.startswith("toy-asha-ray-cpu-g4-s7-b20-")
    assert len(CELL.key.rsplit("-", 1)[1]) == 10
    assert "/" not in CELL.key and len(CELL.key) < 200


def test_one_gpu_per_trial_is_the_same_however_it_is_written() -> None:
    assert replace(CELL, gpus_per_trial=1).key == replace(CELL, gpus_per_trial=1.0).key


@pytest.mark.parametrize(
    "change",
    [
        {"objective": PlugIn("toy", {"max_steps": 5})},
        {"objective": PlugIn("toy", {"max_steps": 4}, source="ab")},
        {"algorithm": PlugIn("asha", {"reduction_factor": 4})},
        {"engine": "virtual"},
        {"device": "cuda"},
        {"gpus": 8},
        {"gpus_per_trial": 1.0},
        {"seed": 8},
        {"budget": 21},
        {"max_steps": 5},
        {"max_seconds": 60.0},
        {"max_trial_seconds": 60.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_can_change_the_result_changes_the_key(change: dict) -> None:
    assert replace(CELL, **change).key != CELL.key


def test_where_a_users_file_lies_does_not_change_the_key() -> None:
    here, there = (PlugIn("mine", {}, path, "hash") for path in ("/a/mine.py", "/b/mine.py"))
    assert replace(CELL, objective=here).key == replace(CELL, objective=there).key


def test_the_key_is_the_same_in_every_version_until_comparability_is_given_up() -> None:
    """A change here makes every published journal another cell: raise cell.COMPARABILITY."""
    assert CELL.key == "toy-asha-ray-cpu-g4-s7-b20-e40654e6fd"


def test_a_cell_survives_json() -> None:
    import json

    assert Cell.from_json(json.loads(json.dumps(CELL.as_json()))) == CELL


def test_a_trial_of_several_gpus_has_a_process_for_each() -> None:
    shares: dict[float, int] = {0.5: 1, 1.0: 1, 2.0: 2, 3.0: 3}
    assert {share: replace(CELL, gpus_per_trial=share).ranks for share in shares} == shares


def test_slots_and_budget() -> None:
    assert CELL.slots == 8
    assert replace(CELL, gpus=1, gpus_per_trial=0.1).slots == 10
    assert replace(CELL, gpus=4, gpus_per_trial=3).slots == 1
    assert CELL.budget_steps == 80


@pytest.mark.parametrize(
    ("gpus", "share", "slots"), [(2, 0.4, 4), (2, 0.5, 4), (1, 0.1, 10), (4, 2, 2), (3, 2, 1)]
)
def test_a_trial_gets_its_fraction_from_one_gpu(gpus: int, share: float, slots: int) -> None:
    assert replace(CELL, device="cuda", gpus=gpus, gpus_per_trial=share).slots == slots


def test_seeds_come_from_names_alone() -> None:
    assert derive("a", 1) == derive("a", 1) == 324999076
    assert derive("a", 1) != derive("a1") != derive(["a", 1])
    assert search_seed("toy", 0) != search_seed("toy", 1)
    assert training_seed("toy", 0, {"x": 1, "y": 2}) == training_seed("toy", 0, {"y": 2, "x": 1})
    assert training_seed("toy", 0, {"x": 1}) != training_seed("toy", 0, {"x": 2})
