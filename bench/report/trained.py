"""Which configurations were trained in full, or failed: what importances are computed from."""

from typing import Any

import orjson
import pandas as pd

from bench import plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.journal import Record
from bench.report.fields import number
from bench.space import Parameter, parameters

COLUMNS = ["key", "trial", "loss", "configuration"]
MOST = 400
"""Trials that are kept of a cell, evenly spread over the search."""


def trained(record: Record) -> list[dict[str, Any]]:
    """A journal's trials that came to their last step or failed; `configuration` is JSON.

    A trial that was stopped or cut has no loss that could be compared with theirs.
    """
    worst = number(record.header, "worst_loss")
    losses = {event["trial"]: event["loss"] for event in record.of("report")}
    configurations = {event["trial"]: event.get("configuration") for event in record.of("suggest")}
    ends = [
        (event["trial"], event["status"] == "failed")
        for event in record.of("finish")
        if event.get("status") in ("completed", "failed")
    ]
    stride = -(-len(ends) // MOST) or 1
    return [
        {
            "key": record.path.stem,
            "trial": trial,
            "loss": worst if failed else losses[trial],
            "configuration": orjson.dumps(configurations[trial]).decode(),
        }
        for trial, failed in ends[::stride]
        if isinstance(configurations.get(trial), dict) and (failed or trial in losses)
    ]


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
