"""Which configurations were trained in full, or failed: what importances are computed from."""

from typing import Any

import numpy as np
import orjson
import pandas as pd

from bench import plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.report.events import COMPLETED, FAILED, REPORT, SUGGEST
from bench.report.fields import number
from bench.report.journal import Journal
from bench.space import Parameter, parameters

COLUMNS = ["key", "trial", "loss", "configuration"]
MOST = 400
"""Trials that are kept of a cell, evenly spread over the search."""


def trained(journal: Journal) -> list[dict[str, Any]]:
    """A journal's trials that came to their last step or failed; `configuration` is JSON.

    A trial that was stopped or cut has no loss that could be compared with theirs.
    """
    events, worst = journal.events, number(journal.header, "worst_loss")
    reports = np.flatnonzero(events.kind == REPORT)
    losses = dict(zip(events.trial[reports], events.numbers["loss"][reports], strict=True))
    suggests = np.flatnonzero(events.kind == SUGGEST)
    suggested = dict(zip(events.trial[suggests], suggests, strict=True))
    ended = np.flatnonzero(np.isin(events.status, (COMPLETED, FAILED)))
    found = []
    for row in ended[:: -(-len(ended) // MOST) or 1]:
        trial, failed = events.trial[row], events.status[row] == FAILED
        if trial not in suggested or not (failed or trial in losses):
            continue
        configuration = journal.configuration(suggested[trial])
        if isinstance(configuration, dict):
            loss = worst if failed else float(losses[trial])
            text = orjson.dumps(configuration).decode()
            found.append(
                {"key": journal.path.stem, "trial": int(trial), "loss": loss, "configuration": text}
            )
    return found


def spaces(cells: pd.DataFrame, plan: list[Cell]) -> dict[str, list[Parameter]]:
    """The search space of each objective, by its label; of the plan's, never of a journal's."""
    by_key = {cell.key: cell.objective for cell in plan}
    found = {}
    for label, keys in cells.groupby("objective", observed=True)["key"]:
        plugin = next((by_key[key] for key in keys if key in by_key), None)
        try:
            if plugin is not None:
                found[str(label)] = parameters(plugins.make("objectives", plugin).space())
        except UserError:  # an objective that is gone
            continue
    return found
