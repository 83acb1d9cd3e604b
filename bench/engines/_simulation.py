"""Searches without a cell on disk, run in the loop: for audits, checks and tests."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.algorithm import Algorithm
from bench.cell import Cell, PlugIn
from bench.engines._loop import Loop
from bench.engines._search import Form, Search, compose
from bench.objective import Objective
from bench.seeds import derive, training_seed

Seconds = Callable[[dict[str, Any], int], float]
"""How long a step takes: (configuration, step) -> seconds, more than 0."""


class Events(list[dict[str, Any]]):
    """A journal in memory."""

    def write(self, event: dict[str, Any]) -> None:
        self.append(event)


class Trained:
    """A real training, of as many virtual seconds as it is said to take (see Rehearsal)."""

    def __init__(self, search: Search, configuration: dict[str, Any], seconds: Seconds) -> None:
        cell = search.cell
        seed = training_seed(cell.objective.name, cell.seed, configuration)
        self._training = search.objective.train(configuration, seed, cell.device)
        self._configuration, self._seconds = configuration, seconds
        self.step = self._training.step

    def start(self) -> tuple[float, float]:
        return 0.0, 0.0

    def seconds(self, step: int) -> float:
        return self._seconds(self._configuration, step)


def search_of(
    objective: Objective,
    algorithm: Algorithm,
    budget: int,
    slots: int = 1,
    seed: int = 0,
    form: Form = "ray",
) -> Search:
    """The search of an objective by an algorithm; run it once, with `events_of` or `turns_of`."""
    tuned, tuner = (PlugIn(type(each).__name__) for each in (objective, algorithm))
    cell = Cell(tuned, tuner, "loop", "cpu", slots, 1, seed, budget, objective.max_steps)
    return compose(cell, objective, algorithm, "virtual", form)


def by_configuration(configuration: dict[str, Any], step: int) -> float:
    """Between 1 and 2 s, another for each configuration: no two trials go in step."""
    return 1 + derive("seconds", configuration) / 2**32


def events_of(search: Search, seconds: Seconds = by_configuration) -> Events:
    """Run a search in the loop; what happened, in a journal's form, its seconds virtual."""
    events = Events()
    Loop(search, events, lambda configuration: Trained(search, configuration, seconds)).run()
    return events


def turns_of(search: Search, algorithm: Algorithm) -> Events:
    """Run a search in Optuna's form by turns; what happened, as of `events_of`."""
    from bench.engines._turns import Turns

    events = Events()
    Turns(search, algorithm, events, partial(Trained, search, seconds=by_configuration)).run()
    return events
