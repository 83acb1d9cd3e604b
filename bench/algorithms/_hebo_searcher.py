"""Ray's HEBOSearch, corrected; the defects are shown in tests/defects/test_hebo.py."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bench.algorithm import Problem
from bench.algorithms._generators import PrivateGenerators
from bench.algorithms._hebo_space import design_space, one_silent_thread, value
from bench.space import parameters

with one_silent_thread():
    from hebo.acquisitions.acq import MACE
    from ray.tune.search.hebo import HEBOSearch

GP = {"lr": 0.01, "num_epochs": 100, "verbose": False, "noise_lb": 8e-4, "pred_likeli": False}
"""HEBO's own settings of its Gaussian process."""
FITS = 10
GAVE_UP = "jitter is too large"
"""What HEBO prints when it gives up a fit, and when it makes predictions up."""


class HeboSearcher(HEBOSearch):
    """HEBOSearch that asks HEBO for one configuration whenever it is asked for one."""

    def __init__(self, problem: Problem, startup_trials: int | None) -> None:
        self._parameters = parameters(problem.space)
        self._max_steps = problem.max_steps
        self._best_in_full = -math.inf
        self._generators = PrivateGenerators(problem.seed, torch=True)
        space = design_space(self._parameters)
        with self._alone():
            super().__init__(
                space=space,
                metric="loss",
                mode="min",
                random_state_seed=None,  # it would seed the generators of the whole process
                max_concurrent=problem.slots,
                model_name="gp",
                rand_sample=startup_trials or 1 + space.num_paras,
                acq_cls=MACE,
                es="nsga2",
                model_config=GP,
                scramble_seed=problem.seed,
            )

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """One configuration, by all that is known now; HEBOSearch would make a batch ahead."""
        with self._alone() as printed:
            losses = self._opt.y.astype(np.float32)
            if len(losses) and losses.min() == losses.max():
                # Nothing to model: HEBO would give up after a thousand attempts to fit.
                point = self._opt.quasi_sample(1)
            else:
                point = self._modelled(printed)
        self._live_trial_mapping[trial_id] = point
        suggested = point.to_dict("records")[0]
        return {each.name: value(each, suggested) for each in self._parameters}

    def _modelled(self, printed: io.StringIO) -> Any:
        """HEBO's suggestion, asked for again where it is a random one.

        Its fit adds Langevin noise, without bound where a gradient vanishes: length scales become 0
        and all predictions random, now and then while trials are fewer than parameters. Another
        fit has other noise.
        """
        for _ in range(FITS):
            printed.seek(0)
            printed.truncate()
            point = self._opt.suggest(n_suggestions=1)
            if GAVE_UP not in printed.getvalue():
                return point
        raise RuntimeError(f"HEBO could not fit its Gaussian process in {FITS} attempts")

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Take note of a trial's last loss.

        HEBO has no word for a trial that was stopped early. Its last loss counts, but as no better
        than the best full training: where losses rise with the steps, the least would be early.
        """
        if result is not None and "failed" not in result:
            best, loss = self._best_in_full, result["loss"]
            if result["training_iteration"] < self._max_steps:
                result = {**result, "loss": max(loss, best)}
            else:
                self._best_in_full = loss if best == -math.inf else min(best, loss)
        with self._alone():
            super().on_trial_complete(trial_id, result, error)

    @contextmanager
    def _alone(self) -> Iterator[io.StringIO]:
        """Neither disturb the rest of the process nor be disturbed by it; yields its prints."""
        with self._generators, one_silent_thread() as printed:
            yield printed
