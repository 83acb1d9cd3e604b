"""Ray's BayesOptSearch on the unit cube that stands for a mixed space."""

import io
import sys
from contextlib import redirect_stdout
from typing import Any

import bayes_opt
from ray.tune.search.bayesopt import BayesOptSearch

from bench.algorithm import Problem
from bench.encoding import Array, CubeEncoding


class SnappedUtility(bayes_opt.UtilityFunction):
    """The upper confidence bound of the configuration that a point stands for."""

    def __init__(self, encoding: CubeEncoding, kappa: float) -> None:
        super().__init__(kind="ucb", kappa=kappa, xi=0.0)
        self._encoding = encoding

    def utility(self, x: Array, gp: Any, y_max: float) -> Array:
        return super().utility(self._encoding.snap(x), gp, y_max)


class BayesOptSearcher(BayesOptSearch):
    """BayesOptSearch that knows every kind of parameter, never waits and never gives up.

    The defects that each part mends are in tests/defects/test_bayesopt.py.
    """

    def __init__(self, problem: Problem, startup_trials: int, kappa: float) -> None:
        self._encoding = CubeEncoding(problem.space)
        self._startup_trials = startup_trials
        super().__init__(
            # bayes_opt sorts the names: so many digits that they stay in order.
            space={f"{index:06}": (0.0, 1.0) for index in range(self._encoding.dimensions)},
            metric="loss",
            mode="min",
            random_state=problem.seed,
            random_search_steps=0,  # its own random phase is a barrier: `suggest` has one instead
            verbose=0,
            patience=sys.maxsize,
            skip_duplicate=False,
        )
        self.utility = SnappedUtility(self._encoding, kappa)

    def _setup_optimizer(self) -> None:
        """As Ray's, but a configuration may come twice."""
        self.optimizer = bayes_opt.BayesianOptimization(
            f=None,
            pbounds=self._space,
            random_state=self._random_state,
            verbose=0,
            allow_duplicate_points=True,
        )

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """A random configuration until so many trials have ended; then the model's, at once."""
        known = self.optimizer.space
        if len(known) < self._startup_trials:
            point = known.random_sample()
        else:
            point = known.params_to_array(self.optimizer.suggest(self.utility))
        configuration = self._encoding.decode(point)
        self._live_trial_mapping[trial_id] = self._encoding.encode(configuration)
        return configuration

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        with redirect_stdout(io.StringIO()):  # bayes_opt prints, in red, that a point came twice
            super().on_trial_complete(trial_id, result, error)
