"""The table that every metric starts from: all journals of one suite."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bench.space import Parameter

FIGURE = ["objective", "device", "gpus_per_trial", "budget"]
"""Cells that differ in one of these are never drawn in one figure."""

SETTING = [*FIGURE, "engine", "clock", "error"]
"""Cells that differ in one of these are never averaged. `error` is, of cells on the virtual clock,
a sentence that says how wrong they may be."""

GROUP = [*SETTING, "algorithm", "gpus"]
"""Cells that agree in all of these differ by their seed only."""

ACROSS = ["device", "gpus_per_trial", "budget"]
"""FIGURE, for metrics that span objectives."""

ACROSS_SETTING = [*ACROSS, "engine", "clock"]
"""SETTING, for metrics that span objectives; see `spanned` for what it lacks."""


@dataclass(frozen=True, eq=False)
class Table:
    """All journals of one suite. Seconds are on the engine's clock, from the search's start.

    Tables are compared by identity: what several metrics need of one is computed once.

    `cells`: one row per finished journal. Its identity (key, objective, algorithm, ...: labels
    that tell variants apart), `complete` (the budget was spent; a cell that is not complete is
    censored at its end), `wall` seconds, counts (trials, steps, failed_trials), sums of seconds
    (training_seconds, setup_seconds, suggest_seconds, decide_seconds, observe_seconds),
    `final_loss` and `final_accuracy` of the last incumbent, `optimum` and `worst_loss` of the
    objective, and where it ran; and its ledger: GPU-seconds, training_gpu_seconds,
    start_up_gpu_seconds, optimiser_gpu_seconds, idle_gpu_seconds and lost_gpu_seconds, which add
    up to gpus × wall, and trained_gpu_seconds: in all steps, useful or not (bench.report.ledger).
    Where GPUs were sampled: `gpu_utilisation`, the mean share of the time in which a kernel ran,
    and `gpu_memory_bytes`, the most memory that was taken on one of them.

    `reports`: one row per step spent, cell by cell, in order of arrival: key, trial, step, loss,
    accuracy, failed, seconds, step_seconds, setup_seconds, and, counted up to and including it,
    `trials` (that have returned a result), `steps`, `incumbent` (the best loss so far), `trained`
    (GPU-seconds that trials had trained by then, those in flight included). A failed trial's
    failed step is a row too: one step spent, and the objective's worst loss.

    `problems`: file, what, why: every journal that is not used, or not used as a complete cell.

    `configurations`: key, trial, loss, configuration (JSON) of trials that were trained in full or
    failed (see bench.report.trained). `spaces`: the parameters of each objective, by its label.
    """

    cells: pd.DataFrame
    reports: pd.DataFrame
    problems: pd.DataFrame
    configurations: pd.DataFrame = field(default_factory=pd.DataFrame)
    spaces: dict[str, list[Parameter]] = field(default_factory=dict)

    @cached_property
    def curves(self) -> dict[str, pd.DataFrame]:
        """The reports of each cell, by its key; without those before there is an incumbent."""
        reports = self.reports
        if (missing := reports["incumbent"].isna()).any():
            reports = reports[~missing]
        keys = reports["key"].cat
        ends = np.append(np.flatnonzero(np.diff(keys.codes)) + 1, len(reports))
        begins = [0, *ends[:-1]]  # slices of a frame are not copies of it
        return {
            str(keys.categories[keys.codes.iloc[begin]]): reports.iloc[begin:end]
            for begin, end in zip(begins, ends, strict=True)
            if begin < end
        }

    def frame(
        self, rows: list[dict[str, Any]] | pd.DataFrame, columns: Sequence[str]
    ) -> pd.DataFrame:
        """A small table; `algorithm` keeps all labels, so that each keeps its colour."""
        frame = pd.DataFrame(rows, columns=list(columns))
        return frame.astype({"algorithm": self.cells["algorithm"].dtype})


def groups(cells: pd.DataFrame, by: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The groups of cells that agree in the columns `by`, and what they agree in."""
    for values, group in cells.groupby(by, observed=True, sort=True):
        yield dict(zip(by, values, strict=True)), group


def spanned(cells: pd.DataFrame) -> dict[str, str]:
    """What a figure over these cells' objectives says in place of one `objective` and `error`."""
    names = sorted(set(cells["objective"].astype(str)))
    errors = sorted(set(cells["error"].astype(str)) - {""})
    few = ", ".join(names) if len(names) <= 3 else f"{len(names)} objectives"
    return {"objective": few, "error": "; ".join(errors)}
