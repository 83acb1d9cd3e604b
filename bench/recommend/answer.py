"""The answer to a question, from each kind of evidence apart."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bench.metrics import _paired as paired
from bench.metrics._table import SETTING, Table, groups
from bench.recommend import choice
from bench.recommend.choice import Rival
from bench.recommend.points import Option, Point, Question, options, points


@dataclass(frozen=True)
class Evidence:
    """The searches that an answer rests on: on one clock, one device, of one budget."""

    setting: dict[str, Any]
    """What they agree in: see `bench.metrics._table.SETTING`."""
    machines: list[str]
    surrogates: list[str]
    options: list[Option]

    @property
    def virtual(self) -> bool:
        return bool(self.setting["clock"] == "virtual")

    @property
    def unit(self) -> str:
        return "core" if self.setting["device"] == "cpu" else "GPU"


@dataclass(frozen=True)
class Answer:
    """Points are ordered by cost; their chances to be the best add up to 1."""

    evidence: Evidence
    question: Question
    refusal: str = ""
    """Why there is none: what was asked for is beyond what was recorded."""
    points: list[Point] = field(default_factory=list)
    chances: dict[Point, float] = field(default_factory=dict)
    front: list[Point] = field(default_factory=list)
    """The Pareto set: nothing is as good in wall time, GPU-hours and expected loss at once."""
    rivals: list[Rival] = field(default_factory=list)

    @cached_property
    def best(self) -> Point:
        return min(self.points, key=lambda point: point.order)

    @property
    def open(self) -> list[Rival]:
        """Options that it cannot be told apart from, the likeliest first."""
        return [rival for rival in self.rivals if rival.cannot_tell]

    def chance(self, option: Option) -> float:
        """That one of the option's points is the best."""
        return sum(chance for point, chance in self.chances.items() if point.option is option)

    @property
    def short(self) -> list[Option]:
        """Options whose record ends before the limits: with what is left they may be better."""
        return [each for each in dict.fromkeys(p.option for p in self.points)
                if ends_early(each, self.question)]  # fmt: skip

    @property
    def few(self) -> bool:
        """Whether some option has fewer seeds than can show anything."""
        return min(len(p.option.seeds) for p in self.points) < paired.least_pairs(paired.ALPHA)


def answers(table: Table, question: Question) -> list[Answer]:
    """One for each evidence that the table holds."""
    return [answer(each, question) for each in evidence(table)]


def evidence(table: Table) -> list[Evidence]:
    """One for each setting: those on the wall clock first, then by objective, device and budget."""
    found = [
        Evidence(
            setting=setting,
            machines=sorted(set(cells["machine"].astype(str))),
            surrogates=sorted(set(cells["surrogate"].astype(str)) - {""}),
            options=options(cells, table.curves),
        )
        for setting, cells in groups(table.cells, SETTING)
    ]
    return sorted(found, key=lambda each: each.virtual)


def ends_early(option: Option, question: Question) -> bool:
    """Whether the question leaves more than is recorded, and more could have helped."""
    if option.end >= min(option.allowed(question), np.inf):
        return False
    limited = np.isfinite(option.allowed(question))
    if question.target is not None:
        return bool((option.first_below(question.target) > option.end).any()) and limited
    return bool(limited)


def answer(evidence: Evidence, question: Question) -> Answer:
    """What the evidence says, or why it says nothing."""
    recorded = {option.gpus for option in evidence.options}
    if beyond := sorted((question.gpus or set()) - recorded):
        legal = ",".join(map(str, sorted(recorded)))
        refusal = f"{_list(beyond)} {evidence.unit}s: not recorded; recorded are --gpus {legal}"
        return Answer(evidence, question, refusal)
    used = [each for each in evidence.options if each.gpus in (question.gpus or recorded)]
    if all(ends_early(option, question) for option in used):
        return Answer(evidence, question, _beyond(used))
    found = choice.ordered([point for option in used for point in points(option, question)])
    if not found:
        first = min(option.first_result for option in used)
        when = f" by then; the first: {first:.3g} s" if np.isfinite(first) else ""
        return Answer(evidence, question, f"no search had a result{when}")
    found = choice.ordered(choice.referenced(found))
    chances = choice.chances(found)
    best = min(found, key=lambda point: point.order)
    return Answer(
        evidence,
        question,
        points=found,
        chances=dict(zip(found, map(float, chances), strict=True)),
        front=choice.front(found),
        rivals=choice.rivals(found, chances, best),
    )


def _beyond(used: list[Option]) -> str:
    """What is covered; rounded down, so that asking for it is no refusal again."""
    most = max(used, key=lambda option: option.end * option.gpus)
    longest = max(used, key=lambda option: option.end)
    hours = _down(most.end * most.gpus / 3600)
    return (
        f"beyond what was recorded: up to --gpu-hours {hours:.6g} ({most}) and "
        f"--deadline {int(longest.end)}s ({longest}); ask for less, or run the suite "
        "with a greater budget"
    )


def _down(value: float) -> float:
    """Three digits, and not more than the value."""
    if value <= 0:
        return 0.0
    scale = 10.0 ** (np.floor(np.log10(value)) - 2)
    return float(np.floor(value / scale) * scale)


def _list(counts: list[int]) -> str:
    return ", ".join(map(str, counts))
