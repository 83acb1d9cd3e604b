"""The frozen plan: a file of cells, one line each; index i of a job array runs line i.

A line is what `bench plan SUITE --json` prints: all fields of the cell, its key and its suite. So
neither an edited suite nor a newer default changes what a job that waits in the queue will run.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.cell import Cell
from bench.errors import UserError


def lines(cells: Iterable[Cell], suite: str) -> Iterable[str]:
    """The lines of a frozen plan, in the cells' order."""
    for index, cell in enumerate(cells):
        yield json.dumps({"suite": suite, "index": index, "key": cell.key, **cell.as_json()})


def read_line(path: Path, index: int) -> tuple[str, Cell]:
    """The suite and the cell of one line, counted from 0; UserError if it is not to be trusted."""
    texts = _texts(path)
    if index >= len(texts):
        raise UserError(f"--index {index}: {path} has the indices 0 to {len(texts) - 1}")
    return _parse(path, index, texts[index])


def _texts(path: Path) -> list[str]:
    try:
        texts = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise UserError(f"cannot read the plan {path}: {why}") from None
    if not texts:
        raise UserError(f"the plan {path} is empty; make one: bench plan SUITE --json > {path}")
    return texts


def _parse(path: Path, index: int, text: str) -> tuple[str, Cell]:
    again = "make it anew: bench plan SUITE --json, or bench submit"
    try:
        line: dict[str, Any] = json.loads(text)
        suite, key, _ = (line.pop(name) for name in ("suite", "key", "index"))
        cell = Cell.from_json(line)
        found = cell.key
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}, index {index}: not a line of a plan; {again}") from None
    if found != key or not _is_name(suite):
        raise UserError(
            f"{path}, index {index}: was edited, or is of another version: its cell is "
            f"{found}, not {key}; {again}"
        )
    return suite, cell


def _is_name(suite: object) -> bool:
    """Whether it names one folder below the results."""
    return isinstance(suite, str) and suite not in ("", "..") and Path(suite).name == suite
