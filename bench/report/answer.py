"""The answer of a report: which algorithm on how many GPUs is best, or that one cannot tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.metrics._table import SETTING, groups
from bench.metrics.comparisons import UNKNOWN, settles

SEEDS = 6
"""Of fewer, the bootstrap interval of a median is no 95 % interval (see bench.metrics.summary)."""


class Question(NamedTuple):
    """What is asked of which metric's small table."""

    asked: str
    metric: str
    value: str
    """The column; less is better."""
    n: str
    """The column that says over how many searches."""


QUESTIONS = (
    Question("lowest loss when the budget is spent", "summary", "final_loss", "complete"),
    Question("soonest at the target", "target", "seconds", "n"),
)


@dataclass(frozen=True)
class Answer:
    """To one question, of one objective in one setting."""

    setting: dict[str, Any]
    asked: str
    metric: str
    algorithm: str
    """Ahead; empty where none has a value."""
    gpus: int
    value: float
    low: float
    high: float
    n: int
    rivals: tuple[str, ...]
    """Other algorithms that it cannot be told apart from, the nearest first."""
    counts: tuple[int, ...]
    """Its other GPU counts that it cannot be told apart from."""

    @property
    def told(self) -> bool:
        """It is shown to be ahead of every other algorithm."""
        return bool(self.algorithm) and not self.rivals


def answers(frames: dict[str, pd.DataFrame]) -> Iterator[Answer]:
    """To each question, for each setting, from the small tables.

    The (algorithm, GPUs) with the lowest median is ahead. It cannot be told from one whose 95 %
    interval overlaps its own, or where either has fewer than `SEEDS` searches, nor from an
    algorithm that the paired test on that objective and GPU count leaves open.
    """
    for setting, _ in groups(frames["summary"], SETTING):
        for question in QUESTIONS:
            yield _answer(frames, setting, question)


def _answer(frames: dict[str, pd.DataFrame], setting: dict[str, Any], asked: Question) -> Answer:
    rows = _of(frames[asked.metric], setting)
    rows = rows[rows[asked.value].notna()].sort_values(
        [asked.value, "gpus", "algorithm"], kind="stable"
    )
    if not np.isfinite(rows[asked.value]).any():
        nan = float("nan")
        return Answer(setting, asked.asked, asked.metric, "", 0, nan, nan, nan, 0, (), ())
    best = rows.iloc[0]
    own = rows["algorithm"] == best["algorithm"]
    open_ = _left_open(frames["comparisons"], setting, best) if asked.metric == "summary" else {}
    apart = (rows["low"] > best["high"]) & (rows[asked.n] >= SEEDS) & bool(best[asked.n] >= SEEDS)
    close = rows[~own & (~apart | rows["algorithm"].astype(str).isin(open_))]
    names = dict.fromkeys(close["algorithm"].astype(str))
    return Answer(
        setting, asked.asked, asked.metric, str(best["algorithm"]), int(best["gpus"]),
        float(best[asked.value]), float(best["low"]), float(best["high"]), int(best[asked.n]),
        tuple(f"{name} ({open_[name]})" if name in open_ else name for name in names),
        tuple(sorted(int(g) for g in rows["gpus"][own & ~apart] if g != best["gpus"])),
    )  # fmt: skip


def _of(frame: pd.DataFrame, setting: dict[str, Any]) -> pd.DataFrame:
    for column, value in setting.items():
        if column in frame:
            frame = frame[frame[column] == value]
    return frame


def _left_open(
    comparisons: pd.DataFrame, setting: dict[str, Any], best: "pd.Series[Any]"
) -> dict[str, str]:
    """Algorithms that the paired test on this objective cannot tell from the best, and what would.

    A comparison that spans objectives has them all in its `objective` and says nothing of one.
    """
    rows, name = _of(comparisons, setting), str(best["algorithm"])
    rows = rows[(rows["at"] == str(best["gpus"])) & (rows["verdict"] == UNKNOWN)]
    columns = [rows["algorithm"].astype(str), rows["other"].astype(str), rows["more_seeds"]]
    return {
        (other if first == name else first): settles(more)
        for first, other, more in zip(*columns, strict=True)
        if name in (first, other)
    }
