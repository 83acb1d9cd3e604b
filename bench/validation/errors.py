"""Errors of virtual searches against real ones, pair by pair and summed up."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bench import journal, plugins
from bench.cell import Cell
from bench.engine import Engine
from bench.engines._replay import recorded
from bench.engines.virtual import Engine as Virtual
from bench.engines.virtual import recorded_at
from bench.errors import UserError
from bench.metrics import _statistics as statistics
from bench.results import Results
from bench.validation.replay import PARTS, replayed
from bench.validation.search import Course, area_between, course, relative_error

BASELINE = "random"
ERRORS = {
    "time_to_target": "error of time to target",
    "incumbent": "area between the incumbents",
    "utilisation": "error of utilisation",
    "wall": "error of the search's seconds",
}
"""Each relative to the real search, but for utilisation, whose two shares are subtracted."""


@dataclass(frozen=True)
class Pair:
    """One search, for real and as replayed in each of the PARTS."""

    cell: Cell
    real: Course
    virtual: dict[str, Course]


def pairs(cells: list[Cell], results: Results) -> list[Pair]:
    """The finished ones of these cells and their replays; UserError where there are no curves."""
    found = []
    with Virtual() as engine:
        for cell in cells:
            record = journal.read(results.journal(cell))
            if record.end is None or record.end["status"] != "completed" or record.problem:
                continue
            found.append(_pair(cell, record.events, record.end["seconds"], engine))
    if not found:
        raise UserError(f"no cell in {results.folder} is complete: there is nothing to compare")
    return found


def _pair(cell: Cell, events: list[dict[str, Any]], end: float, engine: Engine) -> Pair:
    virtual_cell = as_virtual(cell)
    if reason := engine.why_not(virtual_cell):
        raise UserError(f"{cell.key} cannot be replayed: {reason}")
    path = recorded_at(cell.objective, cell.device)
    assert path is not None
    table = recorded(path, plugins.make("objectives", cell.objective))
    return Pair(
        cell,
        course(cell, events, end),
        {part: replayed(virtual_cell, engine, table, events, part) for part in PARTS},
    )


def as_virtual(cell: Cell) -> Cell:
    """The same cell on the virtual clock, at the engine's own settings."""
    settings = Virtual.Settings().model_dump(mode="json")
    rests_on = Virtual.rests_on(cell.objective, cell.device)
    return replace(cell, engine="virtual", engine_settings={**settings, **rests_on})


def targets(found: list[Pair]) -> dict[str, float]:
    """By objective: the median final loss of random search at the fewest GPUs, for real."""
    losses: dict[str, dict[int, list[float]]] = {}
    for pair in found:
        if pair.cell.algorithm.name == BASELINE:
            by_gpus = losses.setdefault(pair.cell.objective.name, {})
            by_gpus.setdefault(pair.cell.gpus, []).append(float(pair.real.incumbent[-1]))
    missing = {pair.cell.objective.name for pair in found} - set(losses)
    if missing:
        raise UserError(f"no complete cell of {BASELINE} on {min(missing)}: it gives the target")
    return {name: float(np.median(by_gpus[min(by_gpus)])) for name, by_gpus in losses.items()}


def errors(found: list[Pair]) -> pd.DataFrame:
    """One row for each pair and part: where it is from, the target, and the signed ERRORS."""
    target = targets(found)
    rows = []
    for pair in found:
        cell, goal = pair.cell, target[pair.cell.objective.name]
        for part, virtual in pair.virtual.items():
            rows.append(
                {
                    "objective": cell.objective.name,
                    "algorithm": cell.algorithm.name,
                    "device": cell.device,
                    "gpus": cell.gpus,
                    "seed": cell.seed,
                    "part": part,
                    "target": goal,
                    "real_seconds_to_target": pair.real.reaches(goal),
                    "virtual_seconds_to_target": virtual.reaches(goal),
                    "time_to_target": relative_error(
                        pair.real.reaches(goal), virtual.reaches(goal)
                    ),
                    "incumbent": area_between(pair.real, virtual),
                    "utilisation": virtual.utilisation - pair.real.utilisation,
                    "wall": relative_error(pair.real.end, virtual.end),
                }
            )
    return pd.DataFrame(rows)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """For each part and error: the median of its size over the `n` pairs, with its interval.

    A pair of which only one search reached the target is infinitely wrong, and counts as `missed`;
    of the pairs in which neither did, there is nothing to compare. `bias` is the signed median.
    """
    rows = []
    for part, of_part in frame.groupby("part", sort=False):
        for name in ERRORS:
            values = of_part[name].dropna().to_numpy(float)
            sizes = statistics.median(np.abs(values))
            rows.append(
                {
                    "part": part,
                    "error": name,
                    "median": float(sizes.median),
                    "low": float(sizes.low),
                    "high": float(sizes.high),
                    "bias": float(np.median(values)) if len(values) else np.nan,
                    "n": len(values),
                    "missed": int(np.isinf(values).sum()),
                }
            )
    return pd.DataFrame(rows)
