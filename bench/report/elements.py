"""Parts of the report page as HTML; all text is escaped."""

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from bench.report.answer import SEEDS, Answer, answers

COLOURS = 64
"""Of an embedded figure, which is then a third as large."""
NAMED = 4
"""Rivals that are named; of the others, how many."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def listed(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in sentences)}</ul>"


def fold(title: str, content: str) -> str:
    """What is shown on a click."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def image(path: Path) -> str:
    """A figure within the page, in fewer colours; the file beside the page has them all."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        few.save(small, "PNG")
    data, name = base64.b64encode(small.getvalue()).decode(), escape(path.name)
    return (
        f'<figure><div class="scroll"><img alt="{name}" decoding="async" '
        f'src="data:image/png;base64,{data}"></div>'
        f'<figcaption><a href="{name}">{name}</a></figcaption></figure>'
    )


def answer_table(frames: dict[str, pd.DataFrame]) -> str:
    """Which algorithm on how many GPUs is best, for each objective and question."""
    found = list(answers(frames))
    head = ["objective", "question", "answer", "median and 95 % interval", "n", "on"]
    top = "".join(f"<th>{name}</th>" for name in head)
    rows = "".join(f"<tr>{_row(answer)}</tr>" for answer in found)
    errors = sorted({str(answer.setting["error"]) for answer in found} - {""})
    return (
        f'<div class="scroll"><table class="stack"><thead><tr>{top}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        "<p class='dim'>Ahead is the lowest median. It is the answer only where no other "
        f"algorithm's interval overlaps its own, each is of {SEEDS} searches or more, and the "
        "paired test on that objective, where there is one, agrees; else one cannot tell.</p>"
        + "".join(f"<p class='dim'>Virtual: {escape(error)}.</p>" for error in errors)
    )


def _row(answer: Answer) -> str:
    setting = answer.setting
    unit = "core" if setting["device"] == "cpu" else "GPU"
    many = f"{answer.gpus} {unit}{'s' if answer.gpus != 1 else ''}"
    virtual = ' <span class="virtual">virtual</span>' if setting["clock"] == "virtual" else ""
    if not answer.algorithm:
        said = '<span class="unsure">none got there</span>'
    elif answer.told:
        said = f'<span class="told">{escape(answer.algorithm)} on {many}</span>'
    else:
        named = [escape(name) for name in answer.rivals[:NAMED]]
        if more := len(answer.rivals) - NAMED:
            named += [f"{more} other{'s' if more > 1 else ''}"] if more > 0 else []
        said = (
            f'<span class="unsure">cannot tell</span>; ahead: {escape(answer.algorithm)} on {many}'
            f"<br><small>not to be told from {', '.join(named)}</small>"
        )
    if answer.counts:
        said += f"<br><small>nor from itself on {', '.join(map(str, answer.counts))}</small>"
    where = f"{setting['device']}, {setting['clock']} clock, budget {setting['budget']}"
    cells = [
        ("objective", f"<b>{escape(str(setting['objective']))}</b>"),
        ("", escape(answer.asked)),
        ("", said),
        ("", _interval(answer)),
        ("n", str(answer.n)),
        ("on", f"{escape(where)}{virtual}"),
    ]
    return "".join(
        f'<td data-head="{head}">{cell}</td>' if head else f"<td>{cell}</td>"
        for head, cell in cells
    )


def _interval(answer: Answer) -> str:
    if math.isnan(answer.value):
        return "-"
    what = "loss" if answer.metric == "summary" else "s"
    middle = f"loss {answer.value:.4g}" if what == "loss" else f"{answer.value:.4g} s"
    if answer.n < 2 or math.isnan(answer.low):
        return f"{middle}, no interval"
    high = "∞" if math.isinf(answer.high) else f"{answer.high:.4g}"
    return f"{middle} ({answer.low:.4g} to {high})"
