"""Lets the trials of a resumed search do again what they did, in the order in which they did it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import ray
from ray.tune import Callback

from bench.engines._past import Past
from bench.engines._recorder import Recorder

REPORT_OMITS = ("event", "seconds", "trial", "step")


@dataclass(frozen=True)
class Step:
    """A step of a trial, as it was."""

    turn: int
    """How many events come before it."""
    report: dict[str, Any]
    """Empty if it failed, or was stopped before it came to its end."""
    error: str | None = None
    """Why it failed."""
    in_flight: bool = False
    """The trial's last: it will go on from here."""


def steps_of(events: list[dict[str, Any]]) -> dict[tuple[int, int], Step]:
    """The steps that were, by trial and step."""
    last = {event["trial"]: event for event in events}
    diverged = {e["trial"] for e in events if isinstance(e.get("raw_loss"), str)}
    found = {}
    for index, event in enumerate(events):
        trial = event["trial"]
        if event["event"] == "report":
            end = last[trial]
            goes_on = end is event or end.get("decision") == "continue"
            report = {name: each for name, each in event.items() if name not in REPORT_OMITS}
            in_flight = goes_on and end["step"] == event["step"]
            found[trial, event["step"]] = Step(index, report, in_flight=in_flight)
        elif event.get("status") == "failed" and trial not in diverged:
            turn = _before_consequences(events, index)
            found[trial, event["step"] + 1] = Step(turn, {}, error=event.get("error", "failed"))
        elif event["event"] == "finish":  # and nobody waits any more for the step that it is in
            found[trial, event["step"] + 1] = Step(index + 1, {})
    return found


def pauses_of(events: list[dict[str, Any]]) -> dict[tuple[int, int], int]:
    """How many events come before a trial's state was saved, by trial and step.

    One that was stopped meanwhile was never paused: nobody waits for its state any more.
    """
    found: dict[tuple[int, int], int] = {}
    for index, event in enumerate(events):
        if event["event"] == "pause":
            found[event["trial"], event["step"]] = index
        elif event["event"] == "finish":
            found.setdefault((event["trial"], event["step"]), index + 1)
    return found


def _before_consequences(events: list[dict[str, Any]], failure: int) -> int:
    """A scheduler may stop other trials for a failure; that stands before it in the journal."""
    reports = (e["trial"] for e in reversed(events[:failure]) if e["event"] == "report")
    reporting = next(reports, None)
    while failure > 0:
        before = events[failure - 1]
        if before.get("status") != "stopped" or before["trial"] == reporting:
            break
        failure -= 1
    return failure


class Conductor:
    """An actor of Ray's that the trials' processes ask, each before each of its steps."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._steps, self._pauses = steps_of(events), pauses_of(events)
        self._all = len(events)
        self._numbers: dict[str, int] = {}
        self._count = 0
        self._catching_up: set[str] = set()
        self._retrained = 0
        self._news = asyncio.Condition()

    async def happened(self, count: int, suggested: str | None, number: int) -> None:
        """So many events have been; the last of them suggested this trial of that number.

        The calls of an actor that awaits need not run in the order in which they were made.
        """
        async with self._news:
            self._count = max(self._count, count)
            if suggested is not None:
                self._numbers[suggested] = number
            self._news.notify_all()

    async def was(self, trial: str, step: int) -> Step | None:
        """What became of a step; None if it has not been yet."""
        async with self._news:
            await self._news.wait_for(lambda: trial in self._numbers or self._count == self._all)
        number = self._numbers.get(trial, -1)
        step_was = self._steps.get((number, step))
        if step_was is not None and step_was.in_flight:
            self._catching_up.add(trial)
        return step_was

    async def caught_up(self, trial: str, retrained: int) -> None:
        """A trial in flight is where it was, having trained so many steps again."""
        self._catching_up.discard(trial)
        self._retrained += retrained

    async def turn(self, count: int | None) -> None:
        """Wait until so many events have been; None: all."""
        async with self._news:
            await self._news.wait_for(
                lambda: self._count >= (self._all if count is None else count)
            )

    async def pause(self, trial: str, step: int) -> None:
        """Wait until it is a trial's turn to have been paused."""
        await self.turn(self._pauses.get((self._numbers.get(trial, -1), step)))

    async def catching_up(self) -> bool:
        return bool(self._catching_up)

    async def retrained(self) -> int:
        return self._retrained


class Patience(Callback):
    """Ends a search that stands still, because it does not do again what it did."""

    def __init__(self, past: Past, recorder: Recorder, conductor: Any) -> None:
        self._past, self._recorder, self._conductor = past, recorder, conductor

    def __getstate__(self) -> dict[str, Any]:
        """Ray pickles what it is given, for a restore that is never asked for: not this."""
        return {}

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        still = self._past.stands_still(lambda: ray.get(self._conductor.catching_up.remote()))
        if still is not None:
            self._recorder.broken(still)


def conduct(past: Past, recorder: Recorder) -> tuple[Any, Patience]:
    """The actor to be asked by trials, which hears of all that happens; and who watches over it."""
    conductor = ray.remote(num_cpus=0)(Conductor).remote(past.events)

    def tell(count: int, event: dict[str, Any]) -> None:
        suggested = recorder.newest if event["event"] == "suggest" else None
        conductor.happened.remote(count, suggested, event["trial"])

    past.tell = tell
    past.let_go = lambda: ray.kill(conductor)
    past.retrained = lambda: ray.get(conductor.retrained.remote())
    return conductor, Patience(past, recorder, conductor)
