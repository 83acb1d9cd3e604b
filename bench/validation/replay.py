"""The same search on the virtual clock: as it is, and with what the real one knows better.

Three parts of the error are told apart by what is replayed: the trainings as they really were,
which leaves the error of the engine's model (start-up, round trips, thinking, order); their
losses as they were, with predicted seconds; and losses and seconds both predicted.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.cell import Cell
from bench.engine import Engine
from bench.engines._costs import costs
from bench.engines._loop import Loop
from bench.engines._replay import Recorded, Replay
from bench.engines._simulation import Events
from bench.seeds import canonical
from bench.surrogate import Curve
from bench.validation.search import Course, course

PARTS = {
    "engine": "the trainings as they were: what is left is the engine's model",
    "seconds": "their losses as they were, their seconds predicted",
    "all": "losses and seconds predicted: the virtual engine",
}


def replayed(
    cell: Cell, engine: Engine, table: Recorded, real: list[dict[str, Any]], part: str
) -> Course:
    """A real cell's search on the virtual clock, with what `part` says of its own trainings."""
    search = engine.prepare(cell)
    rehearse = table.rehearsals(cell)
    if part != "all":
        rehearse = _told(rehearse, trainings(real), part == "engine")
    events = Events()
    Loop(search, events, rehearse, costs("charged", cell.algorithm), table.round_trip_seconds).run()
    return course(cell, events[:-1], events[-1]["seconds"])


def trainings(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The reports of each configuration that a search trained."""
    configurations: dict[int, str] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["event"] == "suggest":
            configurations[event["trial"]] = canonical(event["configuration"])
        elif event["event"] == "report":
            found.setdefault(configurations[event["trial"]], []).append(event)
    return found


def _told(
    rehearse: Callable[[dict[str, Any]], Replay],
    known: dict[str, list[dict[str, Any]]],
    seconds_too: bool,
) -> Callable[[dict[str, Any]], Replay]:
    """Replays what is known of a configuration; from there on, and of others, what is predicted."""

    def begin(configuration: dict[str, Any]) -> Replay:
        replay = rehearse(configuration)
        reports = known.get(canonical(configuration), [])
        curve = replay.curve
        values = [
            {**curve.values[0], "loss": float(report.get("raw_loss", report["loss"]))}
            for report in reports
        ]
        seconds = [report["step_seconds"] for report in reports] if seconds_too else []
        told: Curve = replace(
            curve,
            values=values + curve.values[len(values) :],
            step_seconds=seconds + curve.step_seconds[len(seconds) :],
        )
        return Replay(told, replay.processes)

    return begin
