"""An answer as JSON, and as the rows of a table."""

import math
from typing import Any

from bench.recommend.answer import Answer
from bench.recommend.choice import interval
from bench.recommend.points import Point
from bench.recommend.text import ENOUGH, Settle, notes, reason


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
            {"algorithm": o.algorithm, "gpus": o.gpus, "probability_best": answer.chance(o)}
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
            for each in answer.open
        ],
        "notes": notes(answer),
    }


def rows(answer: Answer) -> list[dict[str, Any]]:
    """The Pareto set, cheapest first; `misses_target` only where there is a target."""
    return [
        {
            **answer.evidence.setting,
            "target": answer.question.target,
            "recommended": point is answer.best,
            **_point(answer, point),
        }
        for point in answer.front
    ]


def _point(answer: Answer, point: Point) -> dict[str, Any]:
    low, high = interval(point)
    target = answer.question.target is not None
    return {
        "algorithm": point.option.algorithm,
        "gpus": point.option.gpus,
        "wall_seconds": point.seconds,
        "gpu_hours": point.gpu_hours,
        "full_trainings": point.trainings,
        "expected_loss": point.loss,
        **({"misses_target": point.score} if target else {}),
        "low": _plain(low),
        "high": _plain(high),
        "seeds": len(point.option.seeds),
        "probability_best": answer.chances[point],
    }


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
