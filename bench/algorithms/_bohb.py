"""Ray's TuneBOHB without its defects: docs/decisions/0007-library-defects.md."""

import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
from hpbandster.optimizers.config_generators import bohb as hpbandster_bohb
from ray.tune.search.bohb import TuneBOHB
from scipy.special import ndtr, ndtri

from bench.algorithm import Problem
from bench.algorithms._generators import PrivateGenerators
from bench.conditions import without_fixed


def truncated_normal(a: float, b: float, loc: float, scale: float) -> float:
    """Draw as scipy's `truncnorm.rvs` does, from the same generator, by the same inversion.

    hpbandster draws a thousand numbers a suggestion one by one, and scipy takes 0.5 ms for each,
    nearly all of it to check its arguments: two thirds of a suggestion.
    """
    low, high = ndtr(a), ndtr(b)
    return float(loc + scale * ndtri(low + np.random.uniform() * (high - low)))


hpbandster_bohb.sps = SimpleNamespace(truncnorm=SimpleNamespace(rvs=truncated_normal))


class NoFallback(logging.Logger):
    """Turns hpbandster's word that it fell back to random into an error.

    hpbandster catches whatever its model raises, logs it, and draws at random.
    """

    def warning(self, msg: object, *arguments: object, **_: Any) -> None:
        if "random configuration" in str(msg).lower():
            lines = (str(msg) % arguments if arguments else str(msg)).splitlines()
            said = [line.strip() for line in lines if line.strip() and "random" not in line.lower()]
            raise RuntimeError(f"BOHB's model failed: {' '.join([*said[:1], *said[1:][-1:]])}")

    debug = warning  # type: ignore[assignment]


class BohbSearcher(TuneBOHB):
    """TuneBOHB that is seeded, learns from every rung, and never falls back in silence.

    What is fixed it does not see: for hpbandster that would be one dimension more, and its model
    begins only with so many results as there are dimensions.
    """

    def __init__(self, problem: Problem, rungs: set[int], settings: dict[str, Any]) -> None:
        self._generators = PrivateGenerators(problem.seed)
        self._rungs = sorted(rungs)
        self._told: dict[str, int] = {}  # by trial, the last rung whose result the model has
        self._fixed, space = without_fixed(problem.space)
        settings = {**settings, "logger": NoFallback("bohb")}
        super().__init__(space, bohb_config=settings, metric="loss", mode="min", seed=problem.seed)

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """The model draws from numpy's global generator; `seed` seeds ConfigSpace's alone."""
        with self._generators:
            suggested = super().suggest(trial_id)
        return suggested and {**self._fixed, **suggested}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        if "budget" in result["hyperband_info"]:
            self._told[trial_id] = result["hyperband_info"]["budget"]
        with self._generators:  # which fills gaps of conditional parameters at random
            super().on_trial_result(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Learn from a trial's last result: Ray tells it here alone, and TuneBOHB drops it.

        Those are all results at full length, and the last to come at each rung; but not those of
        trials that are stopped while they are saved, which it has been told before. A failed trial
        counts at the next rung of any bracket.
        """
        told = self._told.pop(trial_id, None)
        if result is not None:
            step = result["training_iteration"]
            rung = next(rung for rung in self._rungs if rung >= step)
            if rung != told and (rung == step or "failed" in result):
                self.on_trial_result(trial_id, {**result, "hyperband_info": {"budget": rung}})
        super().on_trial_complete(trial_id, result, error)
