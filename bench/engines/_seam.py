"""The seam between Ray Tune and the journal: three wrappers, the same under both clocks.

Ray's controller (ray/tune/execution/tune_controller.py, `step`) asks the searcher for trials while
fewer than the limit are pending, then the scheduler what to run, then handles one event. A result
goes to the stopper first; if that does not stop the trial, to the scheduler; and if that does not
stop it either, to the searcher. A trial that stops is completed in both.
"""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from bench.engines._recorder import Recorder
from bench.space import active

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
        space: "ConfigurationSpace",
    ) -> None:
        super().__init__(metric="loss", mode="min")
        self.inner = searcher
        self._scheduler = scheduler
        self._recorder = recorder
        self._space = space

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._recorder.over:
            return Searcher.FINISHED
        if self._scheduler.running() >= self._recorder.cell.slots:
            return None
        began = time.perf_counter()
        suggestion = self.inner.suggest(trial_id)
        seconds = time.perf_counter() - began
        if suggestion is None or suggestion == Searcher.FINISHED:
            return suggestion
        configuration = active(self._space, suggestion)
        self._recorder.suggested(trial_id, configuration, seconds)
        return configuration

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        began = time.perf_counter()
        self.inner.on_trial_result(trial_id, result)
        self._recorder.observed(time.perf_counter() - began)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """A failed trial is told as the worst loss: an algorithm shall learn from it."""
        cause = self._scheduler.errors.pop(trial_id, None)
        if error:
            worst = {"loss": self._recorder.worst_loss, "training_iteration": 1}
            result = {**worst, **(result or {}), "loss": self._recorder.worst_loss}
        began = time.perf_counter()
        self.inner.on_trial_complete(trial_id, result)
        seconds = time.perf_counter() - began
        self._recorder.finished(trial_id, seconds, error=cause or ("unknown" if error else None))

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the journal is the checkpoint."""


class JournaledScheduler(TrialScheduler):
    """Any TrialScheduler, its decisions timed and journaled."""

    def __init__(self, scheduler: TrialScheduler, recorder: Recorder, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.inner = scheduler
        self.errors: dict[str, str] = {}
        """Why a trial failed, until the searcher is told."""
        self._recorder = recorder
        self._controller: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_controller": None}

    def running(self) -> int:
        """Trials that hold a slot or are about to."""
        if self._controller is None:
            return 0
        trials = self._controller.get_live_trials()
        return sum(trial.status in (Trial.PENDING, Trial.RUNNING) for trial in trials)

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
        self.inner.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        began = time.perf_counter()
        decision = self.inner.on_trial_result(tune_controller, trial, result)
        self._recorder.decided(trial.trial_id, decision, time.perf_counter() - began)
        return decision

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self.errors[trial.trial_id] = self._cause(trial)
        self.inner.on_trial_error(tune_controller, trial)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        self.inner.on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        self.inner.on_trial_remove(tune_controller, trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        return self.inner.choose_trial_to_run(tune_controller)

    def debug_string(self) -> str:
        return self.inner.debug_string()

    def _cause(self, trial: Trial) -> str:
        """Why a trial failed, in one line."""
        hung = hung_file(self._folder, trial.trial_id)
        if hung.is_file() and (stacks := hung.read_text()):
            limit = self._recorder.cell.max_trial_seconds
            main_thread = stacks.rpartition("Thread 0x")[2].splitlines()[1:]
            innermost = main_thread[0].strip() if main_thread else "an unknown place"
            return f"trained longer than max_trial_seconds = {limit:g}; hung at {innermost}"
        error_file = Path(trial.error_file or "")
        text = error_file.read_text() if error_file.is_file() else ""
        return last_error(text.rpartition("Failure #")[2])


def last_error(text: str) -> str:
    r"""The line of a traceback, or of Ray's account of a dead actor, that says why.

    >>> last_error("1 (occurred at ...)\nTraceback ...\n  File ...\nValueError: no\n")
    'ValueError: no'
    """
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
    return [*lines[:1], "died without a word", *errors][-1 if errors else 0].strip()[:500]


def hung_file(folder: Path, trial_id: str) -> Path:
    """Where a trial that is killed for its time leaves its stack; empty for all others."""
    return folder / f"{trial_id}.hung"
