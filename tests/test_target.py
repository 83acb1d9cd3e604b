"""Time to target and scaling against numbers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from journals import at, cell, end, report, results, two_counts, write

from bench.metrics import scaling, target
from bench.metrics._target import times
from bench.report.table import load


def test_the_target_is_randoms_median_final_loss_at_the_fewest_gpus(tmp_path: Path) -> None:
    frame = target.compute(load(two_counts(tmp_path)))
    assert frame["target"].to_numpy() == pytest.approx(0.4)  # median of 0.5 and 0.3
    assert target.notes(frame) == [
        "The target on bowl (cpu, budget 3) is a loss of 0.4, the median final loss "
        "of random at gpus = 1, n = 2."
    ]


def test_time_to_target_counts_searches_that_never_reached_it_as_censored(tmp_path: Path) -> None:
    frame = target.compute(load(two_counts(tmp_path)))
    one, two = at(frame, gpus=1), at(frame, gpus=2)
    # 1 GPU: seed 1 at 36 s, seed 0 not within 32 s. The curve is 1 until 36, then 0 (it alone is
    # left): the median is 36.
    assert (one["seconds"], one["reached"], one["n"], one["followed"]) == (36, 1, 2, 36)
    # 2 GPUs: seed 0 at 6 s, seed 1 not within 20 s: the curve stays at 1/2, no median
    assert (two["seconds"], two["reached"], two["n"], two["followed"]) == (np.inf, 1, 2, 20)
    assert two["low"] == 6
    assert two["high"] == np.inf


def test_a_suite_without_random_takes_the_target_from_all_algorithms(tmp_path: Path) -> None:
    for seed, loss in enumerate((0.2, 0.4, 0.9)):
        results(tmp_path, cell("tpe", seed=seed), (1, loss), (2, loss), (3, loss), wall=3)
    found = times(load(tmp_path))
    assert found["target"].iloc[0] == 0.4
    assert "all algorithms (random is not in the suite)" in found["target_from"].iloc[0]
    assert found.sort_values("seed")["reached"].tolist() == [True, True, False]


def test_a_failed_search_does_not_set_the_target(tmp_path: Path) -> None:
    results(tmp_path, cell(seed=0), (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    write(tmp_path, cell(seed=1), [report(0, 1.0, 0.1), end(5.0, "failed", "time")])
    assert set(times(load(tmp_path))["target"]) == {0.5}


def test_scaling_efficiency_is_paired_by_seed(tmp_path: Path) -> None:
    # target: the median of random's final losses at 1 GPU = 0.5, reached by all with their last
    # result. Seed 0: 40 s, 25 s: E = 40·1 / (25·2) = 0.8. Seed 1: 60, 30: 1. Seed 2: 90, 75: 0.6.
    # Seed 3 has no run on 2 GPUs.
    for seed, (one, two) in enumerate([(40, 25), (60, 30), (90, 75), (5, None)]):
        results(tmp_path, cell(gpus=1, seed=seed), (1, 1.0), (2, 1.0), (one, 0.5), wall=100)
        if two is not None:
            results(tmp_path, cell(gpus=2, seed=seed), (1, 1.0), (2, 1.0), (two, 0.5), wall=100)
    frame = scaling.compute(load(tmp_path))
    both = at(frame, gpus=2)
    assert both["efficiency"] == pytest.approx(0.8)
    assert (both["low"], both["high"]) == (pytest.approx(0.6), pytest.approx(1.0))
    assert (both["n"], both["censored"], both["base_gpus"]) == (3, 0, 1)
    assert at(frame, gpus=1)["efficiency"] == 1


def test_a_censored_pair_bounds_the_scaling_efficiency(tmp_path: Path) -> None:
    # target 0.5. Seed 0 reached it: 40 s and 25 s, E = 0.8. Seed 1: 60 s on 1 GPU, never within
    # 50 s on 2: E <= 60 / 100 = 0.6. Seed 2: never within 100 s on 1 GPU, 50 s on 2: E >= 1.
    for seed, (one, loss1, two, loss2) in enumerate(
        [(40, 0.5, 25, 0.5), (60, 0.4, 50, 0.9), (100, 0.9, 50, 0.1)]
    ):
        results(tmp_path, cell(gpus=1, seed=seed), (1, 1.0), (2, 1.0), (one, loss1), wall=one)
        results(tmp_path, cell(gpus=2, seed=seed), (1, 1.0), (2, 1.0), (two, loss2), wall=two)
    both = at(scaling.compute(load(tmp_path)), gpus=2)
    assert (both["n"], both["censored"]) == (3, 2)
    # lower bounds 0.8, 0, 1, upper bounds 0.8, 0.6, infinite: both medians are 0.8
    assert both["efficiency"] == pytest.approx(0.8)
    assert (both["low"], both["high"]) == (0, np.inf)


def test_an_efficiency_that_censoring_leaves_open_is_a_range_and_no_number(tmp_path: Path) -> None:
    for seed, loss in enumerate((0.5, 0.9)):  # target 0.5: seed 1 never reaches it on 2 GPUs
        results(tmp_path, cell(gpus=1, seed=seed), (1, 1.0), (2, 1.0), (40, 0.5), wall=40)
        results(tmp_path, cell(gpus=2, seed=seed), (1, 1.0), (2, 1.0), (25, loss), wall=25)
    both = at(scaling.compute(load(tmp_path)), gpus=2)
    assert np.isnan(both["efficiency"])
    assert both["at_least"] == pytest.approx(0.4)  # of 0.8 and 0
    assert both["at_most"] == pytest.approx(0.8)  # of 0.8 and at most 0.8


def test_nothing_is_noted_of_scaling_where_there_is_one_gpu_count(tmp_path: Path) -> None:
    results(tmp_path, cell("random"), (1, 0.8), (2, 0.7), (3, 0.2), wall=4)
    assert scaling.notes(scaling.compute(load(tmp_path))) == []
