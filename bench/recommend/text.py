"""An answer in words."""

import math
from collections.abc import Callable

from bench import duration
from bench.columns import aligned
from bench.recommend.answer import Answer
from bench.recommend.choice import Rival, interval
from bench.recommend.points import Option, Point

Settle = Callable[[Point, Rival], str]
"""The commands that would tell two options apart."""

ENOUGH = 100
"""More seeds than are worth running: two options that need them are about as good as each other."""

SHOWN = 3
"""Rivals that are named; the JSON has them all."""


def lines(answer: Answer, settle: Settle) -> list[str]:
    """The answer for a terminal: what, why, how sure, what else, and what it rests on."""
    if answer.refusal:
        return [f"{rests_on(answer)}: {answer.refusal}"]
    found = [rests_on(answer), f"  recommended: {recommended(answer)}", f"  why: {reason(answer)}"]
    found += [f"  {said}" for said in unclear(answer, " (--json)")]
    head, rows = front(answer)
    marked = [("", *head), *(("*" if p is answer.best else "", *row) for p, row in rows)]
    found += ["", *(f"  {line}" for line in aligned(marked)), f"  {others(answer)}", ""]
    found += [f"  {note}" for note in notes(answer)]
    if (rival := settled_first(answer)) is not None:
        found += ["", f"  to tell {answer.best.option} from {rival.point.option}:"]
        found += settle(answer.best, rival).splitlines()
    return found


def settled_first(answer: Answer) -> Rival | None:
    """The likeliest option that seeds worth running would tell from the best."""
    return next((each for each in answer.open if each.more_seeds <= ENOUGH), None)


def reason(answer: Answer) -> str:
    """Why the best is, in a sentence: the best of other algorithms, and of other GPU counts."""
    best, unit = answer.best, answer.evidence.unit
    others = [rival.point for rival in answer.rivals]
    algorithm = [p for p in others if p.option.algorithm != best.option.algorithm]
    counts = [p for p in others if p.option.algorithm == best.option.algorithm]
    parts = []
    for found, what in [(algorithm, "the best of the other algorithms"),
                        (counts, f"{best.option.algorithm}'s best on another count")]:  # fmt: skip
        if found:
            other = min(found, key=lambda point: point.order)
            parts.append(f"{what} is {number(other.score)} ({_named(other.option, unit)})")
    against = f"; {', '.join(parts)}" if parts else "; nothing else was recorded"
    if answer.question.target is None:
        return f"the least expected loss within the limits, {number(best.score)}{against}"
    missed = [p for p in others if p.order[0] == best.order[0]]
    if best.scores.any():
        share = ", ".join(parts) or "nothing else was recorded"
        return f"the fewest misses of the target, {number(best.score)} of searches; {share}"
    cheapest = min((p.gpu_hours for p in missed), default=math.inf)
    next_ = f"; the next needs {number(cheapest)}" if missed else "; every other option missed it"
    return f"all its searches reached the target, for the fewest {unit}-hours{next_}"


def rests_on(answer: Answer) -> str:
    """Which searches, on which clock."""
    evidence, setting = answer.evidence, answer.evidence.setting
    clock = "VIRTUAL (simulated)" if evidence.virtual else "real (measured)"
    seeds = [len(option.seeds) for option in evidence.options]
    n = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    counts = ", ".join(str(g) for g in sorted({option.gpus for option in evidence.options}))
    return (
        f"{setting['objective']}, {clock}, device {setting['device']}, {counts} {evidence.unit}s, "
        f"budget {setting['budget']}, n = {n} seeds"
    )


def recommended(answer: Answer) -> str:
    """The best, what it costs and gives, and how likely it is the best."""
    best, what = answer.best, "expected loss"
    if answer.question.target is not None:
        what = "share that misses the target"
    return (
        f"{' '.join(choice(answer))}, about {number(best.trainings)} full trainings; "
        f"{what} {number(best.score)} ({between(best) or 'no interval from one seed'}); "
        f"best with probability {answer.chance(best.option):.2f}"
    )


def choice(answer: Answer) -> tuple[str, str]:
    """The best option, and what is spent."""
    best, unit = answer.best, answer.evidence.unit
    spent = f"for {time(best.seconds)}: {number(best.gpu_hours)} {unit}-hours"
    return _named(best.option, unit), spent


def between(point: Point) -> str:
    """The interval of its score; empty without two seeds."""
    low, high = interval(point)
    return "" if math.isnan(low) else f"{number(low)} to {number(high)}"


def unclear(answer: Answer, where: str = "") -> list[str]:
    """What it cannot be told from, and what is as good; `where` says where all of it stands."""
    said = [_cannot_tell(answer, where)] if answer.open else []
    return said + _equal(answer)


def _named(option: Option, unit: str) -> str:
    return f"{option} {unit}" + ("s" if option.gpus > 1 else "")


def _cannot_tell(answer: Answer, where: str) -> str:
    rivals = answer.open
    said = [f"{each.point.option} ({_needs(each)})" for each in rivals[:SHOWN]]
    more = len(rivals) - len(said)
    rest = f", and {more} more{where}" if more else ""
    return f"cannot tell between {answer.best.option} and {', '.join(said)}{rest}"


def _equal(answer: Answer) -> list[str]:
    unit, equal = answer.evidence.unit, [each.point for each in answer.rivals if each.equal]
    said = [
        f"{point.option} ({number(point.gpu_hours)} {unit}-hours, {time(point.seconds)})"
        for point in sorted(equal, key=lambda point: point.order)[:SHOWN]
    ]
    return [f"as good on every seed, and dearer: {', '.join(said)}"] if said else []


def _needs(rival: Rival) -> str:
    within = f"{rival.what} {_signed(rival.low)} to {_signed(rival.high)}"
    if rival.more_seeds > ENOUGH:
        return f"{within}: no number of seeds worth running would tell"
    s = "s" if rival.more_seeds > 1 else ""
    return f"{within}: run {rival.more_seeds:.0f} more seed{s} of both"


def front(answer: Answer) -> tuple[list[str], list[tuple[Point, list[str]]]]:
    """The Pareto set as a table, cheapest first: its head, and each point's row."""
    unit, target = answer.evidence.unit, answer.question.target
    score = ["expected loss"] if target is None else ["misses target", "expected loss"]
    head = ["algorithm", f"{unit}s", "wall", f"{unit}-hours", "trainings", *score]
    return [*head, "95 % interval", "n", "P(best)"], [
        (point, _row(answer, point)) for point in answer.front
    ]


def _row(answer: Answer, point: Point) -> list[str]:
    losses = [number(point.loss)]
    return [
        point.option.algorithm,
        str(point.option.gpus),
        time(point.seconds),
        number(point.gpu_hours),
        number(point.trainings),
        *(losses if answer.question.target is None else [number(point.score), *losses]),
        between(point) or "-",
        str(len(point.option.seeds)),
        f"{answer.chances[point]:.2f}",
    ]


def others(answer: Answer) -> str:
    """How likely the best is none of the Pareto set."""
    rest = 1 - sum(answer.chances[point] for point in answer.front)
    return (
        f"the Pareto set of {len(answer.points)} points (*: recommended); the "
        f"{len(answer.points) - len(answer.front)} others together are best with probability "
        f"{abs(rest):.2f}"
    )


def notes(answer: Answer) -> list[str]:
    """What a reader must know of the evidence."""
    evidence = answer.evidence
    if evidence.virtual:
        said = [f"evidence: virtual: {evidence.setting['error']}"]
        said += [f"its trainings are {each}" for each in evidence.surrogates]
        said.append("intervals and P(best) are of the seeds alone; that error is not in them")
    else:
        said = [f"evidence: real searches, measured on {', '.join(evidence.machines)}"]
    if len(evidence.machines) > 1 and not evidence.virtual:
        said.append(f"{len(evidence.machines)} kinds of machine: seconds differ")
    if short := answer.short:
        names = ", ".join(map(str, short[:SHOWN])) + (", …" if len(short) > SHOWN else "")
        said.append(
            f"the records of {len(short)} options end before the limits ({names}): they are used "
            "up to there; nobody knows what the rest would give them"
        )
    paired = {p.reference.option: None for p in answer.points if p.reference is not None}
    if paired:
        by = ", ".join(map(str, paired))
        said.append(f"options with fewer seeds are compared on those that they share with {by}")
    elif len({point.option.seeds for point in answer.points}) > 1:
        said.append("options have different seeds: their means are not all of pairs")
    if answer.few:
        said.append(
            "few seeds: fewer than 6 pairs show no difference, however large; intervals of so few "
            "are too narrow, and P(best) is too sure"
        )
    return said


def time(seconds: float) -> str:
    """Seconds, or from a hundred on as SLURM writes them."""
    return f"{seconds:.3g} s" if seconds < 100 else duration.text(math.ceil(seconds))


def number(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.2g}"
