"""An interrupted search is brought to where it was: it does again what its journal says it did.

Searcher and scheduler are asked anew, in the same order, and must say the same; trials give the
reports that they gave, without training. Nothing of that is written, and the clock stands still.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from bench.engines._clock import WallClock
from bench.engines._recorder import Recorder, Sink
from bench.errors import UserError
from bench.journal import OPTIONS

STILL_SECONDS = 300.0
"""A replay in which nothing happens for so long, and no trial is caught up, has diverged."""


class Diverged(UserError):
    """The search does not do what it did: its journal is not of this code on this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"cannot be resumed: {what}; its journal is kept: go on with the code and the packages "
            "that it names, or run it anew with --anew"
        )


class Past:
    """Takes the events of a resumed search: compares those that were, writes those that are new.

    `tell` hears how many have been, and of which event that is said; `retrained` says how many
    steps were trained again, when all have been; `let_go` is called when the search is over.
    """

    def __init__(
        self, journal: Sink, events: list[dict[str, Any]], clock: WallClock, about: dict[str, Any]
    ) -> None:
        self._journal, self._clock, self._about = journal, clock, about
        self.events = [e for e in events if e["event"] not in ("resume", "utilisation")]
        """Those that were, without the resumptions between them, and what was sampled."""
        self._count = 0
        self._began = self._last = time.perf_counter()
        self.tell: Callable[[int, dict[str, Any]], None] = lambda count, event: None
        self.retrained: Callable[[], int] = lambda: 0
        self.let_go: Callable[[], None] = lambda: None
        clock.stand(0.0)
        if not self.events:
            self._go_on()

    def write(self, event: dict[str, Any]) -> None:
        """Raises Diverged if another event was, or what `Journal.write` raises."""
        if self.over:
            self._journal.write(event)
            return
        was = self.events[self._count]
        is_now = orjson.loads(orjson.dumps(event, option=OPTIONS))
        if comparable(is_now) != comparable(was):
            raise Diverged(
                f"event {self._count + 1} was {_short(was)}, and now it would be {_short(is_now)}"
            )
        self._clock.stand(was["seconds"])
        self._count += 1
        self._last = time.perf_counter()
        self.tell(self._count, event)
        if self._count == len(self.events):
            self._go_on()

    @property
    def over(self) -> bool:
        """All that was has been again."""
        return self._count == len(self.events)

    def stands_still(self, catching_up: Callable[[], bool]) -> Diverged | None:
        """Why it cannot go on, if it has not for too long."""
        if self.over or time.perf_counter() - self._last < STILL_SECONDS:
            return None
        if catching_up():
            self._last = time.perf_counter()
            return None
        was = self.events[self._count]
        return Diverged(f"event {self._count + 1} was {_short(was)}, and now nothing happens")

    def _go_on(self) -> None:
        seconds = time.perf_counter() - self._began
        self._journal.write(resumption(self._clock, seconds, self.retrained(), self._about))
        self._clock.go_on()


class Muted:
    """A journal that takes no events while it is `muted`: they stand in it."""

    def __init__(self, journal: Sink) -> None:
        self._journal = journal
        self.muted = False

    def write(self, event: dict[str, Any]) -> None:
        if not self.muted:
            self._journal.write(event)


def repeat(events: list[dict[str, Any]], recorder: Recorder, clock: WallClock) -> None:
    """Tell a new Recorder, whose journal is muted, what was; the clock stands where it stood."""
    clock.stand(0.0)
    for event in events:
        kind, trial = event["event"], str(event.get("trial"))
        clock.stand(event["seconds"])
        if kind == "suggest":
            recorder.suggested(trial, event["configuration"], event["suggest_seconds"])
        elif kind == "report":
            fields = ("event", "seconds", "trial", "step")
            values = {name: value for name, value in event.items() if name not in fields}
            recorder.reported(trial, event["step"], values)
        elif kind == "decide":
            recorder.decided(trial, event["decision"], event["decide_seconds"])
            recorder.observed(event["observe_seconds"])
        elif kind == "finish":
            error = None if recorder.diverged(trial) else event.get("error")
            recorder.finished(trial, event["observe_seconds"], error)


def resumption(
    clock: WallClock, replay_seconds: float, retrained_steps: int, about: dict[str, Any]
) -> dict[str, Any]:
    """The journal's word that all is where it was."""
    return {
        "event": "resume",
        "seconds": clock.now,
        "resumed": datetime.now(UTC).isoformat(timespec="seconds"),
        "replay_seconds": replay_seconds,
        "retrained_steps": retrained_steps,
        **about,
    }


def same_search(was: dict[str, Any], is_now: dict[str, Any]) -> None:
    """Raise Diverged unless a journal's header is one of this search, with the same settings."""
    now = orjson.loads(orjson.dumps(is_now, option=OPTIONS))
    for name in ("effective", "worst_loss", "optimum", "metrics"):
        if was.get(name) != now[name]:
            raise Diverged(f"`{name}` in its journal's header is not what it would be now")


def comparable(event: dict[str, Any]) -> dict[str, Any]:
    """An event without its times, which never are the same, and the words of an error."""
    return {
        name: value
        for name, value in event.items()
        if not name.endswith("seconds") and name != "error"
    }


def _short(event: dict[str, Any]) -> str:
    return orjson.dumps(comparable(event)).decode()[:200]
