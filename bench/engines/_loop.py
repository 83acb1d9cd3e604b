"""A stand-in for Ray's TuneController: the same calls in the same order, without its processes.

Trainings run in this process; time jumps from event to event, so that a search of cheap trainings
takes milliseconds at any number of slots. The order is that of Ray 2.60's controller
(ray/tune/execution/tune_controller.py, `step`): ask the searcher for trials, ask the scheduler
what to run, start what is pending, handle one event.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from bench.engines._recorder import Recorder, Sink
from bench.engines._seam import RESULT_KEYS, BudgetStopper, JournaledScheduler, JournaledSearcher
from bench.engines._search import Search
from bench.engines._trial import counted
from bench.objective import Training
from bench.seeds import training_seed

Seconds = Callable[[dict[str, Any], int], float]
"""How long a step takes: (configuration, step) -> seconds, more than 0."""


class Loop:
    """Drives one search to its end; what happens goes to `sink`, in a journal's form.

    It has what Ray's schedulers use of a controller: `get_trials`, `get_live_trials`,
    `stop_trial` and `search_alg.searcher`.
    """

    def __init__(self, search: Search, sink: Sink, seconds: Seconds) -> None:
        self._search, self._seconds, self._now = search, seconds, 0.0
        self._recorder = Recorder(
            search.cell, sink, search.objective.worst_loss, lambda: self._now, lambda event: None
        )
        self._errors: dict[Trial, str] = {}
        self._scheduler = JournaledScheduler(
            search.scheduler, self._recorder, self._errors.__getitem__
        )
        self._searcher = JournaledSearcher(
            search.searcher, self._scheduler, self._recorder, search.problem.space
        )
        self._stopper = BudgetStopper(self._recorder, self._scheduler)
        self.search_alg = SimpleNamespace(searcher=self._searcher)
        self._trials: list[Trial] = []
        self._queue: deque[Trial] = deque()  # pending, in the order in which they get a slot
        self._trainings: dict[Trial, Training] = {}  # those that hold a slot
        self._saved: dict[Trial, bytes] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def get_trials(self) -> list[Trial]:
        return self._trials

    def get_live_trials(self) -> list[Trial]:
        return [trial for trial in self._trials if not trial.is_finished()]

    def run(self) -> None:
        """Go on until the search is over, or neither its searcher nor its scheduler goes on."""
        finished = False
        while not self._stopper.stop_all():
            finished = finished or self._ask()
            self._start()
            if self._events:
                self._now, _, handle = heapq.heappop(self._events)
                handle()
            elif not self._queue:
                break  # as Ray, which ends when the searcher has finished, or waits for ever
        self._recorder.close()

    def _ask(self) -> bool:
        """Let the searcher suggest until it gives nothing; whether it never will again."""
        pending = sum(trial.status == Trial.PENDING for trial in self._trials)
        while pending < self._search.cell.slots:
            trial_id = f"{len(self._trials):08d}"
            suggestion = self._searcher.suggest(trial_id)
            if suggestion is None or suggestion == Searcher.FINISHED:
                return suggestion is not None
            trial = Trial("stub", config=suggestion, trial_id=trial_id, stub=True)
            self._trials.append(trial)
            self._scheduler.on_trial_add(self, trial)
            pending += 1
        return False

    def _start(self) -> None:
        chosen = self._scheduler.choose_trial_to_run(self)
        if chosen is not None:
            chosen.set_status(Trial.PENDING)
            self._enqueue(chosen)
        for trial in self._trials:
            if trial.status == Trial.PENDING:
                self._enqueue(trial)
        while self._queue and len(self._trainings) < self._search.cell.slots:
            self._begin(self._queue.popleft())

    def _enqueue(self, trial: Trial) -> None:
        if trial not in self._queue:
            self._queue.append(trial)

    def _begin(self, trial: Trial) -> None:
        search = self._search
        name, seed = search.cell.objective.name, search.cell.seed
        training = search.objective.train(
            trial.config, training_seed(name, seed, trial.config), search.cell.device
        )
        if trial in self._saved:
            training.load(self._saved.pop(trial))
        self._trainings[trial] = training
        trial.set_status(Trial.RUNNING)
        self._train(trial)

    def _train(self, trial: Trial) -> None:
        """Run the next step; its result arrives when its seconds are over."""
        step = self._recorder.steps(trial.trial_id) + 1
        seconds = self._seconds(trial.config, step)
        try:
            values = self._trainings[trial].step()
        except Exception as error:
            self._errors[trial] = f"{type(error).__name__}: {error}"
            self._at(seconds, lambda: self._failed(trial))
            return
        report = {**counted(values, self._search.objective.worst_loss), "step_seconds": seconds}
        diverged = not math.isfinite(float(report.get("raw_loss", 0)))
        done = diverged or step >= self._search.cell.max_steps
        result = {"loss": report["loss"], "training_iteration": step, "done": done}
        self._at(seconds, lambda: self._arrived(trial, {**result, RESULT_KEYS: report}))

    def _at(self, seconds: float, handle: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._numbers), handle))

    def _arrived(self, trial: Trial, result: dict[str, Any]) -> None:
        if self._stopper(trial.trial_id, result) or result["done"]:
            decision = TrialScheduler.STOP
        else:
            decision = self._scheduler.on_trial_result(self, trial, result)
        if decision != TrialScheduler.STOP:
            self._searcher.on_trial_result(trial.trial_id, result)
        trial.run_metadata.last_result = result
        if decision == TrialScheduler.CONTINUE:
            self._train(trial)
        elif decision == TrialScheduler.PAUSE:
            trial.temporary_state.saving_to = True  # what schedulers see as `is_saving`
            self._at(0.0, lambda: self._pause(trial))  # when its checkpoint is saved
        else:
            self.stop_trial(trial)

    def _pause(self, trial: Trial) -> None:
        trial.temporary_state.saving_to = None
        if trial.status == Trial.RUNNING:  # not stopped while it was saved
            self._saved[trial] = self._trainings.pop(trial).state()
            trial.set_status(Trial.PAUSED)

    def _failed(self, trial: Trial) -> None:
        self._scheduler.on_trial_error(self, trial)
        self._searcher.on_trial_complete(trial.trial_id, error=True)
        self._release(trial, Trial.ERROR)

    def stop_trial(self, trial: Trial) -> None:
        """Stop a trial in whatever state; schedulers call it too."""
        if trial.status == Trial.RUNNING:
            result = trial.run_metadata.last_result
            self._scheduler.on_trial_complete(self, trial, result)
            self._searcher.on_trial_complete(trial.trial_id, result)
        elif not trial.is_finished():
            self._scheduler.on_trial_remove(self, trial)
            self._searcher.on_trial_complete(trial.trial_id)
        self._release(trial, Trial.TERMINATED)

    def _release(self, trial: Trial, status: str) -> None:
        trial.set_status(status)
        self._trainings.pop(trial, None)
        self._saved.pop(trial, None)
        if trial in self._queue:
            self._queue.remove(trial)
