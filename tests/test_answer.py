"""The report's answer: the best, only where it is shown to be; else that one cannot tell."""

from typing import Any

import pandas as pd

from bench.metrics.comparisons import UNKNOWN
from bench.report.answer import Answer, answers

SETTING: dict[str, Any] = {"objective": "bowl", "device": "cpu", "gpus_per_trial": 1.0, "budget": 3}
SETTING |= {"engine": "ray", "clock": "wall", "error": ""}
COMPARED = ["objective", "at", "algorithm", "other", "verdict", "more_seeds"]


def asked(
    *rows: tuple[str, int, float, float, float, int],
    compared: tuple[tuple[str, str, str, str, str, float], ...] = (),
) -> tuple[Answer, Answer]:
    """The two answers of (algorithm, gpus, median, low, high, n): of losses, and of seconds."""
    names = ["algorithm", "gpus", "value", "low", "high", "n"]
    frame = pd.DataFrame(rows, columns=names).assign(**SETTING)
    frame["algorithm"] = frame["algorithm"].astype("category")
    frames = {
        "summary": frame.assign(complete=frame["n"]).rename(columns={"value": "final_loss"}),
        "target": frame.rename(columns={"value": "seconds"}),
        "comparisons": pd.DataFrame(list(compared), columns=COMPARED),
    }
    lowest, soonest = answers(frames)
    return lowest, soonest


def test_the_lowest_median_is_the_answer_where_no_interval_overlaps_its_own() -> None:
    lowest, soonest = asked(("tpe", 2, 1.0, 0.9, 1.1, 6), ("random", 1, 2.0, 1.2, 3.0, 6))
    for answer in (lowest, soonest):
        assert answer.told and (answer.algorithm, answer.gpus, answer.n) == ("tpe", 2, 6)
        assert (answer.value, answer.low, answer.high) == (1.0, 0.9, 1.1)


def test_an_interval_that_overlaps_leaves_it_open() -> None:
    lowest, _ = asked(("tpe", 2, 1.0, 0.9, 1.3, 6), ("random", 1, 2.0, 1.2, 3.0, 6))
    assert not lowest.told and lowest.algorithm == "tpe" and lowest.rivals == ("random",)


def test_five_seeds_tell_nothing() -> None:
    for few, many in ((5, 6), (6, 5)):
        lowest, _ = asked(("tpe", 2, 1.0, 0.9, 1.1, few), ("random", 1, 2.0, 1.2, 3.0, many))
        assert lowest.rivals == ("random",)


def test_other_gpu_counts_of_the_best_are_no_rivals_but_are_named() -> None:
    rows = [("tpe", 1, 1.2, 1.0, 1.4, 6), ("tpe", 2, 1.0, 0.9, 1.1, 6), ("tpe", 4, 9.0, 8, 9, 6)]
    lowest, _ = asked(*rows)
    assert lowest.told and lowest.counts == (1,)


def test_the_paired_test_on_the_same_objective_and_count_can_leave_it_open() -> None:
    rows = [("tpe", 2, 1.0, 0.9, 1.1, 6), ("random", 2, 2.0, 1.2, 3.0, 6)]
    pair: Any = ("tpe", "random", UNKNOWN, 4.0)
    for objective, at, open_ in [("bowl", "2", True), ("bowl", "1", False), ("a, b", "2", False)]:
        lowest, soonest = asked(*rows, compared=((objective, at, *pair),))
        assert lowest.rivals == (("random (4 more seeds)",) if open_ else ())
        assert soonest.told, "the test is of final losses"


def test_one_that_mostly_never_gets_there_may_still_be_as_soon() -> None:
    infinite = float("inf")
    _, soonest = asked(("tpe", 2, 5.0, 4, 9, 6), ("random", 1, infinite, 7, infinite, 6))
    assert soonest.rivals == ("random",)
    _, soonest = asked(("tpe", 2, 5.0, 4, 9, 6), ("random", 1, infinite, infinite, infinite, 6))
    assert soonest.told


def test_where_none_gets_there_none_is_the_answer() -> None:
    infinite = float("inf")
    lowest, soonest = asked(("tpe", 2, infinite, 4, infinite, 6))
    assert not soonest.told and soonest.algorithm == ""
    lowest, _ = asked(("tpe", 2, float("nan"), float("nan"), float("nan"), 0))
    assert lowest.algorithm == ""
