"""Ray's AsyncHyperBandScheduler without its draw from a global generator."""

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler


class Asha(AsyncHyperBandScheduler):
    """The stopping variant of asynchronous successive halving, as Ray 2.60 has it.

    It is not Algorithm 2 of Li et al. (A System for Massively Parallel Hyperparameter Tuning,
    MLSys 2020), which pauses every trial at its rung and promotes the best of the rung whenever a
    worker is free. Here nothing is paused. With η = reduction_factor, r = grace_period and
    R = max_t:

    - The rungs are the paper's: r · ηᵏ steps, k = 0, 1, …, below R.
    - A trial that reaches a rung is compared with those that reached it *before*: it goes on if its
      loss is at most their 1/η-quantile, linearly interpolated. So the first to arrive always goes
      on, and so does a trial that ties. Where losses come in random order, the n-th arrival goes on
      with a probability of about (1 + (n - 2)/η)/n: 1/2 for the second, and for η > 2 always more
      than the 1/η that it comes near to.
    - What is stopped is stopped for good, also if later trials turn out worse; what went on is not
      called back if they turn out better.
    - A trial that fails by its loss counts at the rung it has just reached, with the worst loss;
      one whose process fails does not.
    """

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Give it the one bracket; Ray draws even that from numpy's global generator."""
        (self._trial_info[trial.trial_id],) = self._brackets
