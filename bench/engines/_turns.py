"""Optuna's workers in this process, by turns, on a virtual clock: for the checks of algorithms.

Each has a sampler and a pruner of its own and they share a study, as in the engine `optuna`; whose
step is over first is first, so that a search is the same each time.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna

from bench.algorithm import Algorithm, NoMoreSuggestions
from bench.engines._clock import VirtualClock
from bench.engines._loop import Rehearsal
from bench.engines._recorder import Recorder, Sink
from bench.engines._search import Search
from bench.engines._study import made, tell
from bench.engines._training import counted, diverged, words_of
from bench.seeds import worker_seed
from bench.space import Active, to_optuna


@dataclass
class Flight:
    """A trial in flight."""

    trial: optuna.Trial
    training: Rehearsal
    step: int = 0
    loss: float | None = None

    def seconds(self) -> float:
        """Of its next step."""
        return self.training.seconds(self.step + 1)


class Turns:
    """Drives one search, composed in Optuna's form, to its end; what happens goes to `sink`."""

    def __init__(
        self,
        search: Search,
        algorithm: Algorithm,
        sink: Sink,
        rehearse: Callable[[dict[str, Any]], Rehearsal],
    ) -> None:
        self._cell, self._worst_loss = search.cell, search.objective.worst_loss
        self._rehearse = rehearse
        self._clock = VirtualClock()
        self._recorder = Recorder(search.cell, sink, self._worst_loss, self._clock)
        space = search.problem.space
        self._suggest, self._active = to_optuna(space), Active(space)
        storage = optuna.storages.InMemoryStorage()
        self._studies = [made("turns", storage, search.searcher, search.scheduler)]
        for number in range(2, search.cell.slots + 1):
            seed = worker_seed(search.problem.seed, number)
            sampler, pruner = algorithm.optuna(search.problem, seed)
            study = optuna.load_study(
                study_name="turns", storage=storage, sampler=sampler, pruner=pruner
            )
            self._studies.append(study)
        self._flights: dict[int, Flight] = {}

    def run(self) -> None:
        """Go on until the budget is spent, or no worker is given another trial."""
        due = [(0.0, worker) for worker in range(self._cell.slots)]
        while due and not self._recorder.over:
            self._clock.now, worker = heapq.heappop(due)
            if worker in self._flights:
                self._step(worker)
            if worker not in self._flights and not self._recorder.over:
                self._ask(worker)
            if worker in self._flights:
                heapq.heappush(due, (self._clock.now + self._flights[worker].seconds(), worker))
        self._recorder.close()

    def _ask(self, worker: int) -> None:
        try:
            trial = self._studies[worker].ask()
        except NoMoreSuggestions:
            return
        self._suggest(trial)
        configuration = self._active(trial.params)
        self._recorder.suggested(str(trial.number), configuration, 0.0)
        self._flights[worker] = Flight(trial, self._rehearse(configuration))

    def _step(self, worker: int) -> None:
        flight = self._flights[worker]
        name, step = str(flight.trial.number), flight.step + 1
        seconds = flight.seconds()
        try:
            values = flight.training.step()
        except Exception as error:
            self._end(worker, "failed", words_of(error))
            return
        report = {**counted(values, self._worst_loss), "step_seconds": seconds}
        flight.step, flight.loss = step, report["loss"]
        self._recorder.reported(name, step, report)
        if self._recorder.over:
            return
        if diverged(report):
            self._end(worker, "failed")
            return
        flight.trial.report(report["loss"], step)
        if step == self._cell.max_steps:
            self._end(worker, "completed")
            return
        stops = flight.trial.should_prune()
        self._recorder.decided(name, "stop" if stops else "continue", 0.0)
        self._recorder.observed(0.0)
        if stops:
            self._end(worker, "stopped")

    def _end(self, worker: int, status: str, error: str | None = None) -> None:
        flight = self._flights.pop(worker)
        tell(self._studies[worker], flight.trial.number, status, flight.loss, self._worst_loss)
        self._recorder.finished(str(flight.trial.number), 0.0, error)
