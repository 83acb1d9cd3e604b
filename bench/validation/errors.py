"""Errors of virtual searches against real ones, pair by pair and summed up."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench import journal, plugins
from bench.cell import Cell
from bench.engines._replay import recorded
from bench.engines.virtual import Engine as Virtual
from bench.engines.virtual import recorded_at
from bench.errors import UserError
from bench.report.fields import provenance
from bench.results import Results
from bench.validation.replay import PARTS, replayed
from bench.validation.search import Course, area_between, course, relative_error

BASELINE = "random"
TARGETS = {"target": 0.5, "easier_target": 0.75}
"""Of the final losses of random search at the fewest GPUs, for real: which quantile it is.

The median is the report's target. One search more or less decides whether half of the random ones
reach it; three of four reach the other.
"""
ERRORS = {
    "time_to_target": "error of time to target",
    "time_to_easier_target": "error of time to a loss that 3 of 4 random searches reach",
    "incumbent": "area between the incumbents",
    "utilisation": "error of utilisation",
    "wall": "error of the search's seconds",
}
"""Each relative to the real search, but for utilisation, whose two shares are subtracted."""


@dataclass(frozen=True)
class Pair:
    """One search, for real and as replayed in each of the PARTS."""

    cell: Cell
    table: Path
    """The curves that are replayed."""
    machine: str
    """On which the real one ran."""
    real: Course
    virtual: dict[str, Course]


def pairs(cells: list[Cell], results: Results) -> list[Pair]:
    """The complete ones of these cells and their replays.

    Those without any result, all of whose trials failed, are left out. Raises UserError where
    there is nothing to compare, or no curves to compare with.
    """
    found = []
    for cell in cells:
        record = journal.read(results.journal(cell))
        if record.end is None or record.end["status"] != "completed" or record.problem:
            continue
        if any(event["event"] == "report" for event in record.events):
            found.append(_pair(cell, record, record.end["seconds"], Virtual()))
    if not found:
        raise UserError(f"no cell in {results.folder} is complete: there is nothing to compare")
    return found


def _pair(cell: Cell, record: journal.Record, end: float, engine: Virtual) -> Pair:
    virtual_cell = as_virtual(cell)
    if reason := engine.why_not(virtual_cell):
        raise UserError(f"{cell.key} cannot be replayed: {reason}")
    path = recorded_at(cell.objective, cell.device)
    assert path is not None
    table = recorded(path, plugins.make("objectives", cell.objective).worst_loss)
    events = record.events
    virtual = {part: replayed(virtual_cell, engine, table, events, part) for part in PARTS}
    machine = provenance(record.header.get("provenance"))["machine"]
    return Pair(cell, path, machine, course(cell, events, end), virtual)


def as_virtual(cell: Cell) -> Cell:
    """The same cell on the virtual clock, at the engine's own settings."""
    settings = Virtual.Settings().model_dump(mode="json")
    rests_on = Virtual.rests_on(cell.objective, cell.device)
    return replace(cell, engine="virtual", engine_settings={**settings, **rests_on})


def targets(found: list[Pair]) -> dict[Path, dict[str, float]]:
    """The TARGETS of each table."""
    losses: dict[Path, dict[int, list[float]]] = {}
    for pair in found:
        if pair.cell.algorithm.name == BASELINE:
            by_gpus = losses.setdefault(pair.table, {})
            by_gpus.setdefault(pair.cell.gpus, []).append(float(pair.real.incumbent[-1]))
    for pair in found:
        if pair.table not in losses:
            name = pair.cell.objective.name
            raise UserError(f"no complete cell of {BASELINE} on {name}: it gives the target")
    return {
        table: {name: float(np.quantile(by_gpus[min(by_gpus)], q)) for name, q in TARGETS.items()}
        for table, by_gpus in losses.items()
    }


def errors(found: list[Pair]) -> pd.DataFrame:
    """One row for each pair and part: where it is from, the target, and the signed ERRORS.

    The area between incumbents is of regrets: above the least loss of all searches on the table.
    """
    goals = targets(found)
    best: dict[Path, float] = {}
    for pair in found:
        least = min(float(each.incumbent[-1]) for each in (pair.real, *pair.virtual.values()))
        best[pair.table] = min(least, best.get(pair.table, np.inf))
    rows = []
    for pair in found:
        cell = pair.cell
        for part, virtual in pair.virtual.items():
            rows.append(
                {
                    "table": pair.table.stem,
                    "objective": cell.objective.name,
                    "algorithm": cell.algorithm.name,
                    "device": cell.device,
                    "gpus": cell.gpus,
                    "seed": cell.seed,
                    "part": part,
                    "real_seconds": pair.real.end,
                    "virtual_seconds": virtual.end,
                    **_of_targets(pair.real, virtual, goals[pair.table]),
                    "incumbent": area_between(pair.real, virtual, best[pair.table]),
                    "utilisation": virtual.utilisation - pair.real.utilisation,
                    "wall": relative_error(pair.real.end, virtual.end),
                }
            )
    return pd.DataFrame(rows)


def _of_targets(real: Course, virtual: Course, goals: dict[str, float]) -> dict[str, float]:
    found = {}
    for name, goal in goals.items():
        times = real.reaches(goal), virtual.reaches(goal)
        found[name] = goal
        found[f"real_seconds_to_{name}"], found[f"virtual_seconds_to_{name}"] = times
        found[f"time_to_{name}"] = relative_error(*times)
    return found
