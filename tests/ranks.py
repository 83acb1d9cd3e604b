"""A training in several processes, as the engines have it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.cell import Cell, PlugIn
from bench.engines._rank_processes import team
from bench.engines._team import Team
from bench.objective import Objective


@contextmanager
def ranks(name: str, objective: Objective, count: int) -> Iterator[Team]:
    """Have so many ranks of an objective of this package; this process is rank 0."""
    plugin = PlugIn(name, objective.model_dump(mode="json"))
    rest: dict[str, Any] = {"engine": "optuna", "device": "cpu", "gpus": count, "seed": 0}
    cell = Cell(plugin, PlugIn("random"), gpus_per_trial=count, budget=1, max_steps=1, **rest)
    found = team(cell, objective)
    found._end = _fail  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        found.close()


class Ended(Exception):
    """The process of rank 0 would have ended, for this reason."""


def _fail(reason: str) -> None:
    if threading.current_thread() is threading.main_thread():
        raise Ended(reason)
