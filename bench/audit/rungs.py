"""What a scheduler that stops trials early did at each rung, beside what its paper says."""

from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, HyperBandScheduler

from bench.algorithm import Algorithm
from bench.algorithms._hyperband import brackets
from bench.algorithms._random import RandomSearcher
from bench.engines._simulation import events_of, search_of
from bench.objective import Objective

BUDGET = 18
"""Full trainings: enough for all brackets of R = 81, η = 3."""


@dataclass(frozen=True)
class Rung:
    """How many trials came to a rung, and how many went on from there."""

    bracket: int
    """In the order of their start, from 0 on; ASHA has one."""
    steps: int
    """Of a trial so far."""
    arrived: int
    went_on: int
    paper_arrived: int | None
    """By the paper's table; None for ASHA, where it follows from chance."""
    paper_went_on: int

    @property
    def stopped_share(self) -> float:
        return 1 - self.went_on / self.arrived if self.arrived else 0.0


def climb(algorithm: Algorithm, objective: Objective, slots: int) -> list[Rung]:
    """Search at random under the algorithm's scheduler; none if that has no rungs.

    Random, because a rung does not care where its configurations come from, and this is quick. Of
    Hyperband the first round of brackets is counted. The last step of a training is no rung.
    """
    search = search_of(objective, algorithm, BUDGET, slots)
    search.searcher = RandomSearcher(search.problem)
    scheduler: Any = search.scheduler
    if isinstance(scheduler, HyperBandScheduler):
        plan = brackets(objective.max_steps, scheduler._eta)
    elif isinstance(scheduler, AsyncHyperBandScheduler):
        lowest = min(steps for steps, _ in scheduler._brackets[0]._rungs)
        plan = [asha_rungs(lowest, scheduler._reduction_factor, objective.max_steps)]
    else:
        return []
    events = events_of(search)
    ends = [e["step"] for e in sorted(events, key=trial_of) if e["event"] == "finish"]
    found = []
    for number, rungs in enumerate(plan):
        joined = rungs[0][0] or len(ends)
        mine, ends = ends[:joined], ends[joined:]
        for (places, steps), after in zip(rungs, [*rungs[1:], (0, 0)], strict=True):
            arrived = sum(end >= steps for end in mine)
            if steps < objective.max_steps:
                went_on = sum(end > steps for end in mine)
                by_table = after[0] if places else arrived // scheduler._reduction_factor
                found.append(Rung(number, steps, arrived, went_on, places or None, by_table))
    return found


def asha_rungs(lowest: int, reduction_factor: int, max_steps: int) -> list[tuple[int, int]]:
    """The rungs r · ηᵏ below R of Li et al., MLSys 2020, as (0, steps): it plans no numbers.

    Of n that have arrived at a rung, ⌊n/η⌋ are to go on.
    """
    rungs = []
    while lowest < max_steps:
        rungs.append((0, lowest))
        lowest *= reduction_factor
    return rungs


def trial_of(event: dict[str, Any]) -> int:
    """The number of an event's trial; the end has none."""
    return int(event.get("trial", -1))
