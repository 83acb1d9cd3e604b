"""What a worker says, and what it is answered: the one place where the journal is written.

A worker goes on when it is answered, so the study never holds what the journal does not. When it
dies, its trial is taken over by the next that is free, from the last state that was kept: a trial
has one worker at a time, and no step is reported twice. The second death is the trial's failure.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optuna.study import Study
from optuna.trial import TrialState

from bench.engines._recorder import Recorder
from bench.engines._storage import StorageFailed, lock_of
from bench.engines._study import tell
from bench.engines._training import diverged
from bench.engines._wire import Message
from bench.engines._workers import Worker, Workers

MOST_DEATHS = 2
"""Of a trial's workers; then it was the trial that killed them."""


class AlgorithmFailed(Exception):
    """An error of the algorithm's, or of its storage's, in a worker; its words have the kind."""


@dataclass
class Flight:
    """A trial in flight."""

    id: int
    """The study's."""
    losses: list[float] = field(default_factory=list)
    trained_seconds: float = 0.0
    decision: str | None = None
    """On its last step."""
    diverged: bool = False
    deaths: int = 0

    def reported(self, report: dict[str, Any]) -> None:
        self.losses.append(report["loss"])
        self.trained_seconds += report["step_seconds"] + report.get("setup_seconds", 0.0)
        self.diverged, self.decision = diverged(report), None

    @classmethod
    def all_in(cls, events: list[dict[str, Any]], ids: dict[int, int]) -> "dict[int, Flight]":
        """Those that a journal's events leave in flight; `ids` are the study's."""
        flights: dict[int, Flight] = {}
        for event in events:
            kind = event["event"]
            if kind == "suggest":
                flights[event["trial"]] = cls(ids[event["trial"]])
            elif kind == "report":
                flights[event["trial"]].reported(event)
            elif kind == "decide":
                flights[event["trial"]].decision = event["decision"]
            elif kind == "finish":
                del flights[event["trial"]]
        return flights


class Desk:
    """Answers the workers of one search.

    `flights` are the trials in flight of a search that was interrupted, by the journal's number;
    `go_on` is called with the steps that were trained again when all of them are where they were.
    `hung` says why a trial was killed for its time, if it was.
    """

    def __init__(
        self,
        workers: Workers,
        recorder: Recorder,
        study: Study,
        flights: dict[int, Flight],
        contract: Callable[[Worker], Message],
        hung: Callable[[int], str | None],
        go_on: Callable[[int], None],
    ) -> None:
        self._workers, self._recorder, self._study = workers, recorder, study
        self._flights = flights
        self._contract, self._hung, self._go_on = contract, hung, go_on
        self._orphans = [*flights]
        self._unborn: list[int] = []
        """The ids of trials whose workers died before they were suggested."""
        self._doubted: tuple[set[int], set[Worker]] = set(), set()
        self._behind = set(flights)
        """What is not yet where it was."""
        self._held: list[tuple[Worker, Message]] = []
        self._retrained = 0
        self._exhausted = False

    def begin(self, resumes: bool) -> None:
        """Start the workers; trials that had come to their end before are over."""
        if self._recorder.over:  # only its end was not written
            self._go_on(0)
            return
        behind = bool(self._flights)
        for number in [*self._flights]:
            if self._own_end(number) is not None:
                self._orphans.remove(number)
                self._conclude(number, None)
        if resumes and not behind:
            self._go_on(0)
        for slot in range(self._workers.slots):
            self._workers.start(slot)

    def serve(self, seconds: float) -> None:
        """Answer what is said within so many seconds. Raises AlgorithmFailed."""
        for worker, message in self._workers.hear(seconds):
            if self._recorder.over:
                return
            if message is None:
                self._lost(worker)
            else:
                self._answer(worker, message)
        if self._exhausted and not self._flights and not self._workers.asking:
            self._recorder.end("failed", "the algorithm made no more suggestions")

    def settle(self) -> None:
        """The search is over: finish the trials that had come to their own end."""
        for number in [*self._flights]:
            if self._own_end(number) is not None:
                self._recorder.finished(str(number), 0.0)
                del self._flights[number]

    def _answer(self, worker: Worker, message: Message) -> None:
        what = message["what"]
        if what == "hello":
            self._workers.answer(worker, self._contract(worker))
        elif what == "broken":
            if message["storage"]:
                raise StorageFailed(message["error"])
            raise AlgorithmFailed(message["error"])
        elif what == "exhausted":
            worker.asking, self._exhausted = False, True
            self._no_doubt(worker)
        elif what == "finish":
            self._finish(worker, message)
        elif what == "decide":
            assert worker.trial is not None
            self._flights[worker.trial].decision = message["decision"]
            self._recorder.decided(str(worker.trial), message["decision"], message["seconds"])
            self._recorder.observed(0.0)
        elif what == "again":
            self._again(worker, message)
        elif what == "report":
            self._report(worker, message)
        elif what == "suggest":
            self._suggest(worker, message)
        elif what == "free":
            self._free(worker, message)

    def _free(self, worker: Worker, message: Message) -> None:
        if self._orphans:
            number = self._orphans.pop(0)
            worker.trial = number
            self._workers.has_trial(worker)
            flight = self._flights[number]
            task = {
                "id": flight.id,
                "number": number,
                "losses": flight.losses,
                "trained_seconds": flight.trained_seconds,
                "decided": flight.decision is not None,
            }
            self._workers.answer(worker, task)
        elif self._behind:
            self._held.append((worker, message))
        else:
            worker.asking = True
            self._workers.answer(worker, {"id": self._unborn.pop(0)} if self._unborn else {})

    def _suggest(self, worker: Worker, message: Message) -> None:
        number = self._recorder.suggestions
        worker.trial, worker.asking = number, False
        self._workers.has_trial(worker)
        self._flights[number] = Flight(message["id"])
        self._no_doubt(worker, message["id"])
        seconds = message["suggest_seconds"]
        self._recorder.suggested(str(number), message["configuration"], seconds)
        self._workers.answer(worker, {"number": number})

    def _report(self, worker: Worker, message: Message) -> None:
        assert worker.trial is not None
        self._flights[worker.trial].reported(message["report"])
        self._recorder.reported(str(worker.trial), message["step"], message["report"])
        if not self._recorder.over:
            self._workers.answer(worker, {})

    def _again(self, worker: Worker, message: Message) -> None:
        """A trial is where it was; of a search that goes on, all must be before one trains."""
        assert worker.trial is not None
        if worker.trial in self._behind:
            self._retrained += message["retrained"]
            self._held.append((worker, {**message, "clock_stood": True}))
            self._caught_up(worker.trial)
        else:
            self._workers.answer(worker, {"clock_stood": "clock_stood" in message})

    def _finish(self, worker: Worker, message: Message) -> None:
        number, worker.trial = worker.trial, None
        assert number is not None
        del self._flights[number]
        self._recorder.finished(str(number), message["seconds"], message["error"])
        self._caught_up(number)

    def _caught_up(self, number: int) -> None:
        if number not in self._behind:
            return
        self._behind.remove(number)
        if not self._behind:
            self._go_on(self._retrained)
            held, self._held = self._held, []
            for worker, message in held:
                self._answer(worker, message)

    def _lost(self, worker: Worker) -> None:
        """A worker is dead: another is started, and its trial is for the next that is free."""
        if (lock := lock_of(self._study._storage)) is not None:
            lock.break_if_of(worker.name)
        self._held = [each for each in self._held if each[0] is not worker]
        number = worker.trial
        if number is not None:
            self._bereave(number, worker.how_it_ended())
        else:
            if (why := self._workers.dies_in_vain(worker.slot)) is not None:
                self._recorder.end("failed", why)
            elif worker.asking:
                self._doubt()
        self._no_doubt(worker)
        if not self._recorder.over:
            self._workers.start(worker.slot)

    def _bereave(self, number: int, how: str) -> None:
        flight = self._flights[number]
        flight.deaths += 1
        error = self._hung(number)
        if error is None and self._own_end(number) is None:
            if flight.deaths < MOST_DEATHS and not self._is_told(flight):
                self._orphans.append(number)
                return
            error = f"its worker process died: {how}"
        self._conclude(number, error)

    def _is_told(self, flight: Flight) -> bool:
        """Whether the study knows how a trial ended: its worker may have died before it said so."""
        return self._study._storage.get_trial(flight.id).state.is_finished()

    def _conclude(self, number: int, error: str | None) -> None:
        """Say in the study, if that was not done, and in the journal how a trial ended."""
        end, flight = self._own_end(number), self._flights[number]
        if not self._is_told(flight):
            trial = self._study._storage.get_trial(flight.id).number
            loss = flight.losses[-1] if flight.losses else None
            tell(self._study, trial, end or "failed", loss, self._recorder.worst_loss)
        del self._flights[number]
        self._recorder.finished(str(number), 0.0, None if end else error)
        self._caught_up(number)

    def _own_end(self, number: int) -> str | None:
        """How a trial has ended, of which nothing is left to do but to say so."""
        flight = self._flights[number]
        if flight.diverged:
            return "failed"
        if flight.decision == "stop":
            return "stopped"
        return "completed" if len(flight.losses) == self._recorder.cell.max_steps else None

    def _doubt(self) -> None:
        """A worker died asking: of the trials that nobody has yet, one may be its own.

        It is known when each other that asks at this moment has said which is its.
        """
        known = {flight.id for flight in self._flights.values()} | set(self._unborn)
        trials = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        ids, askers = self._doubted
        ids |= {trial._trial_id for trial in trials} - known
        askers |= set(self._workers.asking)

    def _no_doubt(self, worker: Worker, its: int | None = None) -> None:
        """A worker has said which trial is its, or is dead."""
        ids, askers = self._doubted
        ids.discard(-1 if its is None else its)
        askers.discard(worker)
        if ids and not askers:
            self._unborn.extend(sorted(ids))
            ids.clear()
