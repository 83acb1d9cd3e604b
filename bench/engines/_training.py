"""A trial's training in its own process: built, trained, kept and guarded, by whatever engine."""

import faulthandler
import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.cell import Cell
from bench.engines._sharing import in_plain_words, keep_to_share
from bench.engines._states import State, States
from bench.objective import Objective, Training
from bench.seeds import training_seed

RESERVED = ("event", "seconds", "trial", "step", "raw_loss", "step_seconds", "setup_seconds")

KEEP_EVERY_SECONDS = 10.0
"""A training's state is kept between two steps when the last one is so old: that much is lost."""

KEEPING_SHARE = 0.05
"""Of a trial's time, at most so much goes into keeping its state."""


Begin = Callable[[dict[str, Any], int], Training]
"""Begins the training of a configuration from a seed."""


class Running:
    """Trains one configuration, step by step.

    It is built at its first step, so that a failure to build is a failed step. `begin` is given
    where several processes share a training.
    """

    def __init__(
        self,
        cell: Cell,
        objective: Objective,
        configuration: dict[str, Any],
        states: States,
        begin: Begin | None = None,
    ) -> None:
        self._cell = cell
        self._objective = objective
        self._begin = begin or self._alone
        self._configuration = configuration
        self._states = states
        self._training: Training | None = None
        self.paused: State | None = None
        """What to build it from, if it was paused."""
        self.trained_seconds = 0.0
        self.keep_later()
        self._keeping_seconds = 0.0

    def train(self, steps: int, hung: Path) -> dict[str, Any]:
        """Train one step more than `steps`, at most as long as a trial may, and report it."""
        began = time.perf_counter()
        with self.killed_after(hung):
            setup_seconds = None
            if self._training is None:
                self.build(steps)
                setup_seconds = time.perf_counter() - began
            else:
                self._keep_now_and_then(steps)
            stepping = time.perf_counter()
            values = self._training.step()  # type: ignore[union-attr]
        step_seconds = time.perf_counter() - stepping
        self.trained_seconds += time.perf_counter() - began
        report = {**counted(values, self._objective.worst_loss), "step_seconds": step_seconds}
        if setup_seconds is not None:
            report["setup_seconds"] = setup_seconds
        return report

    def build(self, steps: int) -> int:
        """Bring the training to where it is after so many steps; those that it trained again."""
        keep_to_share(self._cell)
        seed = training_seed(self._cell.objective.name, self._cell.seed, self._configuration)
        self._training = self._begin(self._configuration, seed)
        state = self.paused or self._states.of(self._configuration, steps)
        self.paused = None
        if state is not None:
            self._training.load(state.content)
        missing = steps - (state.steps if state is not None else 0)
        for _ in range(missing):
            self._training.step()
        return missing

    def _alone(self, configuration: dict[str, Any], seed: int) -> Training:
        return self._objective.train(configuration, seed, self._cell.device)

    def keep_later(self) -> None:
        """The next time to keep the state is counted from now."""
        self._kept_at = time.perf_counter()

    def state(self, steps: int) -> State | None:
        """What it is after so many steps; None before it is built."""
        if self._training is None:
            return None
        return State(steps, self.trained_seconds, self._training.state())

    def _keep_now_and_then(self, steps: int) -> None:
        """Keep the state; all that led to it is in the journal by now."""
        began = time.perf_counter()
        if began - self._kept_at < max(KEEP_EVERY_SECONDS, self._keeping_seconds / KEEPING_SHARE):
            return
        state = self.state(steps)
        assert state is not None
        self._states.keep(self._configuration, state)
        self._kept_at = time.perf_counter()
        self._keeping_seconds = self._kept_at - began

    @contextmanager
    def killed_after(self, hung: Path) -> Iterator[None]:
        """End this process when the trial has trained too long, even if it hangs in C code.

        faulthandler's watchdog needs no Python thread; where it hung is left in a file, by which
        the engine knows that it was the time.
        """
        if self._cell.max_trial_seconds is None:
            yield
            return
        left = max(self._cell.max_trial_seconds - self.trained_seconds, 0.001)
        with hung.open("w") as file:
            faulthandler.dump_traceback_later(left, exit=True, file=file)
            try:
                yield
            finally:
                faulthandler.cancel_dump_traceback_later()


def hung_file(folder: Path, trial: str) -> Path:
    """Where a trial that is killed for its time leaves its stack; empty for all others."""
    return folder / f"{trial}.hung"


def last_words(hung: Path) -> Path:
    """Where a trial that several processes share leaves why it ended with one of them."""
    return hung.with_suffix(".words")


def hung_at(hung: Path, max_trial_seconds: float | None) -> str | None:
    """Why a trial's process ended, if it was for its time, or for that of another of its ranks."""
    if (words := last_words(hung)).is_file():
        return words.read_text()
    if not (hung.is_file() and (stacks := hung.read_text())):
        return None
    main_thread = stacks.rpartition("Thread 0x")[2].splitlines()[1:]
    innermost = main_thread[0].strip() if main_thread else "an unknown place"
    return f"trained longer than max_trial_seconds = {max_trial_seconds:g}; hung at {innermost}"


def counted(values: dict[str, float], worst_loss: float) -> dict[str, Any]:
    """What a step's values count as: NaN, infinite and too great losses are the worst loss.

    >>> counted({"loss": float("nan")}, worst_loss=2.3)
    {'loss': 2.3, 'raw_loss': 'nan'}
    """
    loss = float(values["loss"])
    report: dict[str, Any] = {"loss": loss}
    if not -math.inf < loss <= worst_loss:  # NaN included
        report = {"loss": worst_loss, "raw_loss": loss if math.isfinite(loss) else str(loss)}
    for name, value in values.items():
        if name == "loss":
            continue
        if name in RESERVED:
            raise ValueError(
                f"a metric must not be called {name}: journals have a field of that name"
            )
        number = float(value)
        report[name] = number if math.isfinite(number) else None
    return report


def diverged(report: dict[str, Any]) -> bool:
    """Whether the loss of a step was NaN or infinite: weights that are NaN stay NaN."""
    return not math.isfinite(float(report.get("raw_loss", 0)))


def words_of(error: BaseException) -> str:
    """What an exception says, with its kind, in one line."""
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
    return in_plain_words(said)[:500]
