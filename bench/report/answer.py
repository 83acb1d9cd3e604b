"""The report's answers: what `bench recommend` says of these searches when given no limits."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.cell import Cell
from bench.errors import UserError
from bench.metrics._table import FIGURE, SETTING, Table
from bench.recommend import data, text
from bench.recommend.answer import Answer, answer, evidence
from bench.recommend.points import Question
from bench.recommend.settle import Settle
from bench.report.fields import text as text_of
from bench.report.table import labels_of

COLUMNS = [
    *[*SETTING, "target", "recommended", "algorithm", "gpus", "wall_seconds", "gpu_hours"],
    *["full_trainings", "expected_loss", "misses_target", "low", "high", "seeds"],
    "probability_best",
]
HEAD = ["objective", "question", "answer", "expected loss", "P(best)", "n", "on"]
NAMED = 3
"""Rivals that are named; of the others, how many."""


@dataclass(frozen=True)
class Given:
    """An answer, with the commands that ask for it and that would settle it."""

    answer: Answer
    again: str
    settle: str
    """Shell lines; empty where nothing is open, or no number of seeds worth running would tell."""

    @property
    def asked(self) -> str:
        target = self.answer.question.target
        return "least expected loss" if target is None else f"cheapest to a loss of {target:.4g}"

    @property
    def on(self) -> str:
        of = self.answer.evidence.setting
        share = of["gpus_per_trial"]
        trial = "" if share == 1 else f", {share:g} {self.answer.evidence.unit}s a trial"
        return f"{of['device']}, {of['engine']}, {of['clock']} clock, budget {of['budget']}{trial}"

    @property
    def title(self) -> str:
        """What is asked of which searches."""
        return f"{self.answer.evidence.setting['objective']}, {self.asked}; {self.on}"

    @property
    def rivals(self) -> str:
        """What the best cannot be told apart from; empty where it can from all others."""
        names = [str(rival.point.option) for rival in self.answer.open]
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        return ", ".join(names[:NAMED] + more)

    @property
    def said(self) -> str:
        """The answer in short."""
        if self.answer.refusal:
            return f"no answer: {self.answer.refusal}"
        best = " ".join(text.choice(self.answer))
        if not self.answer.open:
            return best
        return f"cannot tell; ahead: {best}; not to be told from {self.rivals}"

    @property
    def why(self) -> list[str]:
        """In sentences; empty where there is no answer."""
        found = self.answer
        return [] if found.refusal else [f"why: {text.reason(found)}", *text.unclear(found)]

    def row(self, said: str) -> list[str]:
        """What stands below `HEAD`; `said` is the answer."""
        found = self.answer
        start = [str(found.evidence.setting["objective"]), self.asked, said]
        if found.refusal:
            return [*start, "-", "-", "0", self.on]
        best = found.best
        low_to_high = text.between(best) or "no interval"
        missed = found.question.target is not None
        measured = f"{text.number(best.loss)}{'' if missed else f' ({low_to_high})'}"
        if missed:
            measured += f"; misses {text.number(best.score)} ({low_to_high})"
        chance = f"{found.chance(best.option):.2f}"
        return [*start, measured, chance, str(len(best.option.seeds)), self.on]


def given(
    table: Table, targets: pd.DataFrame, cells: Iterable[Cell], folder: Path, suite: str
) -> list[Given]:
    """Of each evidence two: the least expected loss, and the way to the target if there is one.

    `targets` is the small table of the metric `target`, `cells` are those of the suite, `folder`
    has their journals, and `suite` is what the user calls it.
    """
    by_key = {text_of(cell.key): cell for cell in cells}
    labels = labels_of(pd.Series([cell.objective.identity for cell in by_key.values()]))
    objectives = dict(zip(by_key, labels, strict=True))
    where = [] if folder.parent == Path("results") else ["--results", str(folder.parent)]
    wanted = targets.groupby(FIGURE, observed=True)["target"].first()
    found = []
    for each in evidence(table):
        target = wanted.get(tuple(each.setting[name] for name in FIGURE))
        asked = ["--objective", objectives[each.options[0].keys[0]]]
        found.append(_given(answer(each, Question()), Settle(by_key, [suite], asked, where)))
        if target is not None and not pd.isna(target):
            asked = [*asked, "--target", str(float(target))]
            to_target = answer(each, Question(target=float(target)))
            found.append(_given(to_target, Settle(by_key, [suite], asked, where)))
    return found


def _given(found: Answer, settle: Settle) -> Given:
    again = shlex.join(["bench", "recommend", *settle.suites, *settle.asked, *settle.results])
    rival = None if found.refusal else text.settled_first(found)
    try:
        return Given(found, again, "" if rival is None else settle(found.best, rival))
    except UserError:  # a plug-in that is gone
        return Given(found, again, "")


def as_frame(found: Iterable[Given]) -> pd.DataFrame:
    """The Pareto set of each answer, cheapest first.

    `low` and `high` are of the expected loss or, with a target, of `misses_target`.
    """
    rows = [row for each in found if not each.answer.refusal for row in data.rows(each.answer)]
    return pd.DataFrame(rows, columns=COLUMNS)
