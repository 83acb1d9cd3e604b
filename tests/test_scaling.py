"""Scaling efficiency and its two factors, and how far another doubling helps, by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journals import at, cell, end, finish, report, results, suggest, write

from bench.cell import Cell
from bench.metrics import _efficiency as efficiency
from bench.metrics import scaling
from bench.metrics._target import times
from bench.report.table import load


def on_one(folder: Path, of: Cell, third: float = 0.6) -> None:
    """Reaches 0.5 after 20 s, of which 14 were training; held for 32 s, of which 21 were."""
    events: list[dict[str, Any]] = []
    for trial, (begin, seconds, setup, step, loss) in enumerate(
        [(0, 10, 2, 8, 0.9), (10, 20, 4, 6, 0.5), (20, 30, 3, 7, third)]
    ):
        measured = {"setup_seconds": setup, "step_seconds": step}
        events += [suggest(trial, begin), report(trial, seconds, loss, **measured)]
        events += [finish(trial, seconds, "completed")]
    write(folder, of, [*events, end(32.0)])


def on_two(folder: Path, of: Cell, second: float = 0.5) -> None:
    """Reaches 0.5 after 16 s, of which trial 0 trained for 6, trial 1 for 8, trial 2 for 5."""
    events = [
        suggest(0),
        suggest(1),
        report(0, 8.0, 0.9, setup_seconds=2.0, step_seconds=6.0),
        finish(0, 8.0, "completed"),
        suggest(2, 8.0),
        report(1, 16.0, second, setup_seconds=8.0, step_seconds=8.0),
        finish(1, 16.0, "completed"),
        report(2, 20.0, 0.9, setup_seconds=3.0, step_seconds=9.0),  # its step began at 11
        finish(2, 20.0, "completed"),
        end(20.0),
    ]
    write(folder, of, events)


def test_efficiency_is_the_utilisation_ratio_times_the_sample_efficiency(tmp_path: Path) -> None:
    on_one(tmp_path, cell(gpus=1))
    on_two(tmp_path, cell(gpus=2))
    two = at(scaling.compute(load(tmp_path)), gpus=2)
    # T: 20 s and 16 s, so E = 20 · 1 / (16 · 2). Trained by then: 14 of 20, and 6 + 8 + 5 = 19 of
    # 32 GPU-seconds: U = (19 / 32) / (14 / 20), S = 14 / 19.
    assert two["target"] == 0.5
    assert two["speed_up"] == pytest.approx(20 / 16)
    assert two["efficiency"] == pytest.approx(0.625)
    assert two["utilisation_ratio"] == pytest.approx((19 / 32) / (14 / 20))
    assert two["sample_efficiency"] == pytest.approx(14 / 19)
    product = two["utilisation_ratio"] * two["sample_efficiency"]
    assert two["efficiency"] == pytest.approx(product)


def test_the_identity_holds_for_each_pair_and_for_the_bounds_of_censored_ones(
    tmp_path: Path,
) -> None:
    for seed in range(4):
        on_one(tmp_path, cell(gpus=1, seed=seed))
        on_two(tmp_path, cell(gpus=2, seed=seed), second=0.9 if seed == 3 else 0.5)
    cells = times(load(tmp_path))
    pairs = efficiency.pairs(cells[cells["gpus"] == 1], cells[cells["gpus"] == 2])
    assert pairs["efficiency"].tolist() == pytest.approx([0.625] * 3 + [20 / (20 * 2)])
    for bound in ("", "_least", "_most"):
        product = pairs["utilisation"] * pairs[f"sample{bound}"]
        assert pairs[f"efficiency{bound}"].tolist() == pytest.approx(product.tolist())
    # seed 3 on 2 GPUs: not within 20 s, in which 6 + 8 + 9 = 23 s were trained: S <= 14 / 23
    last = pairs.iloc[3]
    assert (last["sample_least"], last["sample_most"]) == (0, pytest.approx(14 / 23))
    assert last["utilisation"] == pytest.approx((23 / 40) / (14 / 20))


def test_a_search_that_did_not_reach_the_target_on_few_gpus_bounds_it_from_below(
    tmp_path: Path,
) -> None:
    on_one(tmp_path, cell(gpus=1, seed=0))
    on_one(tmp_path, cell("tpe", gpus=1))
    tpe = tmp_path / f"{cell('tpe', gpus=1).key}.jsonl"
    tpe.write_text(tpe.read_text().replace('"loss":0.5', '"loss":0.8'))
    on_two(tmp_path, cell("tpe", gpus=2))
    two = at(scaling.compute(load(tmp_path)), gpus=2)
    # in 32 s, not 20, 21 s were trained: E >= 32 / 32, S >= 21 / 19
    assert np.isnan(two["sample_efficiency"])
    assert (two["at_least"], two["at_most"]) == (pytest.approx(1.0), np.inf)
    assert (two["sample_at_least"], two["sample_at_most"]) == (pytest.approx(21 / 19), np.inf)
    assert two["censored"] == 1


def test_without_the_seconds_of_its_steps_an_efficiency_has_no_factors(tmp_path: Path) -> None:
    for gpus, last in ((1, 40), (2, 25)):
        results(tmp_path, cell(gpus=gpus), (1, 1.0), (2, 1.0), (last, 0.5), wall=100)
    two = at(scaling.compute(load(tmp_path)), gpus=2)
    assert two["efficiency"] == pytest.approx(0.8)
    assert np.isnan([two["utilisation_ratio"], two["sample_efficiency"]]).all()
    assert two["wasted_by"] == "not shown"


def test_who_wastes_is_whose_interval_is_below_one(tmp_path: Path) -> None:
    for seed in range(6):
        on_one(tmp_path, cell(gpus=1, seed=seed))
        on_two(tmp_path, cell(gpus=2, seed=seed))
    frame = scaling.compute(load(tmp_path))
    assert at(frame, gpus=2)["wasted_by"] == "engine and algorithm"
    assert at(frame, gpus=1)["wasted_by"] == ""


def doubled(folder: Path, *seconds: list[float]) -> Any:
    """Six seeds that reach the target on 1, 2, 4, … GPUs after so many seconds; the table."""
    for power, of in enumerate(seconds):
        for seed, last in enumerate(of):
            found = (0.01, 1.0), (0.02, 1.0), (last, 0.5)
            results(folder, cell(gpus=2**power, seed=seed), *found, wall=100)
    return scaling.compute(load(folder))


def test_another_doubling_is_worth_it_until_its_interval_includes_one(tmp_path: Path) -> None:
    one, two = [40.0] * 6, [20, 22, 24, 25, 25, 25.0]
    four = [20, 23, 23, 26, 24, 25.0]  # 2 / 4 GPUs: 1, 22/23, 24/23, 25/26, 25/24, 1
    eight = [10.0] * 6  # would help again, but who goes there must pass 4
    frame = doubled(tmp_path, one, two, four, eight)
    assert set(frame["enough_gpus"]) == {2}
    assert frame["worth_it"].tolist() == ["yes", "no", "yes", ""]
    at_two = at(frame, gpus=2)
    assert at_two["doubling"] == pytest.approx(1)
    # a resample's median is the mean of two; the interval ends at the lowest two, and highest two
    assert at_two["doubling_low"] == pytest.approx((22 / 23 + 25 / 26) / 2)
    assert at_two["doubling_high"] == pytest.approx((24 / 23 + 25 / 24) / 2)
    assert at(frame, gpus=1)["doubling"] == pytest.approx((40 / 24 + 40 / 25) / 2)
    assert scaling.notes(frame)[0] == (
        "Another doubling of cores on bowl (budget 3, wall clock) for random: not worth it "
        "beyond 2 (speed-up 1.00, interval 0.96 to 1.04, n = 6)."
    )


def test_all_doublings_that_help_are_said_to_be_all_that_were_measured(tmp_path: Path) -> None:
    frame = doubled(tmp_path, [40.0] * 6, [20.0] * 6, [10.0] * 6)
    assert frame["enough_gpus"].isna().all()
    assert "worth it each time, up to 4, the most measured" in scaling.notes(frame)[0]


def test_seeds_too_few_or_too_far_apart_cannot_tell(tmp_path: Path) -> None:
    single = doubled(tmp_path / "single", [40.0], [20.0])
    assert single["enough_gpus"].isna().all()
    assert "cannot tell beyond 1 (speed-up 2.00, no interval, n = 1)" in scaling.notes(single)[0]
    wide = doubled(tmp_path / "wide", [40.0] * 2, [10.0, 50.0])
    assert set(wide["enough_gpus"]) == {1}
    assert "cannot tell beyond 1 (speed-up 2.40" in scaling.notes(wide)[0]
