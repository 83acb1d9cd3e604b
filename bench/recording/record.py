"""Train the configurations of a recording, in cells like any other; a table of what they did."""

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import journal, plugins
from bench.cell import Cell, PlugIn
from bench.corners import corners
from bench.objective import Objective
from bench.results import Results

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 16
"""Configurations of a cell: what a kill costs at most."""
SEEDS = 3
"""Of one batch's trainings, which tell how much of a loss is chance; all others have the first."""


def plan(objective: PlugIn, configs: int, device: str, gpus: int) -> list[Cell]:
    """The cells that train the corners of an objective's space and so many other configurations."""
    built: Objective = plugins.make("objectives", objective)
    edge = sum(1 for _ in corners(built.space()))
    count = edge + configs
    algorithm = Path(__file__).parent / "quasirandom.py"
    batches = [(first, 0) for first in range(0, count, BATCH)]
    batches += [(edge, seed) for seed in range(1, SEEDS)]
    return [
        Cell(
            objective=objective,
            algorithm=plugins.resolve("algorithms", None, algorithm, {"first": first}),
            engine="ray",
            device=device,
            gpus=gpus,
            gpus_per_trial=1,
            seed=seed,
            budget=min(BATCH, count - first),
            max_steps=built.max_steps,
        )
        for first, seed in batches
    ]


def table(cells: list[Cell], results: Results) -> "pa.Table":
    """What the finished ones of these cells recorded, a row for each step of each training.

    docs/curves.md says what the columns are; the file's metadata (JSON, under the key
    `searchbench`) says what was trained, where, and by which versions.
    """
    import pyarrow as pa

    built: Objective = plugins.make("objectives", cells[0].objective)
    rows: list[dict[str, Any]] = []
    provenances: list[dict[str, Any]] = []
    round_trips: list[float] = []
    lost = 0
    for cell in cells:
        record = journal.read(results.journal(cell))
        if not record.finished:
            continue
        if (provenance := _public(record.header["provenance"])) not in provenances:
            provenances.append(provenance)
        found, without = _rows(record, cell, [*built.metrics])
        rows += found
        lost += without
        round_trips += _round_trips(record)
    about = {
        "objective": {"name": cells[0].objective.name, "options": cells[0].objective.options},
        "space": built.space().to_serialized_dict(),
        "max_steps": built.max_steps,
        "worst_loss": built.worst_loss,
        "optimum": built.optimum,
        "metrics": built.metrics,
        "device": cells[0].device,
        "round_trip_seconds": statistics.median(round_trips),
        "trainings_without_a_step": lost,
        "provenance": provenances,
    }
    made = pa.Table.from_pylist(rows)
    return made.replace_schema_metadata({"searchbench": json.dumps(about)})


def save(made: "pa.Table", path: Path) -> None:
    """Write a table; a file that is there is replaced when the new one is whole."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(made, part, compression="zstd")
    part.replace(path)


def _public(provenance: dict[str, Any]) -> dict[str, Any]:
    """Where it was recorded, but for the machine's name."""
    machine = {key: each for key, each in provenance["machine"].items() if key != "host"}
    return {**provenance, "machine": machine}


def _rows(
    record: journal.Record, cell: Cell, metrics: list[str]
) -> tuple[list[dict[str, Any]], int]:
    """The steps of a cell's trainings, and how many trainings had none."""
    configurations: dict[int, dict[str, Any]] = {}
    suggested: dict[int, float] = {}
    starts: dict[int, float] = {}
    rows = []
    for event in record.events:
        trial = event["trial"]
        if event["event"] == "suggest":
            configurations[trial], suggested[trial] = event["configuration"], event["seconds"]
        elif event["event"] == "report":
            if trial not in starts:
                starts[trial] = event["seconds"] - suggested[trial] - event["step_seconds"]
            rows.append(
                {
                    "configuration": configurations[trial],
                    "seed": cell.seed,
                    "step": event["step"],
                    "loss": event["loss"],
                    **{name: event.get(name) for name in metrics},
                    "step_seconds": event["step_seconds"],
                    "start_seconds": max(starts[trial], 0.0),
                    "cold": trial < cell.slots,
                }
            )
    return rows, len(configurations) - len(starts)


def _round_trips(record: journal.Record) -> list[float]:
    """Seconds between two reports of a trial in which it did not train."""
    before: dict[int, float] = {}
    found = []
    for event in record.events:
        if event["event"] == "report":
            trial = event["trial"]
            if trial in before:
                found.append(event["seconds"] - before[trial] - event["step_seconds"])
            before[trial] = event["seconds"]
    return found
