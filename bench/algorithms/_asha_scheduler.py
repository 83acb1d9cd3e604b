"""Ray's AsyncHyperBandScheduler without its draw from a global generator, and quicker."""

from bisect import insort
from math import floor
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket


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

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for bracket in self._brackets:
            bracket.__class__ = Bracket
            bracket._rungs = [(steps, Rung()) for steps, _ in bracket._rungs]
            bracket.by_steps = dict(bracket._rungs)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Give it the one bracket; Ray draws even that from numpy's global generator."""
        (self._trial_info[trial.trial_id],) = self._brackets


class Rung(dict[str, float]):
    """The rewards of the trials that have reached a rung, and the same in ascending order."""

    def __init__(self) -> None:
        super().__init__()
        self.ascending: list[float] = []

    def __setitem__(self, trial_id: str, reward: float) -> None:
        insort(self.ascending, reward)
        super().__setitem__(trial_id, reward)


class Bracket(_Bracket):
    """Finds a rung, and its quantile, where they lie.

    Ray goes through all rungs at every result, and sorts a rung's rewards anew at each of its.
    """

    by_steps: dict[int, "Rung"]

    def on_result(self, trial: Trial, cur_iter: int, cur_rew: float) -> str:
        """A trial that reports each step meets a rung once: at just its steps."""
        rung = self.by_steps.get(cur_iter)
        if rung is None or trial.trial_id in rung:
            return str(TrialScheduler.CONTINUE)
        cutoff = self.cutoff(rung)
        rung[trial.trial_id] = cur_rew
        stops = cutoff is not None and cur_rew < cutoff
        return str(TrialScheduler.STOP if stops else TrialScheduler.CONTINUE)

    def cutoff(self, recorded: Rung) -> float | None:
        """The (1 - 1/η)-quantile, in the very steps of numpy's (`_lerp`): equal to the bit."""
        rewards = recorded.ascending
        if not rewards:
            return None
        place = (len(rewards) - 1) * ((1 - 1 / self.rf) * 100 / 100)
        below = floor(place)
        low, high, share = rewards[below], rewards[min(below + 1, len(rewards) - 1)], place - below
        if share >= 0.5:
            return high - (high - low) * (1 - share)
        return low + (high - low) * share
