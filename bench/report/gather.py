"""The journals of several suites as one table, of one objective."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from bench.cell import Cell
from bench.errors import UserError, one_of
from bench.metrics._table import Table
from bench.report.table import labels_of, load


def gather(suites: Iterable[tuple[Path, list[Cell]]], objective: str) -> Table:
    """The finished cells of these folders and plans, of one objective, each once.

    The objective is given by its name or, where suites have variants of it, by its label.
    Algorithms are told apart over all suites. Raises UserError where there is no such objective,
    or no cell of it has ended.
    """
    found = list(suites)
    planned = {cell.key: cell for _, cells in found for cell in cells}
    wanted = _of(planned, objective)
    tables = [
        load(folder, [cell.key for cell in cells if cell.key in wanted]) for folder, cells in found
    ]
    cells = pd.concat([table.cells.astype({"algorithm": object}) for table in tables])
    cells = cells.drop_duplicates("key").reset_index(drop=True)
    if cells.empty:
        folders = ", ".join(str(folder) for folder, _ in found)
        raise UserError(
            f"no cell of {objective} in {folders} has ended yet; `bench run SUITE` runs them, "
            "`bench status SUITE` says how each stands"
        )
    identities = pd.Series([wanted[key].algorithm.identity for key in cells["key"]])
    cells["algorithm"] = pd.Categorical(labels_of(identities))
    cells["objective"] = objective
    first: dict[str, pd.DataFrame] = {}
    for table in tables:
        for key, reports in table.curves.items():
            first.setdefault(key, reports.assign(key=key))
    reports = pd.concat(first.values()) if first else tables[0].reports
    reports = reports.astype({"key": "category"})
    problems = pd.concat([table.problems for table in tables])
    return Table(cells, reports, problems[problems["what"] != "not in the plan"])


def _of(planned: Mapping[str, Cell], objective: str) -> dict[str, Cell]:
    """The cells of this objective, by key."""
    labels = labels_of(pd.Series([cell.objective.identity for cell in planned.values()]))
    by_label = dict(zip(planned, labels, strict=True))
    names = {label for label, key in zip(labels, planned, strict=True)
             if objective in (label, planned[key].objective.name)}  # fmt: skip
    if len(names) != 1:
        legal = one_of(sorted(names or set(labels)))
        what = "there are several of that name" if names else "not in the suite"
        raise UserError(f"--objective {objective}: {what}; {legal}")
    return {key: cell for key, cell in planned.items() if by_label[key] in names}
