"""The error of the virtual clock: what is compared, and what is made of it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import PLUGINS
from test_cell import CELL

from bench import known_error
from bench.curves import digest
from bench.errors import UserError
from bench.validation.errors import TARGETS, Pair, errors, targets
from bench.validation.search import Course, area_between, course, relative_error
from bench.validation.summary import summary

Bench = Callable[..., subprocess.CompletedProcess[str]]


def of(seconds: list[float], losses: list[float], end: float, utilisation: float = 1.0) -> Course:
    return Course(np.array(seconds), np.minimum.accumulate(losses), end, utilisation)


def test_a_course_is_read_off_the_events() -> None:
    events: list[dict[str, Any]] = [
        {"event": "suggest", "seconds": 0.0},
        {"event": "report", "seconds": 2.0, "loss": 3.0, "step_seconds": 1.5},
        {"event": "report", "seconds": 4.0, "loss": 5.0, "step_seconds": 1.5},
        {"event": "report", "seconds": 6.0, "loss": 1.0, "step_seconds": 1.0},
    ]
    found = course(replace(CELL, gpus=2, gpus_per_trial=1), events, end=8.0)
    assert found.seconds.tolist() == [2.0, 4.0, 6.0]
    assert found.incumbent.tolist() == [3.0, 3.0, 1.0]
    assert found.utilisation == 4.0 / (2 * 8.0)
    assert [found.reaches(target) for target in (3.0, 2.0, 0.5)] == [2.0, 6.0, np.inf]


def test_the_error_of_a_time_is_relative_to_the_real_one() -> None:
    assert relative_error(10.0, 9.0) == -0.1
    assert relative_error(10.0, np.inf) == relative_error(np.inf, 10.0) == np.inf
    assert np.isnan(relative_error(np.inf, np.inf))


def test_the_area_between_two_incumbents() -> None:
    """Real: 4 from 1 s, 2 from 3 s, until 5 s. Virtual: 4 from 2 s, 1 from 4 s, until 9 s.

    Both are known from 2 s; the first is over at 5 s: |0|·1 + |4-2|·1 + |1-2|·1 over 4·1 + 2·2.
    """
    real, virtual = of([1.0, 3.0], [4.0, 2.0], 5.0), of([2.0, 4.0], [4.0, 1.0], 9.0)
    assert area_between(real, virtual, best=0.0) == 3 / 8
    assert area_between(real, virtual, best=1.0) == 3 / 5
    assert area_between(real, real, best=0.0) == 0
    assert np.isnan(area_between(of([4.0], [1.0], 5.0), of([6.0], [1.0], 7.0), best=0.0))


def pair(algorithm: str, gpus: int, seed: int, real: Course, virtual: Course) -> Pair:
    named = replace(CELL.algorithm, name=algorithm)
    cell = replace(CELL, algorithm=named, gpus=gpus, seed=seed)
    return Pair(cell, Path("toy-cpu.parquet"), "a machine", real, {"all": virtual})


def searches(algorithm: str, gpus: int, times: list[tuple[float, float]]) -> list[Pair]:
    """Of each seed: when its incumbent falls from 3 to the target 1.5, for real and virtually."""

    def fall(seconds: float) -> Course:
        reached = np.isfinite(seconds)
        return of([1.0, seconds], [3.0, 1.5], 20.0) if reached else of([1.0], [3.0], 20.0)

    return [
        pair(algorithm, gpus, seed, fall(real), fall(virtual))
        for seed, (real, virtual) in enumerate(times)
    ]


NEVER = np.inf
CLOCKS = ("real", "virtual")
PAIRS = [
    *searches("random", 1, [(8.0, 10.0), (4.0, 5.0), (NEVER, NEVER)]),
    *searches("random", 2, [(2.0, 2.0), (4.0, 4.0), (6.0, NEVER)]),
    *searches("tpe", 1, [(2.0, 3.0), (4.0, NEVER), (6.0, NEVER)]),
]


def test_the_targets_are_of_random_searchs_losses_at_the_fewest_gpus() -> None:
    """Their median, and what three of four reach: of 1.5, 1.5 and 3 that is 2.25."""
    assert targets(PAIRS)[Path("toy-cpu.parquet")] == {"target": 1.5, "easier_target": 2.25}
    with pytest.raises(UserError, match="no complete cell of random on toy: it gives the target"):
        targets(PAIRS[6:])


def test_each_pair_has_its_errors() -> None:
    frame = errors(PAIRS)
    expected = [0.25, 0.25, np.nan, 0.0, 0.0, np.inf, 0.5, np.inf, np.inf]
    assert frame["time_to_target"].tolist() == pytest.approx(expected, nan_ok=True)
    assert set(frame["wall"]) == {0.0}


def of_part(found: pd.DataFrame, part: str = "all") -> pd.DataFrame:
    return found[found["part"] == part].set_index("error")


def test_groups_are_compared_by_their_medians_over_seeds() -> None:
    """Medians: random at 1: 8, 10; at 2: 4, 4; tpe: 4, and virtually never for two of three."""
    found = of_part(summary(errors(PAIRS)))
    time = found.loc["time_to_target"]
    assert (time["median"], time["n"], time["missed"], time["seeds"]) == (0.25, 3, 1, 3)
    assert found.loc["wall", "median"] == 0.0
    assert time["low"] <= 0.25 <= time["high"]


def test_only_seeds_that_all_groups_have_are_summed_up() -> None:
    found = of_part(summary(errors(PAIRS[:-1])))
    assert found.loc["time_to_target", "seeds"] == 2


def test_seeds_are_resampled_as_a_whole() -> None:
    """Two seeds, of which one is 10 % wrong in all groups and one 30 %."""
    frame = pd.DataFrame(
        [
            {"part": "all", "algorithm": name, "gpus": 1, "seed": seed, "wall": wall}
            | {"real_seconds": 9.0, "virtual_seconds": 9.0}
            | {f"{clock}_seconds_to_{target}": 9.0 for clock in CLOCKS for target in TARGETS}
            | {"incumbent": 0.0, "utilisation": 0.0}
            for name in ("a", "b")
            for seed, wall in ((0, 0.1), (1, -0.3))
        ]
    )
    row = of_part(summary(frame)).loc["wall"]
    assert (row["low"], row["median"], row["high"]) == pytest.approx((0.1, 0.1, 0.3))


def test_what_chance_alone_makes_of_the_time_to_target_is_told_apart() -> None:
    """Of two seeds that take 4 and 8 s a set has 4, 6 or 8: two sets are up to 100 % apart."""
    found = summary(errors(searches("random", 1, [(4.0, 4.0), (8.0, 8.0)])))
    row = of_part(found, "chance").loc["time_to_target"]
    assert (row["low"], row["high"], row["n"]) == (0.0, 1.0, 1)
    assert row["median"] == pytest.approx(1 / 3)  # 8 instead of 6
    same = summary(errors(searches("random", 1, [(4.0, 6.0), (4.0, 6.0)])))
    assert set(of_part(same, "chance")["high"]) == {0.0}


def test_what_was_found_is_kept_by_the_curves_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.curves.FOLDERS", [tmp_path])
    table = tmp_path / "toy-cpu.parquet"
    table.write_bytes(b"curves")
    assert known_error.sentence_of(table) == "not validated on this device"
    known_error.keep(table, summary(errors(PAIRS)), "random and tpe", "a machine")
    said = known_error.sentence_of(table)
    assert "median over seeds of the time to target 25% (25% to ?) in 3 groups" in said
    assert "(1 of them reached it on one clock only)" in said
    assert "to a loss that 3 of 4 random searches reach 25% (25% to ?), other seeds" in said
    assert said.endswith("validated by random and tpe, on a machine")
    assert known_error.sentence(digest(table), settings_differ=True) == (
        "not validated with these settings"
    )
    table.write_bytes(b"other curves")
    assert known_error.sentence_of(table) == "not validated on this device"
    known_error.file_of(table).write_text("{")
    assert known_error.sentence_of(table) == "not validated on this device"


SUITE = """
budget = 5
seeds = 2
gpus = [1]
[[objectives]]
path = "{toy}"
seconds = 0.15
[[algorithms]]
name = "random"
[[algorithms]]
name = "asha"
"""


@pytest.mark.minutes
def test_recorded_validated_and_reported(bench: Bench, tmp_path: Path) -> None:
    """From nothing to a report: an objective of one's own, recorded, replayed, compared."""
    toy = PLUGINS / "toy.py"
    recorded = bench("record", toy, "seconds=0.15", "--configs", 40, "--gpus", 1)
    assert recorded.returncode == 0, recorded.stderr
    assert "rank correlation of final loss" in recorded.stdout
    (tmp_path / "suite.toml").write_text(SUITE.format(toy=toy))
    validated = bench("validate", "suite.toml", COLUMNS="200")
    assert validated.returncode == 0, validated.stderr
    written = tmp_path / "results" / "suite" / "validation"
    found = pd.read_csv(written / "errors-toy-cpu.csv").set_index(["part", "error"])
    assert found["median"].loc[("engine", "utilisation")] < 0.2
    assert (written / "toy-cpu.png").stat().st_size > 10_000
    kept = json.loads((tmp_path / "suites" / "curves" / "toy-cpu.validation.json").read_text())
    assert kept["cells"] == "random, asha at 1 on cpu, 2 seeds, budget 5"
    both = SUITE.format(toy=toy).replace("gpus = [1]", 'gpus = [1]\nengines = ["ray", "virtual"]')
    (tmp_path / "suite.toml").write_text(both)
    assert bench("run", "suite.toml").returncode == 0
    reported = bench("report", "suite.toml")
    assert reported.returncode == 0, reported.stderr
    names = {path.name for path in (tmp_path / "results" / "suite" / "report").glob("*.png")}
    assert "summary-real-and-virtual-toy.png" in names
    page = (tmp_path / "results" / "suite" / "report" / "report.md").read_text()
    assert "Virtual trainings of toy are predicted from" in page
    assert "error of the virtual clock: " in page
