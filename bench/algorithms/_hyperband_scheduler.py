"""Ray's HyperBandForBOHB without its defects: docs/decisions/0007-library-defects.md."""

from typing import TYPE_CHECKING, Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import HyperBandForBOHB, TrialScheduler
from ray.tune.schedulers.hyperband import _Bracket

from bench.algorithms._hyperband import brackets

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController


class Bracket(_Bracket):
    """A bracket is full when as many trials as it is for have ever joined it.

    Ray compares its living trials with the places of the current rung: a finished bracket has
    none of either and takes every later trial, which then runs at full length; and a bracket that
    lost a trial to an error is never full.
    """

    def filled(self) -> bool:
        return len(self._all_trials) >= self._n0

    def cur_iter_done(self) -> bool:
        """No rung is judged before all its trials are there."""
        return self.filled() and super().cur_iter_done()


class Hyperband(HyperBandForBOHB):
    """Brackets and rungs of the paper's Table 1."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        plan = brackets(self._max_t_attr, self._eta)
        self._s_max_1 = len(plan)  # Ray rounds log(max_t), and may start at 0 steps
        rungs = {len(bracket) - 1: bracket for bracket in plan}
        self._get_n0 = lambda s: rungs[s][0][0]
        self._get_r0 = lambda s: rungs[s][0][1]

    def _create_bracket(self, s: int) -> Bracket:
        return Bracket(
            time_attr=self._time_attr,
            max_trials=self._get_n0(s),
            init_t_attr=self._get_r0(s),
            max_t_attr=self._max_t_attr,
            eta=self._eta,
            s=s,
            stop_last_trials=self._stop_last_trials,
        )

    def on_trial_result(
        self, tune_controller: "TuneController", trial: Trial, result: dict[str, Any]
    ) -> str:
        """Judge the rung when its last result is there.

        Ray asks instead whether all others are paused *by now*; a trial whose checkpoint is just
        being saved is not, and then nobody judges the rung as long as anything runs.
        """
        bracket, _ = self._trial_info[trial]
        bracket.update_trial_stats(trial, result)
        if bracket.continue_trial(trial):
            result["hyperband_info"] = {}
            return str(TrialScheduler.CONTINUE)
        result["hyperband_info"] = {"budget": bracket._cumul_r}
        action = self._process_bracket(tune_controller, bracket)
        if action == TrialScheduler.PAUSE:
            tune_controller.search_alg.searcher.on_pause(trial.trial_id)
        return action

    def _process_bracket(self, tune_controller: "TuneController", bracket: _Bracket) -> str:
        """Ray leaves a mark that the removal of a failed trial shall not judge a later rung."""
        action = super()._process_bracket(tune_controller, bracket)
        bracket.is_being_processed = False
        return action
