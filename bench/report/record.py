"""From one journal to one row of cells and the columns of its reports, checked."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from bench import plugins
from bench.cell import Cell
from bench.report.events import FINISH, REPORT, RESUME, SUGGEST, UTILISATION, Events
from bench.report.fields import number, provenance, surrogate, text
from bench.report.journal import Journal
from bench.report.ledger import PARTS

CELL_COLUMNS = [
    *["key", "file", "objective_plugin", "algorithm_plugin", "algorithm_name"],
    *["engine_plugin", "default_settings", "clock", "curves", "surrogate"],
    *["device", "gpus", "slots", "gpus_per_trial", "seed", "budget", "max_steps", "status"],
    *[
        "reason",
        "complete",
        "resumed",
        "wall",
        "trials",
        "steps",
        "failed_trials",
        "training_seconds",
    ],
    *["setup_seconds", "suggest_seconds", "decide_seconds", "observe_seconds", "utilisation"],
    *["optimiser_share", "final_loss", "final_accuracy", "optimum", "worst_loss", "started"],
    *[
        "machine",
        "commit",
        "image",
        "packages",
        "remark",
        *(f"{part}_gpu_seconds" for part in PARTS),
    ],
    *["trained_gpu_seconds", "gpu_utilisation", "gpu_memory_bytes"],
]
REPORT_COLUMNS = [
    *["trial", "step", "loss", "accuracy", "failed", "seconds", "step_seconds", "setup_seconds"],
    *["trials", "steps", "incumbent", "trained"],
]

Columns = dict[str, np.ndarray]


def report_columns(journal: Journal) -> Columns:
    """The steps spent, in order of arrival: see bench.metrics._table.Table.

    A step is a report, or the end of a trial whose failed step has none: one that failed because
    its loss was not finite did report that step. A result has not arrived before one that stands
    above it in the journal. Raises ValueError where an event is not what it must be.
    """
    events = journal.events
    diverged = np.isin(events.trial, events.trial[events.broken])
    steps = np.flatnonzero((events.kind == REPORT) | (events.failed & ~diverged))
    failed = events.kind[steps] == FINISH
    loss = np.where(failed, number(journal.header, "worst_loss"), events.numbers["loss"][steps])
    if not np.isfinite(loss[~failed]).all():
        raise ValueError("a report's loss is not finite")
    seconds = events.seconds[steps]
    if not np.isfinite(seconds).all():
        raise ValueError("a report's seconds are not finite")
    trial = events.trial[steps]
    first = np.zeros(len(trial), dtype=np.int64)
    first[np.unique(trial, return_index=True)[1]] = 1
    measured = {
        name: events.numbers[name][steps]
        for name in ("step", "accuracy", "step_seconds", "setup_seconds")
    }
    return {
        "trial": trial,
        **measured,
        "loss": loss,
        "failed": failed,
        "seconds": np.maximum.accumulate(seconds),
        "trials": np.cumsum(first),
        "steps": np.arange(1, len(steps) + 1),
        "incumbent": np.fmin.accumulate(loss),
    }


def cell_row(journal: Journal, columns: Columns) -> dict[str, Any]:
    """A finished journal's row of `cells`; raises as `report_columns`."""
    header, events, end = journal.header, journal.events, journal.end
    cell, steps = _cell(header["cell"]), len(columns["loss"])
    last = float(events.seconds[-1]) if len(events.seconds) else 0.0
    wall = number({"seconds": end.get("seconds", last)}, "seconds")  # a crash has none
    if not 0 <= wall < np.inf:
        raise ValueError("the end's seconds are not a time")
    sums = {
        name: float(np.nansum(events.numbers[f"{name}_seconds"]))
        for name in ("suggest", "decide", "observe")
    }
    training = float(np.nansum(columns["step_seconds"]))
    status, reason = text(end.get("status")), text(end.get("reason", ""))
    if status == "completed" and steps < cell.budget_steps:
        status = "short"
        reason = f"ended with {steps} of {cell.budget_steps} steps spent ({reason})"
    best = np.nanargmin(columns["loss"]) if np.isfinite(columns["loss"]).any() else None
    return {
        "key": text(header["key"]),
        "file": text(journal.path.name),
        "objective_plugin": cell.objective.identity,
        "algorithm_plugin": cell.algorithm.identity,
        "algorithm_name": text(cell.algorithm.name),
        "engine_plugin": {"name": text(cell.engine), "source": None, "options": _settings(cell)},
        "default_settings": _settings(cell) == _defaults(cell.engine),
        "device": text(cell.device),
        "clock": text(header["clock"]),
        "curves": text(cell.engine_settings.get("curves") or ""),
        "surrogate": surrogate(header.get("engine")),
        **{name: getattr(cell, name) for name in ("gpus", "slots", "gpus_per_trial", "seed")},
        **{name: getattr(cell, name) for name in ("budget", "max_steps")},
        "status": status,
        "reason": reason,
        "complete": status == "completed",
        "resumed": int((events.kind == RESUME).sum()),
        "wall": wall,
        "trials": int((events.kind == SUGGEST).sum()),
        "steps": steps,
        "failed_trials": int(events.failed.sum()),
        "training_seconds": training,
        "setup_seconds": float(np.nansum(columns["setup_seconds"])),
        **{f"{name}_seconds": value for name, value in sums.items()},
        "utilisation": training * cell.gpus_per_trial / (cell.gpus * wall) if wall else np.nan,
        "optimiser_share": sum(sums.values()) / wall if wall else np.nan,
        "final_loss": np.nan if best is None else float(columns["loss"][best]),
        "final_accuracy": np.nan if best is None else float(columns["accuracy"][best]),
        "optimum": number(header, "optimum"),
        "worst_loss": number(header, "worst_loss"),
        "started": text(header.get("started", "")),
        "remark": text(header.get("remark") or ""),
        **provenance(header.get("provenance")),
        **_sampled(events),
    }


def _sampled(events: Events) -> dict[str, float]:
    """The mean share of the time in which a GPU was busy, and the most memory taken on one."""
    of = events.kind == UTILISATION
    seconds, busy, memory = (
        events.numbers[name][of] for name in ("interval_seconds", "gpu_utilisation", "memory_bytes")
    )
    known = (seconds > 0) & np.isfinite(busy) & np.isfinite(memory)
    mean = np.average(busy[known], weights=seconds[known]) if known.any() else np.nan
    return {
        "gpu_utilisation": float(mean),
        "gpu_memory_bytes": float(memory[known].max()) if known.any() else np.nan,
    }


def _settings(cell: Cell) -> dict[str, Any]:
    """The engine's settings, without what its results rest on: of each objective another."""
    rests_on = ("curves", "predictions", "latencies")
    return {name: each for name, each in cell.engine_settings.items() if name not in rests_on}


@cache
def _defaults(engine: str) -> dict[str, Any]:
    """The settings of an engine of ours that a suite says nothing of."""
    if engine not in plugins.names("engines"):
        return {}
    return plugins.engine(engine).Settings().model_dump(mode="json")


@cache
def _validator() -> Callable[[Any], Cell]:
    from pydantic import TypeAdapter

    return TypeAdapter(Cell).validate_python


def _cell(fields: Any) -> Cell:
    cell = _validator()(fields)
    if min(cell.gpus, cell.gpus_per_trial, cell.budget, cell.max_steps) <= 0:
        raise ValueError("the cell's gpus, gpus_per_trial, budget or max_steps is not positive")
    return cell
