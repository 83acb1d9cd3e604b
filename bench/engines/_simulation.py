"""Searches without a cell on disk, run in the loop: for audits, checks and tests."""

from typing import Any

from bench.algorithm import Algorithm
from bench.cell import Cell, PlugIn
from bench.engines._loop import Loop, Seconds
from bench.engines._search import Search, compose
from bench.objective import Objective
from bench.seeds import derive


class Events(list[dict[str, Any]]):
    """A journal in memory."""

    def write(self, event: dict[str, Any]) -> None:
        self.append(event)


def search_of(
    objective: Objective, algorithm: Algorithm, budget: int, slots: int = 1, seed: int = 0
) -> Search:
    """The search of an objective by an algorithm; run it once, with `events_of`."""
    tuned, tuner = (PlugIn(type(each).__name__) for each in (objective, algorithm))
    cell = Cell(tuned, tuner, "loop", "cpu", slots, 1, seed, budget, objective.max_steps)
    return compose(cell, objective, algorithm, "virtual")


def by_configuration(configuration: dict[str, Any], step: int) -> float:
    """Between 1 and 2 s, another for each configuration: no two trials go in step."""
    return 1 + derive("seconds", configuration) / 2**32


def events_of(search: Search, seconds: Seconds = by_configuration) -> Events:
    """Run a search in the loop; what happened, in a journal's form, its seconds virtual."""
    events = Events()
    Loop(search, events, seconds).run()
    return events
