"""The seam between Ray Tune and the journal: wrappers, the same under both clocks.

Ray's controller (ray/tune/execution/tune_controller.py, `step`) asks the searcher for trials while
fewer than the limit are pending, then the scheduler what to run, then handles one event. A result
goes to the stopper first; if that does not stop the trial, to the scheduler; and if that does not
stop it either, to the searcher. A trial that stops is completed in both.
"""

import signal
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from bench.engines._asked import Asked
from bench.engines._recorder import Recorder
from bench.space import Active

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

RESULT_KEYS = "bench"
"""Where a result holds what the journal's report shall hold."""


class BudgetStopper(Stopper):
    """Sees every result first: journals it, and stops the search when its budget is spent."""

    def __init__(self, recorder: Recorder, scheduler: "JournaledScheduler") -> None:
        self._recorder = recorder
        self._scheduler = scheduler

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        step = result["training_iteration"]
        self._recorder.reported(trial_id, step, result[RESULT_KEYS])
        return self._recorder.over

    def stop_all(self) -> bool:
        """Whether the search is over; then the trials in flight are killed, not waited for."""
        if self._recorder.over:
            self._scheduler.kill_running()
        return self._recorder.over


class JournaledSearcher(Searcher):
    """Any Searcher, its suggestions checked against the space, timed and journaled.

    Asked while all slots are taken, it gives none: a suggestion is made when it can run, so that
    the algorithm knows all that was known by then. (Ray would ask for one ahead.)
    """

    def __init__(
        self,
        searcher: Searcher,
        scheduler: "JournaledScheduler",
        recorder: Recorder,
        asked: Asked,
        space: "ConfigurationSpace",
    ) -> None:
        super().__init__(metric="loss", mode="min")
        self.inner = searcher
        self._scheduler = scheduler
        self._recorder = recorder
        self._slots = recorder.cell.slots
        self._asked = asked
        self._active = Active(space)
        self._unpaused: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Ray pickles what it is given, for a restore that is never asked for: not this."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._recorder.over:
            return Searcher.FINISHED
        if self._scheduler.running(self._unpaused) >= self._slots:
            return None
        suggestion, seconds = self._asked("suggest", self.inner.suggest, trial_id)
        if suggestion is None and self._scheduler.idle():
            self._recorder.end("failed", "the algorithm suggested nothing while nothing ran")
            return Searcher.FINISHED
        if suggestion is None or suggestion == Searcher.FINISHED:
            return suggestion
        configuration = self._active(suggestion)
        self._recorder.suggested(trial_id, configuration, seconds)
        return configuration

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        _, seconds = self._asked("observe", self.inner.on_trial_result, trial_id, result)
        self._recorder.observed(seconds)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """A failed trial is told as the worst loss, and as failed: an algorithm shall learn."""
        if self._recorder.failure is not None:
            return  # Ray takes the algorithm's error for the trial's, and completes it again
        cause = self._scheduler.errors.pop(trial_id, None)
        if error or self._recorder.diverged(trial_id):
            failed_step = {"training_iteration": self._recorder.steps(trial_id) + 1}
            worst = {"loss": self._recorder.worst_loss, "failed": True}
            result = {**failed_step, **(result or {}), **worst}
        _, seconds = self._asked("complete", self.inner.on_trial_complete, trial_id, result)
        self._recorder.finished(trial_id, seconds, error=cause or ("unknown" if error else None))

    def on_pause(self, trial_id: str) -> None:
        """HyperBandForBOHB and TuneBOHB talk to each other so, through Ray's controller."""
        self._unpaused.discard(trial_id)
        if hasattr(self.inner, "on_pause"):
            self.inner.on_pause(trial_id)

    def on_unpause(self, trial_id: str) -> None:
        """The scheduler will run a paused trial when a slot is free; it comes before new ones."""
        self._unpaused.add(trial_id)
        if hasattr(self.inner, "on_unpause"):
            self.inner.on_unpause(trial_id)

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the journal is the checkpoint."""


class JournaledScheduler(TrialScheduler):
    """Any TrialScheduler, its decisions timed and journaled.

    `cause` says why a trial failed, `holding` how many trials of a controller are pending or run.
    """

    def __init__(
        self,
        scheduler: TrialScheduler,
        recorder: Recorder,
        asked: Asked,
        cause: Callable[[Trial], str],
        holding: Callable[[Any], int],
    ) -> None:
        super().__init__()
        self.inner = scheduler
        self._holding = holding
        self._asked = asked
        self._cause = cause
        self.errors: dict[str, str] = {}
        """Why a trial failed, until the searcher is told."""
        self._recorder = recorder
        self._controller: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def running(self, unpaused: Collection[str] = ()) -> int:
        """Trials that hold a slot or are about to; `unpaused` are paused ones that may go on."""
        if self._controller is None:
            return 0
        count = self._holding(self._controller)
        if unpaused:
            live = self._controller.get_live_trials()
            paused = (trial for trial in live if trial.status == Trial.PAUSED)
            count += sum(trial.trial_id in unpaused for trial in paused)
        return count

    def idle(self) -> bool:
        """No trial runs or could go on."""
        return self._controller is None or not self._controller.get_live_trials()

    def kill_running(self) -> None:
        """End the processes of the trials in flight, in the middle of a step if need be."""
        trials = self._controller.get_live_trials() if self._controller is not None else []
        for trial in trials:
            actor = trial.temporary_state.ray_actor
            if trial.status == Trial.RUNNING and actor is not None:
                ray.kill(actor)

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        return True

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self._controller = tune_controller
        self._asked("decide", self.inner.on_trial_add, tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        decision, seconds = self._asked(
            "decide", self.inner.on_trial_result, tune_controller, trial, result
        )
        self._recorder.decided(trial.trial_id, decision, seconds)
        return decision

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self.errors[trial.trial_id] = self._cause(trial)
        self._asked("decide", self.inner.on_trial_error, tune_controller, trial)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        self._asked("decide", self.inner.on_trial_complete, tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        self._asked("decide", self.inner.on_trial_remove, tune_controller, trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        chosen, _ = self._asked("decide", self.inner.choose_trial_to_run, tune_controller)
        return chosen  # type: ignore[no-any-return]

    def debug_string(self) -> str:
        return self.inner.debug_string()


class PauseWatcher(Callback):
    """Journals that a trial was paused: Ray saves a state for nothing else."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def on_trial_save(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        if trial.status == Trial.RUNNING and not self._recorder.over:
            self._recorder.paused(trial.trial_id)


class SignalKeeper(Callback):
    """Takes SIGUSR1 back from Ray Tune, to which it means: end the search as if it were over."""

    def __init__(self) -> None:
        self._handler = signal.getsignal(signal.SIGUSR1)

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_step_begin(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        if iteration == 0:
            signal.signal(signal.SIGUSR1, self._handler)


def holding(controller: Any) -> int:
    """Trials of Ray's controller that are pending or run."""
    statuses = [trial.status for trial in controller.get_live_trials()]
    return statuses.count(Trial.PENDING) + statuses.count(Trial.RUNNING)
