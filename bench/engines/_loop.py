"""A stand-in for Ray's TuneController: the same calls in the same order, on a virtual clock.

Trainings run in this process; time jumps from event to event, so that a search takes milliseconds
at any number of slots. The order is that of Ray 2.60's controller
(ray/tune/execution/tune_controller.py, `step`): ask the searcher for trials, ask the scheduler
what to run, start what is pending, handle one event. Like that controller it does one thing at a
time: what arrives while the algorithm thinks waits until it has thought.
"""

import heapq
import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from bench.engines._asked import Costs, charged, unwarned
from bench.engines._clock import VirtualClock
from bench.engines._loop_trial import LoopTrial
from bench.engines._recorder import Recorder, Sink
from bench.engines._seam import RESULT_KEYS, BudgetStopper, JournaledScheduler, JournaledSearcher
from bench.engines._search import Search
from bench.engines._training import counted


class Rehearsal(Protocol):
    """A training on the virtual clock; one that is paused is kept as it is."""

    def start(self) -> tuple[float, float]:
        """It gets a slot: seconds until its step begins, and of those to build the training."""

    def seconds(self, step: int) -> float:
        """How long a step takes; more than 0."""

    def step(self) -> dict[str, float]:
        """What `Training.step` returns, or raises."""


class Loop:
    """Drives one search to its end; what happens goes to `sink`, in a journal's form.

    `costs` says how long the algorithm thinks; without, it takes no time. The loop has what Ray's
    schedulers use of a controller: `get_trials` (of Ray's, those that are not over), `stop_trial`,
    `get_live_trials` and `search_alg.searcher`. Between two steps of a trial pass
    `round_trip_seconds`, in which the controller may do something else.
    """

    def __init__(
        self,
        search: Search,
        sink: Sink,
        rehearse: Callable[[dict[str, Any]], Rehearsal],
        costs: Costs | None = None,
        round_trip_seconds: float = 0.0,
    ) -> None:
        self._slots, self._max_steps = search.cell.slots, search.cell.max_steps
        self._worst_loss = search.objective.worst_loss
        self._rehearse, self._round_trip_seconds = rehearse, round_trip_seconds
        self._clock = VirtualClock()
        self._recorder = Recorder(search.cell, sink, self._worst_loss, self._clock)
        self._errors: dict[LoopTrial, str] = {}
        asked = charged(self._recorder, self._clock, costs)
        self._scheduler = JournaledScheduler(
            search.scheduler, self._recorder, asked, self._errors.__getitem__, Loop.holding
        )
        self._searcher = JournaledSearcher(
            search.searcher, self._scheduler, self._recorder, asked, search.problem.space
        )
        # A bound method: Python calls it faster than the object.
        self._stops = BudgetStopper(self._recorder, self._scheduler).__call__
        self.search_alg = SimpleNamespace(searcher=self._searcher)
        self._live: dict[LoopTrial, None] = {}
        self._added: dict[LoopTrial, None] = {}  # pending, not in the queue yet
        self._queue: dict[LoopTrial, None] = {}  # pending, in the order in which they get a slot
        self._running: dict[LoopTrial, None] = {}
        self._paused: dict[LoopTrial, None] = {}
        self._events: list[tuple[float, int, Callable[..., None], LoopTrial, Any]] = []
        self._numbers = itertools.count()
        self._trial_numbers = itertools.count()

    def get_live_trials(self) -> list[LoopTrial]:
        return list(self._live)

    def get_trials(self) -> list[LoopTrial]:
        """Those that are not over; what waits is before what runs, so that it is found at once."""
        waiting = [*self._paused, *self._queue, *self._added]
        waiting.sort(key=LoopTrial.number)
        return [*waiting, *self._running]

    def holding(self) -> int:
        """Trials that have a slot or wait for one."""
        return len(self._live) - len(self._paused)

    def run(self) -> None:
        """Go on until the search is over, or neither its searcher nor its scheduler goes on."""
        with unwarned():
            self._run()
        self._recorder.close()

    def _run(self) -> None:
        finished = False
        while not self._recorder.over:  # `stop_all` would end processes, and here are none
            if len(self._running) < self._slots or len(self._live) > self._slots:
                finished = finished or self._ask()
                self._start()
            if self._events:
                at, _, handle, trial, what = heapq.heappop(self._events)
                if at > self._clock.now:
                    self._clock.now = at
                handle(trial, what)
            elif not self._queue:
                break  # as Ray, which ends when the searcher has finished, or waits for ever

    def _ask(self) -> bool:
        """Let the searcher suggest until it gives nothing; whether it never will again.

        Ray asks also when no slot is free, and then gets nothing.
        """
        while self.holding() < self._slots:
            trial_id = f"{next(self._trial_numbers):08d}"
            suggestion = self._searcher.suggest(trial_id)
            if not isinstance(suggestion, dict):
                return suggestion == Searcher.FINISHED
            trial = LoopTrial(trial_id, suggestion)
            self._live[trial] = self._added[trial] = None
            self._scheduler.on_trial_add(self, trial)
        return False

    def _start(self) -> None:
        """Fill the free slots: first with what the scheduler chooses, then as they have waited."""
        chosen: Any = self._scheduler.choose_trial_to_run(self)
        if chosen is not None:
            chosen.set_status(LoopTrial.PENDING)
            self._paused.pop(chosen, None)
            if len(self._running) < self._slots:
                self._begin(chosen)
            else:
                self._queue.setdefault(chosen)
        self._queue.update(self._added)
        self._added.clear()
        while self._queue and len(self._running) < self._slots:
            self._begin(next(iter(self._queue)))

    def _begin(self, trial: LoopTrial) -> None:
        if trial.rehearsal is None:
            trial.rehearsal = self._rehearse(trial.config)
        self._queue.pop(trial, None)
        self._added.pop(trial, None)
        self._running[trial] = None
        trial.status = LoopTrial.RUNNING
        self._train(trial, trial.rehearsal.start())

    def _train(self, trial: LoopTrial, start: tuple[float, float] | None = None) -> None:
        """Run the next step; its result arrives when its seconds are over."""
        rehearsal = trial.rehearsal
        step = trial.steps = trial.steps + 1
        seconds = rehearsal.seconds(step)
        arrival = self._clock.now + seconds + self._round_trip_seconds
        if start is not None:
            arrival += start[0]
        try:
            values = rehearsal.step()
        except Exception as error:
            self._errors[trial] = f"{type(error).__name__}: {error}"
            self._at(arrival, self._failed, trial)
            return
        report = counted(values, self._worst_loss)
        diverged = "raw_loss" in report and not math.isfinite(float(report["raw_loss"]))
        report["step_seconds"] = seconds
        if start is not None:
            report["setup_seconds"] = start[1]
        result = {
            "loss": report["loss"],
            "training_iteration": step,
            "done": diverged or step >= self._max_steps,
            RESULT_KEYS: report,
        }
        self._at(arrival, self._arrived, trial, result)

    def _at(
        self, time: float, handle: Callable[..., None], trial: LoopTrial, what: Any = None
    ) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), handle, trial, what))

    def _arrived(self, trial: LoopTrial, result: dict[str, Any]) -> None:
        if self._stops(trial.trial_id, result) or result["done"]:
            decision = TrialScheduler.STOP
        else:
            decision = self._scheduler.on_trial_result(self, trial, result)
        if decision != TrialScheduler.STOP:
            self._searcher.on_trial_result(trial.trial_id, result)
        trial.last_result = result
        if decision == TrialScheduler.CONTINUE:
            self._train(trial)
        elif decision == TrialScheduler.PAUSE:
            trial.is_saving = True
            self._at(self._clock.now, self._pause, trial)  # when its checkpoint is saved
        else:
            self.stop_trial(trial)

    def _pause(self, trial: LoopTrial, _: None) -> None:
        trial.is_saving = False
        if trial.status == LoopTrial.RUNNING:  # not stopped while it was saved
            self._recorder.paused(trial.trial_id)
            del self._running[trial]
            self._paused[trial] = None
            trial.status = LoopTrial.PAUSED

    def _failed(self, trial: LoopTrial, _: None) -> None:
        self._scheduler.on_trial_error(self, trial)
        self._searcher.on_trial_complete(trial.trial_id, error=True)
        self._release(trial, LoopTrial.ERROR)

    def stop_trial(self, trial: LoopTrial) -> None:
        """Stop a trial in whatever state; schedulers call it too."""
        if trial.status == LoopTrial.RUNNING:
            result = trial.last_result
            self._scheduler.on_trial_complete(self, trial, result)
            self._searcher.on_trial_complete(trial.trial_id, result)
        elif not trial.is_finished():
            self._scheduler.on_trial_remove(self, trial)
            self._searcher.on_trial_complete(trial.trial_id)
        self._release(trial, LoopTrial.TERMINATED)

    def _release(self, trial: LoopTrial, status: str) -> None:
        if trial.status == LoopTrial.RUNNING:
            del self._running[trial]
        else:
            for trials in (self._added, self._queue, self._paused):
                trials.pop(trial, None)
        self._live.pop(trial, None)
        trial.status = status
        trial.rehearsal = None
