"""Time limits: from a pilot with a margin, else the site's default; always what the site allows."""

from pathlib import Path
from typing import Any

import pytest
from journals import cell
from test_estimate import journal, steps

from bench.cell import Cell, PlugIn
from bench.slurm.site import Site
from bench.slurm.wall_time import Limit, limit, pilots


def site(**keys: Any) -> Site:
    return Site(
        **{
            "verified": False,
            "gpus_per_node": 4,
            "default_time": "4:00:00",
            "max_time": "20:00:00",
            **keys,
        }
    )


def of(tmp_path: Path, *cells: Cell, **keys: Any) -> Limit:
    return limit([*cells], pilots([*cells], tmp_path), site(**keys))


@pytest.mark.parametrize(
    ("gpus", "minutes"),
    [
        # 100 trainings of 1 step, 7 s each; 100 / slots rounds of 7 / 0.7 s, 120 s to start
        (1, 40),  # 100 rounds: 1,120 s, twice that is 37.3 minutes
        (2, 25),  # 50: 620 s: 20.7
        (3, 20),  # 34: 460 s: 15.3
        (100, 10),  # 1: 130 s: the least
    ],
)
def test_twice_the_rounds_of_a_full_training_on_the_slots_there_are(
    tmp_path: Path, gpus: int, minutes: int
) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    found = of(tmp_path, cell(gpus=gpus, budget=100))
    assert found == Limit(60 * minutes, "2 times what the pilot says of the longest cell", True)


def test_the_last_round_takes_as_long_as_a_full_one(tmp_path: Path) -> None:
    """100 trainings on 60 slots: 2 rounds of 700 / 0.7 s and 120 s, twice that is 70.7 minutes."""
    journal(tmp_path, cell(), steps(0, 700.0))
    assert of(tmp_path, cell(gpus=60, budget=100)).seconds == 60 * 75


def test_a_trial_of_several_gpus_takes_its_own_seconds_not_its_gpu_seconds(tmp_path: Path) -> None:
    journal(tmp_path, cell(gpus=4, gpus_per_trial=2), steps(0, 7.0))
    assert of(tmp_path, cell(gpus=4, gpus_per_trial=2, budget=100)).seconds == 60 * 25


def test_the_longest_cell_of_an_array_counts(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    assert of(tmp_path, cell(budget=2), cell(budget=100), cell(budget=3)).seconds == 60 * 40


def test_a_cell_that_guards_itself_needs_no_longer_than_that(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    assert of(tmp_path, cell(budget=100, max_seconds=300)).seconds == 60 * 15


def test_without_a_pilot_of_all_the_sites_default_and_the_objectives_are_named(
    tmp_path: Path,
) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    other = cell(objective=PlugIn("cup", {"max_steps": 1}))
    found = of(tmp_path, cell(), other)
    assert found == Limit(4 * 3600, "no pilot of cup: the site's default", False)
    longer = of(tmp_path, cell(budget=2000), other)
    assert longer.seconds == 60 * 60 * 11 + 60 * 15, "2 x (20,000 + 120) s, in steps of 5 minutes"


def test_what_the_site_does_not_allow_is_cut_and_said(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    found = of(tmp_path, cell(budget=10_000))
    assert found.seconds == 20 * 3600
    wanted = "2-07:40:00"  # 2 x 100,120 s
    assert f"the site allows no more, wanted were {wanted}: a cell goes on in the next job" in (
        found.remark
    )


def test_no_shorter_than_the_site_wants_jobs(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 7.0))
    assert of(tmp_path, cell(), min_time="1:00:00").seconds == 3600
