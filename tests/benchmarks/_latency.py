"""How long one algorithm takes to suggest and to observe, at growing numbers of observations.

Run as a process of its own, which has imported what a search by this algorithm imports and nothing
else: `python -m tests.benchmarks._latency tpe 10 50` prints, for each number of observations, a
line of JSON with the seconds of each measurement.
"""

import json
import math
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from bench import plugins
from bench.algorithm import Algorithm, Problem
from bench.audit.landscape import MnistSpace
from bench.space import active

OBSERVATIONS = (0, 10, 20, 50, 100, 200, 1000)
PAIRS = 40
"""Measurements: pairs of a suggestion and the observation of its result."""
FEWEST_PAIRS = 10
PATIENCE_SECONDS = 60.0
"""Having spent so long at one number of observations, those that are made first included, it is
content with FEWEST_PAIRS; if the first suggestion of a search alone takes longer, with that one."""

OPTIONS: dict[str, dict[str, Any]] = {"grid": {"resolution": 5}}
NOT_ASKED_FROM = {"bayesopt": 50, "gp": 1000, "hebo": 50, "hebo_asha": 50}
"""From so many observations on, to ask these for every one would take hours."""

Pair = tuple[float, float]
"""Seconds of a suggestion, and of the observation of its result."""


class Search:
    """A search at one slot that has observed so many full trainings.

    Each is asked for and told as the engines do it, with the default options; but from
    NOT_ASKED_FROM on with `startup_trials` = `observations`: the algorithm's own random phase makes
    them, through the same calls, and the next suggestion is its model's first. That model has the
    size that it would have had, but knows random places, not those that it would have chosen, and
    so takes longer: docs/suggestion-latency.md says by how much where that was compared.
    """

    def __init__(self, name: str, observations: int, seed: int) -> None:
        options = OPTIONS.get(name, {})
        if observations >= NOT_ASKED_FROM.get(name, math.inf):
            options = {**options, "startup_trials": observations}
        self.objective = MnistSpace()
        self.searcher, _ = built(name, **options).ray(problem(self.objective, seed))
        self.space = self.objective.space()
        self.trials = 0
        for _ in range(observations):
            self.trial()

    def trial(self) -> Pair:
        """One trial more."""
        trial_id = f"trial{self.trials}"
        self.trials += 1
        began = time.perf_counter()
        suggestion = self.searcher.suggest(trial_id)
        suggested = time.perf_counter()
        loss = self.objective.distance(active(self.space, suggestion))
        result = {"loss": loss, "training_iteration": self.objective.max_steps}
        trained = time.perf_counter()
        self.searcher.on_trial_complete(trial_id, result)
        return suggested - began, time.perf_counter() - trained


def built(name: str, **options: Any) -> Algorithm:
    algorithm = plugins.load_class("algorithms", name)(**options)
    assert isinstance(algorithm, Algorithm)
    return algorithm


def problem(objective: MnistSpace, seed: int = 0) -> Problem:
    return Problem(objective.space(), objective.max_steps, slots=1, seed=seed)


def measure(name: str, observations: int) -> list[Pair]:
    """The measured pairs: PAIRS of them, or fewer where they take long."""
    pairs = []
    began = time.monotonic()
    for pair in _pairs(name, observations):
        pairs.append(pair)
        impatient = time.monotonic() - began > PATIENCE_SECONDS
        if len(pairs) == PAIRS or (impatient and len(pairs) >= FEWEST_PAIRS):
            break
    return pairs


def _pairs(name: str, observations: int) -> Iterator[Pair]:
    """Pairs of search after search, each left when it has a tenth more than `observations`.

    From none on: the first six, of which the last five are measured.

    The first pair of each is not measured: it imports what a library imports late, and has to fit
    a model anew that later ones only refine.
    """
    for seed in count():
        search = Search(name, observations, seed)
        first = search.trial()
        if sum(first) > PATIENCE_SECONDS:
            yield first
            return
        for _ in range(observations // 10 or 5):
            yield search.trial()


if __name__ == "__main__":
    for observations in map(int, sys.argv[2:]):
        pairs = measure(sys.argv[1], observations)
        print(json.dumps({"observations": observations, "pairs": pairs}), flush=True)
