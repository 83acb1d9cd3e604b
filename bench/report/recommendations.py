"""The answers as HTML; all text is escaped."""

from collections.abc import Sequence
from html import escape

import numpy as np

from bench.recommend import text
from bench.recommend.answer import Answer
from bench.report.answer import HEAD, Given
from bench.report.elements import FLOW, fold, listed, stacked

ROWS = 8
"""Points of a Pareto set that are shown at once."""
VIRTUAL = '<span class="virtual">virtual</span>'


def recommendations(found: Sequence[Given]) -> str:
    """What to run, for each objective, device and clock; below it why, and what else there is."""
    rows = [_row(each) for each in found]
    details = [_details(each) for each in found if not each.answer.refusal]
    return "\n".join(
        [
            stacked(HEAD, rows),
            "<p class='dim'>Of all algorithms, counts and budgets that were recorded, on average "
            "over seeds. P(best) is the share of the seeds' bootstrap resamples in which it is the "
            "best; of fewer than 6 seeds it is too sure. It is told apart from another where the "
            "95 % interval of their difference excludes 0 over 6 seeds or more; else one cannot "
            "tell. For what you can spend, or a target of your own, add --gpu-hours, --deadline or "
            "--target to "
            f"<code>{escape(found[0].again)}</code>.</p>",
            *details,
        ]
    )


def _row(given: Given) -> list[str]:
    found = given.answer
    named, *rest = map(escape, given.row(""))
    rest[1] = _said(given)
    if found.evidence.virtual:
        rest[-1] += f" {VIRTUAL}"
    return [f"<b>{named}</b>", *rest]


def _said(given: Given) -> str:
    found = given.answer
    if found.refusal:
        return f'<span class="unsure">no answer</span>: {escape(found.refusal)}'
    option, spent = map(escape, text.choice(found))
    if not found.open:
        told = f'<span class="told">{option}</span>' if found.rivals else option
        return f"{told} {spent}"
    return (
        f'<span class="unsure">cannot tell</span>; ahead: <b>{option}</b> {spent}'
        f"<br><small>not to be told from {escape(given.rivals)}</small>"
    )


def _details(given: Given) -> str:
    found = given.answer
    clock = VIRTUAL if found.evidence.virtual else "real"
    parts = [listed([f"recommended: {text.recommended(found)}", *given.why])]
    rival = text.settled_first(found)
    if given.settle and rival is not None:
        which = f"To tell {found.best.option} from {rival.point.option}"
        parts.append(fold(which, f"<pre>{escape(given.settle)}</pre>"))
    parts += [_front(found, clock), listed(text.notes(found))]
    return fold(f"{given.title}: why, and the Pareto set", "".join(parts))


def _front(found: Answer, clock: str) -> str:
    """The Pareto set; where it is long, evenly spread ones of it, and all on a click."""
    head, points = text.front(found)
    every = [
        [f"{'* ' if point is found.best else ''}{escape(row[0])}", *map(escape, row[1:]), clock]
        for point, row in points
    ]
    whole = stacked([*head, "clock"], every, FLOW)
    caption = f"<p class='dim'>{escape(text.others(found))}</p>"
    if len(every) <= ROWS:
        return whole + caption
    spread = np.linspace(0, len(every) - 1, ROWS).round().astype(int).tolist()
    shown = sorted({*spread, found.front.index(found.best)})
    few = stacked([*head, "clock"], [every[index] for index in shown], FLOW)
    return few + caption + fold(f"All {len(every)} points of the Pareto set", whole)
