"""Optuna's CMA-ES sampler that keeps its dimensions."""

from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import CmaEsSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from bench.space import Parameter


class FixedCmaEs(CmaEsSampler):
    """CmaEsSampler of Optuna 5.0, but for the dimensions of its model: they are fixed.

    Optuna's own models what all trials so far have had. If the first trials happen to share a
    conditional number, it counts; when a trial without it ends, the model's dimensions no longer
    match, and from then on every trial is drawn at random, with at most one line in the log.
    """

    def __init__(self, numbers: list[Parameter], **settings: Any) -> None:
        super().__init__(**settings)
        self._numbers = {each.name: _distribution(each) for each in numbers}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The parameters that it models: always the same."""
        return dict(self._numbers)


def _distribution(number: Parameter) -> BaseDistribution:
    if number.kind == "int":
        return IntDistribution(int(number.lower), int(number.upper), log=number.log)
    return FloatDistribution(number.lower, number.upper, log=number.log)
