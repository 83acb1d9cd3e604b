"""Train the configurations of a recording, in cells like any other; a table of what they did."""

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import curves, journal, plugins
from bench.cell import Cell, PlugIn
from bench.corners import corners
from bench.errors import UserError
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
    batches = [(first, min(BATCH, count - first), 0) for first in range(0, count, BATCH)]
    batches += [(edge, min(BATCH, configs), seed) for seed in range(1, SEEDS)]
    return [
        Cell(
            objective=objective,
            algorithm=plugins.resolve(
                "algorithms", None, algorithm, {"first": first, "count": part}
            ),
            engine="ray",
            device=device,
            gpus=gpus,
            gpus_per_trial=1,
            seed=seed,
            budget=part,
            max_steps=built.max_steps,
        )
        for first, part, seed in batches
    ]


def missing(cells: list[Cell], results: Results) -> int:
    """Trainings of these cells that are not over: their cell has not run, or failed."""
    ended = 0
    for cell in cells:
        events = journal.read(results.journal(cell)).events
        ended += sum(each["event"] == "finish" and each["status"] != "cut" for each in events)
    return sum(cell.budget for cell in cells) - ended


def table(cells: list[Cell], results: Results) -> "pa.Table":
    """What these cells recorded, a row for each step of each training that came to its end.

    A training ends after all its steps, or with a loss that is no number; one that failed in
    another way is left out. docs/curves.md says what the columns are; the file's metadata (JSON,
    under the key `searchbench`) says what was trained, where, and by which versions. Raises
    UserError if there is nothing to write.
    """
    import pyarrow as pa

    built: Objective = plugins.make("objectives", cells[0].objective)
    rows: list[dict[str, Any]] = []
    provenances: list[dict[str, Any]] = []
    round_trips: list[float] = []
    lost = 0
    for cell in cells:
        record = journal.read(results.journal(cell))
        if record.problem:
            continue
        if (provenance := _public(record.header["provenance"])) not in provenances:
            provenances.append(provenance)
        trips = _round_trips(record)
        found, without = _rows(record, cell, [*built.metrics], statistics.median(trips or [0.0]))
        rows += found
        lost += without
        round_trips += trips
    if not rows:
        raise UserError(f"nothing was recorded in {results.folder}: no training came to its end")
    about = {
        "objective": cells[0].objective.identity,
        "space": built.space().to_serialized_dict(),
        "max_steps": built.max_steps,
        "worst_loss": built.worst_loss,
        "optimum": built.optimum,
        "metrics": built.metrics,
        "device": cells[0].device,
        "round_trip_seconds": statistics.median(round_trips or [0.0]),
        "trainings_that_failed": lost,
        "provenance": provenances,
    }
    try:
        made = pa.Table.from_pylist(rows)
    except pa.ArrowException as error:
        raise UserError(f"the configurations do not fit into a table: {error}") from None
    return made.replace_schema_metadata({"searchbench": json.dumps(about)})


def save(made: "pa.Table", path: Path, at_least: int = 0) -> None:
    """Write a table; a file that is there is replaced when the new one is whole.

    Raises UserError for one of fewer trainings than `at_least`.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    trainings = pc.sum(pc.equal(made["step"], 1)).as_py()
    if trainings < at_least:
        raise UserError(
            f"{path} has {at_least} trainings and is kept: only {trainings} have ended well now"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(made, part, compression="zstd")
    part.replace(path)


def keep_kernels(path: Path, kernels: dict[str, Any]) -> None:
    """Add a surrogate's kernels to a table's metadata, so that nobody need fit them again."""
    import pyarrow.parquet as pq

    recorded = pq.read_table(path)
    about = {**curves.metadata(recorded.schema), "kernels": kernels}
    save(recorded.replace_schema_metadata({curves.KEY: json.dumps(about)}), path)


def _public(provenance: dict[str, Any]) -> dict[str, Any]:
    """Where it was recorded, but for the machine's name."""
    machine = {key: each for key, each in provenance["machine"].items() if key != "host"}
    return {**provenance, "machine": machine}


def _rows(
    record: journal.Record, cell: Cell, metrics: list[str], round_trip_seconds: float
) -> tuple[list[dict[str, Any]], int]:
    """The steps of a cell's trainings that came to their end, and how many failed otherwise."""
    suggested = {each["trial"]: each for each in record.events if each["event"] == "suggest"}
    reports: dict[int, list[dict[str, Any]]] = {}
    for event in record.events:
        if event["event"] == "report":
            reports.setdefault(event["trial"], []).append(event)
    rows, failed = [], 0
    for event in record.events:
        trial = event["trial"]
        if event["event"] != "finish" or event["status"] == "cut":
            continue
        steps = reports.get(trial, [])
        diverged = bool(steps) and isinstance(steps[-1].get("raw_loss"), str)
        if event["status"] != "completed" and not diverged:
            failed += 1
            continue
        waited = steps[0]["seconds"] - suggested[trial]["seconds"] - steps[0]["step_seconds"]
        start_seconds = max(waited - round_trip_seconds, 0.0)
        rows += [
            {
                "configuration": suggested[trial]["configuration"],
                "seed": cell.seed,
                "step": step["step"],
                "loss": step["loss"],
                **{name: step.get(name) for name in metrics},
                "step_seconds": step["step_seconds"],
                "start_seconds": start_seconds,
                "setup_seconds": min(steps[0].get("setup_seconds", 0.0), start_seconds),
                "cold": trial < cell.slots,
            }
            for step in steps
        ]
    return rows, failed


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
