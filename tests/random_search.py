"""Journals of random searches for tests, and what really became of their slots."""

import heapq
import random
from dataclasses import dataclass, field
from typing import Any

from journals import finish, report, suggest


@dataclass(order=True)
class Flight:
    """A step in flight, and since when its trial has waited for it."""

    arrival: float
    trial: int
    step: int = field(compare=False)
    since: float = field(compare=False)
    step_seconds: float = field(compare=False)
    setup_seconds: float | None = field(compare=False)


class Simulated:
    """A search with thinking, barriers, pauses, failures, NaN and interruptions.

    Like Ray's controller, it does one thing at a time; what trains, trains meanwhile.
    `training` and `lost` are seconds of slots as they really were. `unknowable`: a trial that had
    just gone on after a pause came to no report, or not in one go, and no event says since when.
    """

    def __init__(self, chance: random.Random, slots: int, length: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.training = self.lost = self.now = 0.0
        self.unknowable = False
        self._chance, self._slots, self._trials = chance, slots, 0
        self._flights: list[Flight] = []
        self._paused: list[tuple[int, int]] = []
        while len(self.events) < length:
            self._start()
            self._arrive(heapq.heappop(self._flights))
            if chance.random() < 0.05:
                self._interrupt()
        for flight in self._flights:
            self._lose(flight)
            self.events.append(finish(flight.trial, self.now, "cut"))
        self.events += [finish(trial, self.now, "cut") for trial, _ in self._paused]

    def _think(self) -> float:
        seconds = self._chance.choice([0.0, 0.01, 0.3]) * self._chance.random()
        self.now += seconds
        return seconds

    def _start(self) -> None:
        started: list[tuple[int, int]] = []
        while len(self._flights) + len(started) < self._slots:
            if self._paused and self._chance.random() < 0.5:
                started.append(self._paused.pop(self._chance.randrange(len(self._paused))))
            elif self._chance.random() < 0.2 and (self._flights or started):
                break  # a barrier
            else:
                seconds = self._think()
                self.events.append(suggest(self._trials, self.now, suggest_seconds=seconds))
                started.append((self._trials, 0))
                self._trials += 1
        for trial, step in started:
            process = self._chance.choice([0.0, 0.5]) * self._chance.random()
            self._train(trial, step + 1, self._chance.random(), process)

    def _train(
        self, trial: int, step: int, setup_seconds: float | None = None, process: float = 0.0
    ) -> None:
        step_seconds = 0.1 + self._chance.random()
        arrival = self.now + process + (setup_seconds or 0.0) + step_seconds
        flight = Flight(arrival, trial, step, self.now, step_seconds, setup_seconds)
        heapq.heappush(self._flights, flight)

    def _arrive(self, flight: Flight) -> None:
        trial, step = flight.trial, flight.step
        self.now = max(self.now, flight.arrival)
        words = ["fails", "nan", "completed", "stop", "pause", *["continue"] * 5]
        fate = self._chance.choice(words)
        if fate == "fails":
            seconds = self._think()
            self._lose(flight)
            self.events.append(finish(trial, self.now, "failed", observe_seconds=seconds))
            return
        useful = fate != "nan"
        self.training += flight.step_seconds if useful else 0.0
        if not useful:
            self._lose(flight)
        measured: dict[str, Any] = {"step_seconds": flight.step_seconds}
        if flight.setup_seconds is not None:
            measured["setup_seconds"] = flight.setup_seconds
        if not useful:
            measured["raw_loss"] = "nan"
        self.events.append(report(trial, self.now, 0.5, step, **measured))
        seconds = self._think()
        if fate in ("nan", "completed"):
            status = fate if useful else "failed"
            self.events.append(finish(trial, self.now, status, observe_seconds=seconds))
            return
        self.events.append({"event": "decide", "seconds": self.now, "trial": trial, "step": step})
        self.events[-1] |= {"decision": fate, "decide_seconds": seconds}
        if fate == "continue":
            self._train(trial, step + 1)
        elif fate == "pause":
            self.events.append({"event": "pause", "seconds": self.now, "trial": trial})
            self._paused.append((trial, step))
        else:
            self.events.append(finish(trial, self.now, "stopped"))

    def _lose(self, flight: Flight) -> None:
        self.lost += self.now - flight.since
        self.unknowable |= flight.step > 1 and flight.setup_seconds is not None

    def _interrupt(self) -> None:
        """It goes on where it was; steps in flight are trained again."""
        self.now = self.events[-1]["seconds"]
        self.events.append({"event": "resume", "seconds": self.now})
        for each in self._flights:
            self._lose(each)
            each.since, each.arrival = self.now, self.now + each.step_seconds
            each.setup_seconds = None if each.setup_seconds is None else 0.0
        heapq.heapify(self._flights)
