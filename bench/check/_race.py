"""Is an algorithm better than random search? A sequential test, seed by seed."""

import math
import statistics
from functools import cache

from bench import plugins
from bench.algorithm import Algorithm
from bench.check._searches import Tried
from bench.objective import Objective

ERROR = 0.01
"""Probability that an algorithm which is no better than random search passes, and that one which
is better in nine of ten seeds does not."""
BETTER, NO_BETTER = 0.9, 0.5
"""Share of seeds in which the loss is below the median of random search, that are told apart."""
MOST = 60
"""Seeds after which it is given up: the truth is in between."""


def race(tried: Tried, name: str, budget: int) -> tuple[bool, int, int]:
    """Whether it wins, seeds won, and seeds run on the objective of this name.

    A sequential probability ratio test (Wald, Annals of Mathematical Statistics 16, 1945): seeds
    are run until the ratio of the two hypotheses leaves (ERROR, 1/ERROR) or so.
    """
    objective = plugins.load_class("objectives", name)()
    assert isinstance(objective, Objective)
    bar, ratio, won = _median_of_random(name, budget), 0.0, 0
    bound = math.log((1 - ERROR) / ERROR)
    for seed in range(MOST):
        if best(tried, objective, budget, seed) < bar:
            won, ratio = won + 1, ratio + math.log(BETTER / NO_BETTER)
        else:
            ratio += math.log((1 - BETTER) / (1 - NO_BETTER))
        if abs(ratio) >= bound:
            return ratio > 0, won, seed + 1
    return False, won, MOST


def best(tried: Tried, objective: Objective, budget: int, seed: int) -> float:
    """The least loss of a search."""
    events = tried.search(objective, budget, seed=seed)
    return float(min(event["loss"] for event in events if event["event"] == "report"))


@cache
def _median_of_random(name: str, budget: int) -> float:
    """Of 101 other seeds."""
    objective = plugins.load_class("objectives", name)()
    random = plugins.load_class("algorithms", "random")()
    assert isinstance(objective, Objective) and isinstance(random, Algorithm)
    return statistics.median(best(Tried(random), objective, budget, 1000 + n) for n in range(101))
