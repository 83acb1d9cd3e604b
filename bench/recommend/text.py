"""An answer in words, and as JSON."""

import math
from collections.abc import Callable
from typing import Any

from bench.recommend.answer import Answer
from bench.recommend.choice import Rival, interval
from bench.recommend.points import Option, Point
from bench.slurm import duration
from bench.tables import aligned

Settle = Callable[[Point, Rival], str]
"""The commands that would tell two options apart."""

ENOUGH = 100
"""More seeds than are worth running: two options that need them are about as good as each other."""

SHOWN = 3
"""Rivals that are named; the JSON has them all."""


def lines(answer: Answer, settle: Settle) -> list[str]:
    """The answer for a terminal: what, why, how sure, what else, and what it rests on."""
    if answer.refusal:
        return [f"{_rests_on(answer)}: {answer.refusal}"]
    unclear = [each for each in answer.rivals if each.cannot_tell]
    found = [_rests_on(answer), f"  {_recommended(answer)}", f"  why: {reason(answer)}"]
    if unclear:
        found.append(f"  {_cannot_tell(answer, unclear)}")
    found += [f"  {said}" for said in _equal(answer)]
    found += ["", *(f"  {line}" for line in _table(answer)), ""]
    found += [f"  {note}" for note in notes(answer)]
    first = next((each for each in unclear if each.more_seeds <= ENOUGH), None)
    if first is not None:
        found += ["", f"  to tell {answer.best.option} from {first.point.option}:"]
        found += settle(answer.best, first).splitlines()
    return found


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
            parts.append(f"{what} is {_number(other.score)} ({_named(other.option, unit)})")
    against = f"; {', '.join(parts)}" if parts else "; nothing else was recorded"
    if answer.question.target is None:
        return f"the least expected loss within the limits, {_number(best.score)}{against}"
    missed = [p for p in others if p.order[0] == best.order[0]]
    if best.scores.any():
        share = ", ".join(parts) or "nothing else was recorded"
        return f"the fewest misses of the target, {_number(best.score)} of searches; {share}"
    cheapest = min((p.gpu_hours for p in missed), default=math.inf)
    next_ = f"; the next needs {_number(cheapest)}" if missed else "; every other option missed it"
    return f"all its searches reached the target, for the fewest {unit}-hours{next_}"


def _rests_on(answer: Answer) -> str:
    evidence, setting = answer.evidence, answer.evidence.setting
    clock = "VIRTUAL (simulated)" if evidence.virtual else "real (measured)"
    seeds = [len(option.seeds) for option in evidence.options]
    n = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    counts = ", ".join(str(g) for g in sorted({option.gpus for option in evidence.options}))
    return (
        f"{setting['objective']}, {clock}, device {setting['device']}, {counts} {evidence.unit}s, "
        f"budget {setting['budget']}, n = {n} seeds"
    )


def _recommended(answer: Answer) -> str:
    best, unit = answer.best, answer.evidence.unit
    low, high = interval(best)
    between = (
        "no interval from one seed" if math.isnan(low) else f"{_number(low)} to {_number(high)}"
    )
    what = "expected loss" if answer.question.target is None else "share that misses the target"
    return (
        f"recommended: {_named(best.option, unit)} for {_time(best.seconds)}: "
        f"{_number(best.gpu_hours)} {unit}-hours, about {_number(best.trainings)} full trainings; "
        f"{what} {_number(best.score)} ({between}); best with probability "
        f"{_chance(answer, best.option):.2f}"
    )


def _named(option: Option, unit: str) -> str:
    return f"{option} {unit}" + ("s" if option.gpus > 1 else "")


def _chance(answer: Answer, option: Option) -> float:
    return sum(chance for point, chance in answer.chances.items() if point.option is option)


def _cannot_tell(answer: Answer, unclear: list[Rival]) -> str:
    said = [f"{each.point.option} ({_needs(each)})" for each in unclear[:SHOWN]]
    more = len(unclear) - len(said)
    rest = f", and {more} more (--json)" if more else ""
    return f"cannot tell between {answer.best.option} and {', '.join(said)}{rest}"


def _equal(answer: Answer) -> list[str]:
    unit, equal = answer.evidence.unit, [each.point for each in answer.rivals if each.equal]
    said = [
        f"{point.option} ({_number(point.gpu_hours)} {unit}-hours, {_time(point.seconds)})"
        for point in sorted(equal, key=lambda point: point.order)[:SHOWN]
    ]
    return [f"as good on every seed, and dearer: {', '.join(said)}"] if said else []


def _needs(rival: Rival) -> str:
    within = f"{rival.what} {_signed(rival.low)} to {_signed(rival.high)}"
    if rival.more_seeds > ENOUGH:
        return f"{within}: no number of seeds worth running would tell"
    s = "s" if rival.more_seeds > 1 else ""
    return f"{within}: run {rival.more_seeds:.0f} more seed{s} of both"


def _table(answer: Answer) -> list[str]:
    """The Pareto set, cheapest first, and how likely the best is none of it."""
    unit, target = answer.evidence.unit, answer.question.target
    score = ["expected loss"] if target is None else ["misses target", "expected loss"]
    head = ["", "algorithm", f"{unit}s", "wall", f"{unit}-hours", "trainings", *score]
    rows = [(*head, "95 % interval", "n", "P(best)")]
    for point in answer.front:
        low, high = interval(point)
        losses = [_number(_loss(point))]
        rows.append(
            (
                "*" if point is answer.best else "",
                point.option.algorithm,
                str(point.option.gpus),
                _time(point.seconds),
                _number(point.gpu_hours),
                _number(point.trainings),
                *(losses if target is None else [_number(point.score), *losses]),
                "-" if math.isnan(low) else f"{_number(low)} to {_number(high)}",
                str(len(point.option.seeds)),
                f"{answer.chances[point]:.2f}",
            )
        )
    rest = 1 - sum(answer.chances[point] for point in answer.front)
    others = len(answer.points) - len(answer.front)
    return [
        *aligned(rows),
        f"the Pareto set of {len(answer.points)} points (*: recommended); the {others} others "
        f"together are best with probability {abs(rest):.2f}",
    ]


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
        said.append("few seeds: fewer than 6 pairs show no difference, however large")
    return said


def as_json(answer: Answer, settle: Settle) -> dict[str, Any]:
    """All of it; NaN and infinite are null."""
    evidence = answer.evidence
    head = {**{k: _plain(v) for k, v in evidence.setting.items()}, "virtual": evidence.virtual}
    if answer.refusal:
        return {**head, "refused": answer.refusal}
    front = [_point(answer, point) for point in answer.front]
    return {
        **head,
        "machines": evidence.machines,
        "recommended": _point(answer, answer.best),
        "reason": reason(answer),
        "pareto": front,
        "probability_of_other_points": 1 - sum(each["probability_best"] for each in front),
        "options": [
            {"algorithm": o.algorithm, "gpus": o.gpus, "probability_best": _chance(answer, o)}
            for o in dict.fromkeys(point.option for point in answer.points)
        ],
        "cannot_tell": [
            {
                "algorithm": each.point.option.algorithm,
                "gpus": each.point.option.gpus,
                "what": each.what,
                **{k: _plain(getattr(each, k)) for k in ("difference", "low", "high", "pairs")},
                "more_seeds": _plain(each.more_seeds),
                "command": settle(answer.best, each) if each.more_seeds <= ENOUGH else None,
            }
            for each in answer.rivals
            if each.cannot_tell
        ],
        "notes": notes(answer),
    }


def _point(answer: Answer, point: Point) -> dict[str, Any]:
    low, high = interval(point)
    target = answer.question.target is not None
    return {
        "algorithm": point.option.algorithm,
        "gpus": point.option.gpus,
        "wall_seconds": point.seconds,
        "gpu_hours": point.gpu_hours,
        "full_trainings": point.trainings,
        "expected_loss": _loss(point),
        **({"misses_target": point.score} if target else {}),
        "low": _plain(low),
        "high": _plain(high),
        "seeds": len(point.option.seeds),
        "probability_best": answer.chances[point],
    }


def _loss(point: Point) -> float:
    return point.score if point.scores is point.losses else float(point.losses.mean())


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 100 else duration.text(math.ceil(seconds))


def _number(value: float) -> str:
    return f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.2g}"
