"""Parts of the report page as HTML; all text is escaped."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

COLOURS = 64
"""Of an embedded figure, which is then a third as large."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


FLOW = "stack flow"
"""The style of a table of many short cells."""


def stacked(head: Sequence[str], rows: Sequence[Sequence[str]], style: str = "stack") -> str:
    """A table of cells that are HTML; on a narrow screen each row is a list, or flows as text."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = [
        "".join(
            f'<td data-head="{escape(name)}">{cell}</td>'
            for name, cell in zip(head, row, strict=True)
        )
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="scroll"><table class="{style}"><thead><tr>{top}</tr></thead>'
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
