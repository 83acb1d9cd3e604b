"""report.md: the answer first, then what it rests on."""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from bench.report.answer import HEAD
from bench.report.audit import audit_rows
from bench.report.numbers import summary_rows

if TYPE_CHECKING:
    import pandas as pd

    from bench.report.answer import Given
    from bench.report.contents import Report


def page(report: "Report") -> str:
    """The report as Markdown; text from journals is escaped."""
    cells = report.table.cells
    parts = [
        f"# {escape(report.folder.parent.name)}",
        counts_line(report),
        _table(HEAD, [each.row(each.said) for each in report.answers]),
        "\n".join(_reasons(report.answers)),
        "The Pareto sets are in recommend.csv.",
        "## Medians",
        _table(*summary_rows(report.frames["summary"])),
        "## What this rests on",
        "\n".join(f"- {escape(note)}" for note in [*report.notes, *warnings(cells)]),
        "## What to know of the algorithms",
        _rows(remarks(cells), ["algorithm", "objective", "remark"], "Nothing in particular."),
        "## Audit",
        _table(*audit_rows(report.audit)),
        "## Figures",
        *_figures(report.figures),
        "## Journals not used, or not complete",
        _rows(report.table.problems, ["file", "what", "why"], "None."),
        "## Skipped cells",
        _rows(report.skipped, ["key", "gpus", "why"], "None."),
        "## Where it ran",
        *(
            _table(
                [what, "cells"],
                [list(map(str, pair)) for pair in cells[what].value_counts().items()],
            )
            for what in ("machine", "commit", "packages")
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _reasons(answers: "list[Given]") -> Iterable[str]:
    for given in (each for each in answers if each.why):
        yield f"- {escape(given.title)}"
        yield from (f"  - {escape(line)}" for line in [*given.why, f"asked by: {given.again}"])


def counts_line(report: "Report") -> str:
    """How many cells there are, by what became of them."""
    counts = dict(report.counts)
    planned = counts.pop("planned")
    return f"{planned} cells: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n) + "."


def escape(text: object) -> str:
    """Plain text in Markdown: no markup, no HTML, no cell borders."""
    return re.sub(r"([\\`*_\[\]<>|#!&~$])", r"\\\1", str(text))


def _figures(figures: list[tuple[str, str]]) -> list[str]:
    """The figures, each metric's under one sentence that says how to read them."""
    parts = []
    for reading, of in groupby(figures, key=lambda figure: figure[1]):
        parts += [escape(reading), *(f"![{file}]({file})" for file, _ in of)]
    return parts


def warnings(cells: "pd.DataFrame") -> list[str]:
    """What a reader must know of all these cells."""
    found = []
    if len(crowded := cells[cells["slots"] > cells["budget"]]):
        found.append(
            f"At gpus = {crowded['gpus'].min()} and more there are searches with more slots than "
            "full trainings in their budget: few trainings, or none, come to their end there."
        )
    if (cells["clock"] == "virtual").any():
        found.append("Cells on the virtual clock are simulated: their seconds are no measurements.")
        virtual = cells[cells["clock"] == "virtual"]
        found += [
            f"Virtual trainings of {row.objective} are {row.surrogate}; {row.error}."
            for row in virtual[["objective", "surrogate", "error"]].drop_duplicates().itertuples()
        ]
    if count := int((cells["resumed"] > 0).sum()):
        found.append(
            f"{count} of {len(cells)} cells were interrupted and resumed from their journals; the "
            "time between is in none of their seconds."
        )
    if (cells["device"] == "cpu").any():
        found.append('On the device cpu, `gpus` counts CPU cores: one "GPU" is one core.')
    if cells["machine"].nunique() > 1:
        found.append(
            f"The cells ran on {cells['machine'].nunique()} kinds of machine: seconds differ."
        )
    if cells["packages"].nunique() > 1 or cells["commit"].nunique() > 1:
        found.append("The cells ran with different versions: see the end of this page.")
    return found


def remarks(cells: "pd.DataFrame") -> "pd.DataFrame":
    """Each remark once, with the objectives that it is of."""
    said = cells.loc[cells["remark"] != "", ["algorithm", "objective", "remark"]]
    said = said.drop_duplicates().astype(str)
    by = said.groupby(["algorithm", "remark"], sort=False)["objective"]
    return by.agg(", ".join).reset_index()


def _rows(frame: "pd.DataFrame", columns: list[str], nothing: str) -> str:
    if frame.empty:
        return nothing
    return _table(columns, [list(map(str, row)) for row in frame[columns].itertuples(index=False)])


def _table(head: Iterable[str], rows: list[list[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
