"""The report in the terminal: the summary, what is missing, and where the rest is."""

from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.report.numbers import summary_rows
from bench.report.page import counts_line, warnings

if TYPE_CHECKING:
    from bench.report.contents import Report

WIDTH_OF_FILES = 240
GAP = 2
SPARE = ["steps", "optimiser", "trials", "failed trials", "utilisation", "accuracy"]
"""Columns that a narrow terminal goes without, in this order."""


def show(report: "Report", console: Console) -> None:
    """Print the report; in a file or a pipe, lines are as long as they need."""
    if not console.is_terminal:
        console = Console(file=console.file, width=WIDTH_OF_FILES)
    head, rows = summary_rows(report.frames["summary"])
    shown = _fitting(head, rows, console.width)
    table = Table(box=None, padding=(0, GAP, 0, 0))
    for index in shown:
        width = _width(head[index], [row[index] for row in rows])
        align: Literal["left", "right"] = "left" if head[index] == "algorithm" else "right"
        table.add_column(escape("\n".join(_lines(head[index]))), justify=align, min_width=width)
    for cells in rows:
        table.add_row(*(escape(cells[index]) for index in shown))
    console.print(table)
    if left_out := [name for index, name in enumerate(head) if index not in shown]:
        console.print(f"[dim]in summary.csv: {escape(', '.join(left_out))}[/]", highlight=False)
    for note in [*warnings(report.table.cells), *report.notes]:
        console.print(f"[dim]{escape(note)}[/]", highlight=False)
    for row in report.table.problems.itertuples():
        line = f"[yellow]{escape(str(row.what))}[/] {escape(str(row.file))}: {escape(str(row.why))}"
        console.print(line, highlight=False)
    for left in report.skipped.itertuples():
        line = f"[magenta]skipped[/] {escape(str(left.key))}: {escape(str(left.why))}"
        console.print(line, highlight=False)
    console.print(f"{counts_line(report)} Plots and tables: {escape(str(report.folder))}")


def _width(name: str, cells: list[str]) -> int:
    return max(map(len, [*_lines(name), *cells]))


def _lines(name: str) -> list[str]:
    """A column's head, broken before its last word."""
    return [part for part in name.rpartition(" ") if part.strip()]


def _fitting(head: list[str], rows: list[list[str]], width: int) -> list[int]:
    """The columns that fit side by side; the least needed are left out first."""
    shown = list(range(len(head)))
    for name in SPARE:
        widths = [_width(head[index], [row[index] for row in rows]) for index in shown]
        if sum(widths) + GAP * len(shown) > width:
            shown.remove(head.index(name))
    return shown
