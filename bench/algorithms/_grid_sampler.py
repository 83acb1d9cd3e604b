"""Optuna's grid sampler for workers that share a study."""

from collections.abc import Sequence

from optuna.samplers import GridSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from bench.algorithm import NoMoreSuggestions, Problem
from bench.algorithms._grid import axis
from bench.space import parameters


class ListedGrid(GridSampler):
    """GridSampler of Optuna 5.0, but that no point is given out twice.

    Optuna's own gives the trial's number as the point's, until they are all given out; then it
    trains some again, and calls `Study.stop`, which is not legal with `ask` and `tell`. A trial
    whose values are given (of a search that goes on) counts for no point. Here it counts for the
    point that it is, and the trials after those get the points that are left, by their numbers.
    The order is the search's, the same for each worker.
    """

    def __init__(self, problem: Problem, resolution: int | None) -> None:
        known = parameters(problem.space)
        super().__init__({each.name: axis(each, resolution) for each in known}, problem.seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if "grid_id" in trial.system_attrs or "fixed_params" in trial.system_attrs:
            return
        given = [
            self._all_grids.index(
                tuple(each.system_attrs["fixed_params"][name] for name in self._param_names)
            )
            for each in study.get_trials(deepcopy=False)
            if "fixed_params" in each.system_attrs
        ]
        place = trial.number - len(given)  # those were the first
        left = sorted(set(range(self._n_min_trials)).difference(given))
        if place >= len(left):
            raise NoMoreSuggestions
        study._storage.set_trial_system_attr(trial._trial_id, "grid_id", left[place])

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Nothing: who asks for a point that is not there is told so."""
