"""What happens in a search, counted and written to the journal: one Recorder per cell."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from bench.cell import Cell
from bench.engines._clock import Clock

Listener = Callable[[dict[str, Any]], None]


class Sink(Protocol):
    """Where the events go: a journal on disk, or a list in memory."""

    def write(self, event: dict[str, Any]) -> None: ...


class Recorder:
    """Numbers the trials, counts the budget and writes the events, for either clock.

    `worst_loss` is what a failed trial counts as.
    """

    def __init__(
        self,
        cell: Cell,
        journal: Sink,
        worst_loss: float,
        clock: Clock,
        listener: Listener | None = None,
    ) -> None:
        self.cell = cell
        self.worst_loss = worst_loss
        self.clock = clock
        self.spent_steps = 0
        self._budget_steps = cell.budget_steps
        self._max_seconds = math.inf if cell.max_seconds is None else cell.max_seconds
        self.failure: BaseException | None = None
        """Why the search cannot go on (no room for the journal, an error of the algorithm's); the
        engine raises it when Ray has let go."""
        self._journal = journal
        self._listener = listener
        self._numbers: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._diverged: dict[str, str] = {}
        self._undecided: tuple[str, str, float] | None = None
        self._ended: tuple[float, str, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Ray pickles what it is given, for a restore that is never asked for: not this."""
        return {}

    def suggested(self, trial: str, configuration: dict[str, Any], seconds: float) -> None:
        self._numbers[trial] = len(self._numbers)
        self._steps[trial] = 0
        event = self._event("suggest", trial)
        event["configuration"] = configuration
        event["suggest_seconds"] = seconds
        self._write(event)

    def reported(self, trial: str, step: int, values: dict[str, Any]) -> None:
        """One step of training is over and its result has arrived."""
        if "raw_loss" in values and not math.isfinite(float(values["raw_loss"])):
            self._diverged[trial] = f"the loss was {values['raw_loss']} at step {step}"
        self._steps[trial] = step
        self.spent_steps += 1
        seconds = self._now()
        self._write(
            {
                "event": "report",
                "seconds": seconds,
                "trial": self._numbers[trial],
                "step": step,
                **values,
            }
        )
        if self.spent_steps >= self._budget_steps:
            self.end("completed", "budget spent", seconds)

    def decided(self, trial: str, decision: str, seconds: float) -> None:
        """The scheduler's word; unless it is `stop`, the searcher's `observed` completes it."""
        word = decision.lower()
        self._undecided = trial, word, seconds
        if word == "stop":
            self.observed(0.0)

    def observed(self, seconds: float) -> None:
        """The searcher has taken note of the last report, in `seconds`."""
        if self._undecided is None:
            return
        (trial, word, decide_seconds), self._undecided = self._undecided, None
        self._write(
            {
                "event": "decide",
                "seconds": self._now(),
                "trial": self._numbers[trial],
                "step": self._steps[trial],
                "decision": word,
                "decide_seconds": decide_seconds,
                "observe_seconds": seconds,
            }
        )

    def paused(self, trial: str) -> None:
        """A trial's state is saved and its slot is free."""
        self._write({**self._event("pause", trial), "step": self._steps[trial]})

    def finished(self, trial: str, seconds: float, error: str | None = None) -> None:
        """A trial is over; its failed step, which has no report, is spent all the same."""
        if error is not None:
            self.spent_steps += 1
            status = "failed"
        elif trial in self._diverged:
            error, status = self._diverged[trial], "failed"
        elif self._steps[trial] >= self.cell.max_steps:
            status = "completed"
        else:
            budget_spent = self.spent_steps >= self._budget_steps
            status = "cut" if budget_spent else "stopped"
        now = self._finish(trial, status, error, seconds)
        if self.spent_steps >= self._budget_steps:
            self.end("completed", "budget spent", now)

    @property
    def suggestions(self) -> int:
        """How many there have been."""
        return len(self._numbers)

    @property
    def newest(self) -> str:
        """The trial that was suggested last."""
        return next(reversed(self._numbers))

    def steps(self, trial: str) -> int:
        """Steps that a trial in flight has reported."""
        return self._steps[trial]

    def diverged(self, trial: str) -> bool:
        """Whether a trial's loss was NaN or infinite."""
        return trial in self._diverged

    @property
    def over(self) -> bool:
        """The search has come to its end: no more events, but for the trials in flight."""
        if self._ended is None and self.clock.now > self._max_seconds:
            self.end("failed", f"ran past max_seconds = {self._max_seconds:g}")
        return self._ended is not None

    def broken(self, error: Exception) -> None:
        """Note an error of the algorithm's, which ends the search; the first one counts."""
        self.failure = self.failure or error
        self.end("failed", f"{type(error).__name__}: {error}")

    def end(self, status: str, reason: str, seconds: float | None = None) -> None:
        """Note the end of the search, now or when the event was that ended it; the first counts."""
        if self._ended is None:
            self._ended = (self.clock.now if seconds is None else seconds, status, reason)

    def close(self) -> None:
        """Cut the trials in flight and write the end."""
        if self._ended is None:
            self.end("failed", "the algorithm made no more suggestions")
        assert self._ended is not None
        for trial in list(self._steps):
            self._finish(trial, "cut", None, 0.0)
        _, status, reason = self._ended
        end = {"event": "end", "seconds": self._now(), "status": status, "reason": reason}
        self._write(end)

    def _finish(self, trial: str, status: str, error: str | None, seconds: float) -> float:
        """Write that a trial is over; when that was."""
        event = self._event("finish", trial)
        event["step"] = self._steps.pop(trial)
        event["status"] = status
        if error is not None:
            event["error"] = error
        event["observe_seconds"] = seconds
        self._write(event)
        return float(event["seconds"])

    def _now(self) -> float:
        return self.clock.now if self._ended is None else self._ended[0]

    def _event(self, event: str, trial: str) -> dict[str, Any]:
        return {"event": event, "seconds": self._now(), "trial": self._numbers[trial]}

    def _write(self, event: dict[str, Any]) -> None:
        try:
            self._journal.write(event)
        except BaseException as failure:
            self.failure = self.failure or failure
            raise
        if self._listener is not None:
            self._listener(event)
