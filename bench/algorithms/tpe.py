"""`tpe`: Optuna's tree-structured Parzen estimator through Ray's OptunaSearch; full trainings.

Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; Watanabe,
Tree-Structured Parzen Estimator, arXiv:2304.11127.
"""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from bench.algorithm import Algorithm, Problem

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Tpe(Algorithm):
    """The sampler's settings that matter; all but `group` default to Optuna's own values."""

    startup_trials: int = Field(10, ge=1)
    """Random trials before the first that comes from the model."""
    ei_candidates: int = Field(24, ge=1)
    """Draws from the good density, of which the best ratio is suggested."""
    multivariate: bool = True
    """Model the parameters jointly."""
    group: bool = True
    """With `multivariate`: one joint model for each set of parameters that are active together;
    without it, Optuna models the conditional ones by themselves."""
    constant_liar: bool = True
    """Running trials count as bad ones, so that slots do not get the same suggestion."""

    @model_validator(mode="after")
    def _group_needs_multivariate(self) -> Self:
        if self.group and not self.multivariate:
            raise ValueError("group needs multivariate: set group = false too")
        return self

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        import warnings

        import optuna
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search.optuna import OptunaSearch

        from bench.space import to_optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            # `group` may change in a later Optuna: the lock and the header say which this was.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=self.startup_trials,
                n_ei_candidates=self.ei_candidates,
                multivariate=self.multivariate,
                group=self.group,
                constant_liar=self.constant_liar,
                seed=problem.seed,
            )
        searcher = OptunaSearch(
            space=to_optuna(problem.space), metric="loss", mode="min", sampler=sampler
        )
        return searcher, FIFOScheduler()
