"""Optuna's TPE as a Ray Tune Searcher: what `tpe` and its combinations share."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from bench.algorithms._unseen import until
from bench.objective import Objective
from bench.options import Options

if TYPE_CHECKING:
    from optuna.samplers import TPESampler
    from ray.tune.search import Searcher

    from bench.algorithm import Problem


class TpeOptions(Options):
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

    def remark(self, objective: Objective, budget: int) -> str | None:
        """How long it is random search."""
        return until("configurations are random", self.startup_trials, budget)


def tpe_searcher(options: TpeOptions, problem: "Problem") -> "Searcher":
    """The Searcher; it learns from early-stopped trials too."""
    from bench.algorithms._optuna import optuna_searcher

    return optuna_searcher(tpe_sampler(options, problem.seed), problem, ranks_pruned=True)


def tpe_sampler(options: TpeOptions, seed: int) -> "TPESampler":
    """Optuna's own."""
    from optuna.samplers import TPESampler

    from bench.algorithms._quiet import quiet

    with quiet():
        return TPESampler(
            n_startup_trials=options.startup_trials,
            n_ei_candidates=options.ei_candidates,
            multivariate=options.multivariate,
            group=options.group,
            constant_liar=options.constant_liar,
            seed=seed,
        )
