"""What the report needs of one journal, without its events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.journal import Record, end_of, read
from bench.report.fields import text
from bench.report.journal import Journal, by_arrow, of_record
from bench.report.ledger import ledger
from bench.report.record import Columns, cell_row, report_columns
from bench.report.trained import trained


@dataclass
class Extract:
    """Of a journal that is not used, `problems` alone."""

    problems: list[dict[str, str]] = field(default_factory=list)
    row: dict[str, Any] | None = None
    """Its row of `cells`."""
    columns: Columns = field(default_factory=dict)
    """Of `reports`: an array of each column."""
    configurations: list[dict[str, Any]] = field(default_factory=list)


def extract(path: Path) -> Extract:
    """Read the journal and check it; never raises for what the file holds."""
    try:
        journal = by_arrow(path)
        if journal is None:
            record = read(path)
            if (why := _unusable(record)) is not None:
                return Extract([problem(path, *why)])
            journal = of_record(record)
        found = _used(journal)
        why = _misnamed(path, found.row)
        if why is None:
            return found
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        why = "unreadable", f"{error}{' is missing' if isinstance(error, KeyError) else ''}"
    return Extract([problem(path, *why)])


def problem(path: Path, what: str, why: str) -> dict[str, str]:
    """A row of `problems`."""
    return {"file": text(path.name), "what": what, "why": text(why)}


def _unusable(record: Record) -> tuple[str, str] | None:
    if record.problem:
        ended = ": delete it to run the cell again" if end_of(record.path) else ""
        return "unreadable", record.problem + ended
    if not record.finished:
        why = f"no end after {len(record.events)} events: `bench run` goes on with the cell"
        torn = "the last line was cut off by a crash; "
        return ("torn", torn + why) if record.torn else ("unfinished", why)
    return None


def _used(journal: Journal) -> Extract:
    columns = report_columns(journal)
    row = cell_row(journal, columns)
    parts, busy = ledger(journal.events, row, np.append(columns["seconds"], row["wall"]))
    row |= {**parts, "trained_gpu_seconds": float(busy[-1])}
    return Extract(
        [*_incomplete(journal.path, row)],
        row,
        {**columns, "trained": busy[:-1]},
        trained(journal),
    )


def _incomplete(path: Path, row: dict[str, Any]) -> Iterator[dict[str, str]]:
    if not row["complete"]:
        yield problem(path, row["status"], f"{row['reason']}: used up to its end, censored there")


def _misnamed(path: Path, row: dict[str, Any] | None) -> tuple[str, str] | None:
    if row is None or row["key"] == text(path.stem):
        return None
    return "misnamed", f"holds the cell {row['key']}: not used"
