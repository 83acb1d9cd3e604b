"""What the journals show that each algorithm did on each GPU count."""

from typing import Any

import numpy as np
import pandas as pd

from bench.metrics._table import GROUP, SETTING, Table, groups

COUNTS = ["cells", "complete", "failed", "resumed", "trials", "trained_in_full", "failed_trials"]
COLUMNS = [*GROUP, *COUNTS, "steps_in_full", "kept_configurations", "repeated"]
READING = (
    "Does each algorithm do what its name says? In full: trials that came to their last step, and "
    "the share of all steps that was spent on them; repeated: configurations of trials trained in "
    "full or failed that their search had had before."
)


def audit(table: Table) -> pd.DataFrame:
    """A row for each algorithm and count in each setting, over its cells.

    `trained_in_full` are trials that came to the last step, `steps_in_full` the share of the steps
    spent that was spent on them. `repeated` are, of the `kept_configurations` (of trials that were
    trained in full or failed: see bench.report.trained), those that their search had had before.
    """
    counts = _steps(table).join(_repeats(table), how="outer").fillna(0).astype(int)
    rows = []
    for named, cells in groups(table.cells, GROUP):
        of = counts.reindex(cells["key"], fill_value=0).sum().to_dict()
        rows.append(
            {
                **named,
                "cells": len(cells),
                "complete": int(cells["complete"].sum()),
                "failed": int((~cells["complete"].astype(bool)).sum()),
                "resumed": int((cells["resumed"] > 0).sum()),
                "trials": int(cells["trials"].sum()),
                "trained_in_full": of["in_full"],
                "failed_trials": int(cells["failed_trials"].sum()),
                "steps_in_full": of["steps_in_full"] / of["steps"] if of["steps"] else np.nan,
                "kept_configurations": of["kept"],
                "repeated": of["repeated"],
            }
        )
    return table.frame(rows, COLUMNS)


def audit_rows(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Head and rows of text; the columns of a setting only where they differ between rows."""
    varying = [name for name in SETTING if name != "error" and frame[name].nunique() > 1]
    head = [*varying, "algorithm", "GPUs" if set(frame["device"]) != {"cpu"} else "cores"]
    head += ["cells", "trials", "in full", "steps on these", "failed trials", "repeated"]
    return head, [[*(str(getattr(row, name)) for name in varying), *_texts(row)]
                  for row in frame.itertuples()]  # fmt: skip


def _texts(row: Any) -> list[str]:
    counts = {"complete": row.complete, "failed": row.failed, "resumed": row.resumed}
    cells = [f"{n} {what}" for what, n in counts.items() if n or what == "complete"]
    return [
        *[str(row.algorithm), str(row.gpus), ", ".join(cells), str(row.trials)],
        *[str(row.trained_in_full)],
        "-" if np.isnan(row.steps_in_full) else f"{100 * row.steps_in_full:.0f} %",
        str(row.failed_trials),
        f"{row.repeated} of {row.kept_configurations}" if row.kept_configurations else "-",
    ]


def _steps(table: Table) -> pd.DataFrame:
    """Of each cell: steps spent, the trials that came to the last step, and the steps of these."""
    reports, last = table.reports, table.cells.set_index("key")["max_steps"]
    keys = reports["key"].cat.categories
    codes = reports["key"].cat.codes.to_numpy(np.int64)
    limit = last.reindex(keys).to_numpy(float)[codes]
    ended = (reports["step"].to_numpy(float) == limit) & ~reports["failed"].to_numpy(bool)
    trial = reports.groupby(["key", "trial"], observed=True, sort=False).ngroup().to_numpy()
    in_full = np.isin(trial, trial[ended], kind="table")
    first = np.unique(trial[ended], return_index=True)[1]
    columns = {
        "steps": codes,
        "in_full": codes[ended][first],
        "steps_in_full": codes[in_full],
    }
    counted = {name: np.bincount(of, minlength=len(keys)) for name, of in columns.items()}
    return pd.DataFrame(counted, index=keys)


def _repeats(table: Table) -> pd.DataFrame:
    """Of each cell: the configurations kept, and those of them that stand there more than once."""
    found = table.configurations.reindex(columns=["key", "configuration"])
    found = found.assign(kept=1, repeated=found.duplicated().astype(int))
    return found.groupby("key")[["kept", "repeated"]].sum()
