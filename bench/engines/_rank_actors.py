"""Other ranks of a trial as Ray actors, each in its bundle of the trial's own placement group.

So they may be on other nodes than rank 0, and Ray sees to whose GPU is whose.
"""

from functools import partial
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util import get_current_placement_group, get_node_ip_address
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from bench.cell import Cell
from bench.engines._failure import NODE_DIED
from bench.engines._rank import serve
from bench.engines._shares import bundles
from bench.engines._team import Team
from bench.engines._wire import Message
from bench.objective import Objective


def team(cell: Cell, objective: Objective) -> Team:
    """The ranks of the trial whose actor this process is."""
    return Team(cell, objective, partial(RankActor, bundles(cell)), get_node_ip_address())


class RankActor:
    """An actor that does nothing but serve rank 0."""

    def __init__(self, bundles: list[dict[str, float]], number: int, where: Message) -> None:
        needs = bundles[number]
        place = PlacementGroupSchedulingStrategy(get_current_placement_group(), number)
        options: dict[str, Any] = {"num_cpus": needs["CPU"], "num_gpus": needs.get("GPU", 0)}
        self._actor = ray.remote(_Rank).options(**options, scheduling_strategy=place).remote()
        self._served = self._actor.serve.remote(number, where)

    def ended(self, seconds: float) -> str | None:
        try:
            ray.get(self._served, timeout=seconds)
        except GetTimeoutError:
            return None
        except RayError as error:
            words = " ".join(str(error).split())
            first = words.partition(". ")[0].removesuffix(".")[:300]
            return f"{first}, {NODE_DIED}" if NODE_DIED in words else first
        return "it returned"

    def kill(self) -> None:
        ray.kill(self._actor)


class _Rank:
    def serve(self, number: int, where: Message) -> None:
        serve(number, where)
