"""Writes results/<suite>/report/: the tables as CSV, the figures as PNG, the pages."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pandas as pd

from bench import plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.metrics import Metric
from bench.metrics._table import Table, groups
from bench.report.answer import as_frame, given
from bench.report.audit import audit
from bench.report.contents import Report
from bench.report.drawing import Draw, drawing
from bench.report.fields import text
from bench.report.html import index
from bench.report.page import page
from bench.report.spreadsheet import to_csv
from bench.report.table import load
from bench.report.trained import spaces


def write(
    folder: Path, plan: list[Cell], skipped: list[tuple[Cell, str]], suite: str | None = None
) -> Report:
    """Report on the planned cells' journals in `folder`; replaces folder/report as a whole.

    `skipped` are cells that cannot run here, and why; where one has a journal, it is used. `suite`
    is what the user calls the suite in commands, if not as the folder is named. Raises
    UserError where no cell has ended yet, or where the folder cannot be written.
    """
    planned = list(
        dict.fromkeys([*(cell.key for cell in plan), *(cell.key for cell, _ in skipped)])
    )
    table = load(folder, planned)
    if table.cells.empty:
        raise UserError(
            f"no cell in {folder} has ended yet; `bench run SUITE` runs them, "
            "`bench status SUITE` says how each stands"
        )
    table = replace(table, spaces=spaces(table.cells, plan))
    report = _report(folder / "report", table, planned, skipped)
    try:
        with _replaced(report.folder) as new:
            with drawing(table) as draw:
                for name in plugins.names("metrics"):
                    _write_metric(report, name, new, draw)
            every, asked = [*plan, *(cell for cell, _ in skipped)], suite or folder.name
            report.answers = given(table, report.frames["target"], every, folder, asked)
            report.audit = audit(table)
            to_csv(as_frame(report.answers), new / "recommend.csv")
            to_csv(report.audit, new / "audit.csv")
            for name, frame in [("cells", table.cells), ("problems", report.table.problems)]:
                to_csv(frame, new / f"{name}.csv")
            to_csv(report.skipped, new / "skipped.csv")
            (new / "report.md").write_text(page(report), encoding="utf-8")
            (new / "index.html").write_text(index(report, new), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {report.folder}: {error.strerror}; the journals are untouched: free "
            "space or mend the permissions, then run `bench report SUITE` again"
        ) from None
    return report


def _report(
    folder: Path, table: Table, planned: list[str], skipped: list[tuple[Cell, str]]
) -> Report:
    complete = set(table.cells.loc[table.cells["complete"], "key"])
    failed = set(table.cells["key"]) - complete
    with_journal = {path.stem for path in folder.parent.glob("*.jsonl")}
    left = {cell.key: (cell.key, cell.gpus, text(why)) for cell, why in skipped}
    left = {key: row for key, row in left.items() if key not in with_journal}
    pending = [key for key in planned if key not in with_journal and key not in left]
    rows = [{"file": f"{key}.jsonl", "what": "not run", "why": "no journal"} for key in pending]
    problems = pd.concat([table.problems, pd.DataFrame(rows)], ignore_index=True)
    counts = {
        "planned": len(planned),
        "complete": len(complete),
        "failed": len(failed),
        "not usable": len(planned) - len(complete) - len(failed) - len(pending) - len(left),
        "not run": len(pending),
        "skipped": len(left),
    }
    frame = pd.DataFrame(list(left.values()), columns=["key", "gpus", "why"])
    return Report(folder, replace(table, problems=problems), frame, counts)


def _write_metric(report: Report, name: str, folder: Path, draw: Draw) -> None:
    metric = cast(Metric, plugins.load_module("metrics", name))
    differs = getattr(metric, "ONLY_IF_SEVERAL", None)
    if differs is not None and report.table.cells[differs].nunique() < 2:
        return
    frame = metric.compute(report.table)
    to_csv(frame, folder / f"{name}.csv")
    report.frames[name] = frame
    report.notes += metric.notes(frame)
    constant = [column for column in metric.FIGURES if frame[column].nunique() <= 1]
    for values, rows in groups(frame, list(metric.FIGURES)):
        clocks = set(rows["clock"])
        virtual = "virtual" if clocks == {"virtual"} else "real-and-virtual"
        parts = [virtual] if "virtual" in clocks else []
        parts += [v for k, v in values.items() if k == "objective" or k not in constant]
        slug = re.sub(r"[^A-Za-z0-9_.=]+", "-", "-".join(map(str, [name, *parts])))[:120]
        file, number = f"{slug}.png", 2
        taken = {figure for figure, _ in report.figures}
        while file in taken:  # labels that differ in other characters only
            file, number = f"{slug}-{number}.png", number + 1
        draw(name, rows, folder / file)
        report.figures.append((file, metric.READING))


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when all went well, and else is removed."""
    mark = f"{os.getpid()}-{secrets.token_hex(4)}"
    new, old = (folder.with_name(f".{folder.name}-{what}-{mark}") for what in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
