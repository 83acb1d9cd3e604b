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
"""Full trainings under a scheduler without brackets."""


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


def climb(algorithm: Algorithm, objective: Objective, slots: int, seed: int = 0) -> list[Rung]:
    """Search at random under the algorithm's scheduler; none if that has no rungs.

    Random, because a rung does not care where its configurations come from, and this is quick. Of
    Hyperband the first round of brackets is counted. The last step of a training is no rung.
    """
    scheduler: Any = search_of(objective, algorithm, BUDGET).scheduler
    budget = BUDGET
    if isinstance(scheduler, HyperBandScheduler):
        plan = brackets(objective.max_steps, scheduler._eta)
        budget = slots + sum(map(steps_of, plan)) // objective.max_steps + 1
    elif isinstance(scheduler, AsyncHyperBandScheduler):
        lowest = min(steps for steps, _ in scheduler._brackets[0]._rungs)
        plan = [asha_rungs(lowest, scheduler._reduction_factor, objective.max_steps)]
    else:
        return []
    search = search_of(objective, algorithm, budget, slots, seed)
    search.searcher = RandomSearcher(search.problem)
    finished = [e for e in events_of(search) if e["event"] == "finish"]
    ends = [(e["step"], e["status"]) for e in sorted(finished, key=lambda e: int(e["trial"]))]
    found = []
    for number, rungs in enumerate(plan):
        joined = rungs[0][0] or len(ends)
        mine, ends = ends[:joined], ends[joined:]
        for (places, steps), after in zip(rungs, [*rungs[1:], (0, 0)], strict=True):
            if steps == objective.max_steps:
                continue
            went_on = sum(end > steps for end, _ in mine)
            stopped = sum(end == steps and status != "cut" for end, status in mine)
            arrived = went_on + stopped
            paper = after[0] if places else arrived // scheduler._reduction_factor
            found.append(Rung(number, steps, arrived, went_on, places or None, paper))
    return found


def steps_of(bracket: list[tuple[int, int]]) -> int:
    """Steps that all trials of a bracket train, who go on from where they were.

    >>> steps_of([(9, 1), (3, 3), (1, 9)])
    21
    """
    before = [0, *(steps for _, steps in bracket)]
    return sum(n * (steps - was) for (n, steps), was in zip(bracket, before, strict=False))


def asha_rungs(lowest: int, reduction_factor: int, max_steps: int) -> list[tuple[int, int]]:
    """The rungs r · ηᵏ below R of Li et al., MLSys 2020, as (0, steps): it plans no numbers.

    Of n that have arrived at a rung, ⌊n/η⌋ are to go on.
    """
    rungs = []
    while lowest < max_steps:
        rungs.append((0, lowest))
        lowest *= reduction_factor
    return rungs
