"""Comparisons of algorithms against numbers worked out by hand, and against the literature's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from journals import at, cell, end, report, results, search, suggest, write
from matplotlib.text import Text
from scikit_posthocs import posthoc_nemenyi_friedman
from scipy.stats import norm

from bench.cell import PlugIn
from bench.metrics import _paired as paired
from bench.metrics import comparisons, critical_difference
from bench.metrics._reference import normalised_final, units
from bench.report.table import load


def ends(folder: Path, algorithm: str, losses: list[float], gpus: int = 1, **more: Any) -> None:
    """A search for each seed whose last loss is this; its first trial has the loss 1."""
    for seed, loss in enumerate(losses):
        of = cell(algorithm, gpus, seed, **more)
        results(folder, of, (1, 1.0), (2, 1.0), (3, loss), wall=3, optimum=0.0)


def test_walsh_averages_give_the_difference_and_the_share_that_is_positive() -> None:
    # of 1, 2, -1: 1, 3/2, 0, 2, 1/2, -1; their median is 3/4; 4 are positive and one is 0, of 6
    assert paired.walsh([1.0, 2.0, -1.0]) == (0.75, 0.75)


def test_p_of_six_differences_of_one_sign_is_one_in_32() -> None:
    assert paired.signed_rank([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == pytest.approx(2 / 2**6)
    assert paired.signed_rank([0.0, 0.0, 0.0]) == 1.0
    assert paired.least_pairs(0.05) == 6
    assert paired.least_pairs(0.05 / 3) == 7


def test_a12_is_the_chance_to_win_and_half_that_of_a_tie() -> None:
    # two seeds of each, on two objectives: (1 + 1/2 + 0 + 1)/4 = 0.625, and 1; a half of each
    middle, low, high = paired.superiority([np.array([[1, 0.5], [0, 1]]), np.ones((2, 2))])
    assert middle == pytest.approx((0.625 + 1) / 2)
    # a resample of the first objective is (0,0) or (1,1): 1, or (0,1): 0.625; the second is 1
    assert [low, high] == pytest.approx([0.8125, 1.0])
    assert np.isnan(paired.superiority([np.array([[1.0]])])[1:]).all(), "one seed: no interval"


def test_pairs_for_half_a_standard_deviation_are_those_of_the_textbook() -> None:
    # G*Power 3.1, Wilcoxon signed-rank test, matched pairs, two tails, normal parent (A.R.E.),
    # d = 0.5, alpha = 0.05, power = 0.8: 35 pairs
    share = norm.cdf(np.sqrt(2) * 0.5)
    assert paired.pairs_needed(share, 1000, 0.05) == 35
    assert paired.pairs_needed(1 - share, 1000, 0.05) == 35, "either may be the better one"
    assert paired.least_difference(35, 0.05) == pytest.approx(0.5, abs=0.01)
    assert paired.least_difference(5, 0.05) == np.inf, "2/2^5 is more than 0.05"
    assert paired.pairs_needed(0.5, 20, 0.05) == np.inf, "there is no difference to show"
    assert paired.pairs_needed(1.0, 20, 0.001) >= paired.least_pairs(0.001)


def test_normalised_regret_is_0_at_the_best_and_1_at_the_first_trial_of_random(
    tmp_path: Path,
) -> None:
    # random's first trials 0.8 and 0.6, their median 0.7; the best loss of all journals is 0.2
    results(tmp_path, cell(seed=0), (1, 0.8), (2, 0.9), (3, 0.3), wall=3)
    results(tmp_path, cell(seed=1), (1, 0.6), (2, 0.2), (3, 0.9), wall=3)
    results(tmp_path, cell("tpe"), (1, 0.1 + 0.6), (2, 0.45), (3, 0.9), wall=3)
    table = load(tmp_path)
    unit, source = units(table)["bowl"]
    assert unit == pytest.approx(0.5)
    assert source == "the median first trial of random"
    found = normalised_final(table).set_index(["algorithm", "seed"])["regret"]
    assert found["random", 0] == pytest.approx(0.2)
    assert found["random", 1] == pytest.approx(0)
    assert found["tpe", 0] == pytest.approx(0.5)


def test_six_seeds_of_one_sign_show_which_of_two_algorithms_is_better(tmp_path: Path) -> None:
    ends(tmp_path, "random", [0.7, 0.8, 0.9, 0.7, 0.8, 0.9])
    ends(tmp_path, "tpe", [0.1, 0.2, 0.3, 0.2, 0.3, 0.4])
    row = at(comparisons.compute(load(tmp_path)))
    assert (row["algorithm"], row["other"], row["at"]) == ("tpe", "random", "1")
    assert (row["n"], row["verdict"], row["more_seeds"]) == (6, "tpe is better", 0)
    # differences 0.6 0.6 0.6 0.5 0.5 0.5 (first trials: 1): the median of the averages is 0.55
    assert row["difference"] == pytest.approx(0.55)
    assert (row["superiority"], row["low"], row["high"]) == (1, 1, 1)


def test_three_seeds_cannot_tell_and_say_how_many_more_would(tmp_path: Path) -> None:
    ends(tmp_path, "random", [0.7, 0.8, 0.9])
    ends(tmp_path, "tpe", [0.1, 0.2, 0.4])
    frame = comparisons.compute(load(tmp_path))
    row = at(frame)
    assert (row["p"], row["verdict"]) == (0.25, "cannot tell"), "2/2^3"
    assert row["least_difference"] == np.inf
    assert row["more_seeds"] >= 3, "six are the least"
    said = "\n".join(comparisons.notes(frame))
    assert f"cannot tell between tpe and random ({row['more_seeds']:.0f} more seeds)" in said
    assert "no difference, however large, can be shown with so few; 6 pairs are the least" in said


def test_a_failed_search_counts_as_the_worst_and_is_not_dropped(tmp_path: Path) -> None:
    ends(tmp_path, "random", [0.7] * 6)
    ends(tmp_path, "tpe", [0.1, 0.2, 0.3, 0.2, 0.3])
    failed = [suggest(0), report(0, 1.0, 0.0), end(2.0, "failed", "RuntimeError: no")]
    write(tmp_path, cell("tpe", seed=5), failed, optimum=0.0, worst_loss=2.0)
    row = at(comparisons.compute(load(tmp_path)))
    assert (row["n"], row["failed"], row["verdict"]) == (6, 1, "cannot tell")
    # one of six loses, to all: 5 of 6 rows of wins are 1
    assert row["superiority"] == pytest.approx(5 / 6)
    # |differences| 0.6 0.5 0.4 0.5 0.4 and the worst, 1.3, which has the highest of the ranks
    # 1 to 6: W- = 6; subsets of the ranks 5 3.5 1.5 3.5 1.5 6 with a sum of at most 6:
    # {}, 1.5 1.5 3.5 3.5 5 6, 1.5+1.5, four of 1.5+3.5: 12 of 64, on either side
    assert row["p"] == pytest.approx(24 / 64)


def test_gpu_counts_of_one_seed_are_no_independent_evidence(tmp_path: Path) -> None:
    for gpus, losses in ((1, [0.2, 0.3, 0.4]), (2, [0.4, 0.3, 0.2])):
        ends(tmp_path, "random", [0.7, 0.8, 0.9], gpus)
        ends(tmp_path, "tpe", losses, gpus)
    frame = comparisons.compute(load(tmp_path))
    row = at(frame, at="all")
    # the means over the counts: 0.4, 0.5, 0.6
    assert (row["n"], row["p"]) == (3, 0.25)
    assert row["difference"] == pytest.approx(0.5)
    assert sorted(frame["at"]) == ["1", "2", "all"]


def test_p_is_corrected_for_all_pairs_by_holm(tmp_path: Path) -> None:
    ends(tmp_path, "random", [0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98])
    ends(tmp_path, "asha", [0.5, 0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.8])
    ends(tmp_path, "tpe", [0.54, 0.54, 0.54, 0.54, 0.5, 0.5, 0.5, 0.5])
    frame = comparisons.compute(load(tmp_path))
    smallest = 2 / 2**8  # of both with random
    assert sorted(frame["p"])[:2] == pytest.approx([smallest, smallest])
    assert sorted(frame["p_holm"])[:2] == pytest.approx([3 * smallest, 3 * smallest])
    assert set(frame["verdict"]) == {"asha is better", "tpe is better", "cannot tell"}


def test_cells_without_a_partner_are_counted(tmp_path: Path) -> None:
    ends(tmp_path, "random", [0.7, 0.8, 0.9, 0.9])
    ends(tmp_path, "tpe", [0.1, 0.2])
    row = at(comparisons.compute(load(tmp_path)))
    assert (row["n"], row["unpaired"]) == (2, 2)


def test_settings_are_never_paired_and_objectives_are(tmp_path: Path) -> None:
    for device, objective in (("cpu", "bowl"), ("cpu", "hill"), ("cuda", "bowl")):
        of: dict[str, Any] = {"device": device, "objective": PlugIn(objective, {"max_steps": 1})}
        ends(tmp_path, "random", [0.7, 0.8], **of)
        ends(tmp_path, "tpe", [0.1, 0.2], **of)
    frame = comparisons.compute(load(tmp_path))
    both, one = at(frame, device="cpu"), at(frame, device="cuda")
    assert (both["objective"], both["objectives"], both["n"]) == ("bowl, hill", 2, 4)
    assert (one["objective"], one["n"]) == ("bowl", 2)


def three_ranked(folder: Path, objectives: int) -> pd.DataFrame:
    for index in range(objectives):
        objective = PlugIn(f"bowl{index}", {"max_steps": 1})
        for place, algorithm in enumerate(("tpe", "asha", "random")):
            ends(folder, algorithm, [0.1 + 0.2 * place, 0.15 + 0.2 * place], objective=objective)
    return critical_difference.compute(load(folder))


def test_three_objectives_that_agree_tell_the_first_from_the_last(tmp_path: Path) -> None:
    frame = three_ranked(tmp_path, 3)
    assert frame["algorithm"].tolist() == ["tpe", "asha", "random"]
    assert frame["mean_rank"].tolist() == [1, 2, 3]
    # Friedman's statistic 12·3/(3·4)·(1 + 4 + 9) − 3·3·4 = 6, with 2 degrees: p = exp(−3)
    assert frame["p"].to_numpy() == pytest.approx(np.exp(-3))
    # 2.343·√(3·4/(6·3)), of Demšar's table 5
    assert frame["critical_difference"].to_numpy() == pytest.approx(1.913, abs=1e-3)
    assert set(frame["n"]) == {3} and set(frame["searches"]) == {6}
    assert "mean ranks that differ by 1.91 are told apart" in critical_difference.notes(frame)[0]


def test_too_few_objectives_are_not_ranked(tmp_path: Path) -> None:
    # 2.343·√(12/12) is more than 2, the most that mean ranks of three can differ by
    assert three_ranked(tmp_path, 2).empty


def test_the_critical_difference_is_that_of_scikit_posthocs() -> None:
    values = np.random.default_rng(0).normal([0, 0.4, 1, 2], size=(9, 4))
    ranks = pd.DataFrame(values).rank(axis=1).mean().to_numpy()
    apart = np.abs(np.subtract.outer(ranks, ranks)) > critical_difference.critical_difference(4, 9)
    theirs = posthoc_nemenyi_friedman(values).to_numpy() < 0.05
    assert (apart == theirs).all() and apart.any()


def test_the_diagram_of_ranks_has_all_algorithms_and_what_it_rests_on(tmp_path: Path) -> None:
    frame = three_ranked(tmp_path, 3)
    made = critical_difference.draw(frame)
    made.savefig(tmp_path / "figure.png", dpi=20)
    shown = " ".join(artist.get_text() for artist in made.findobj(Text))  # type: ignore[attr-defined]
    for each in ("tpe  1.00", "3.00  random", "n = 3 objectives", "p = 0.05", "wall clock"):
        assert each in shown, shown


def test_an_algorithm_ahead_by_chance_is_not_called_better(tmp_path: Path) -> None:
    for seed in range(8):
        for algorithm in ("random", "tpe"):
            search(tmp_path, cell(algorithm, seed=seed, budget=6), skill=0.0)
    row = at(comparisons.compute(load(tmp_path)))
    assert row["verdict"] == "cannot tell"
    assert row["more_seeds"] > 0
    assert 0 < row["least_difference"] < np.inf
