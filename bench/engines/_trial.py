"""A trial in its own process: the training of one configuration as a Ray Tune Trainable."""

import faulthandler
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import tune

from bench import plugins
from bench.cell import Cell
from bench.engines._failure import hung_file
from bench.engines._seam import RESULT_KEYS
from bench.engines._states import State, States
from bench.objective import Objective, Training
from bench.seeds import training_seed

RESERVED = ("event", "seconds", "trial", "step", "raw_loss", "step_seconds", "setup_seconds")

KEEP_EVERY_SECONDS = 10.0
"""A training's state is kept between two steps when the last one is so old: that much is lost."""

KEEPING_SHARE = 0.05
"""Of a trial's time, at most so much goes into keeping its state."""


class FailedBefore(Exception):
    """A step that failed before the search was interrupted."""


class Trial(tune.Trainable):
    """Builds the training at its first step, so that a failure to build is a failed step.

    The process outlives the trial: Ray gives it the next configuration (`reset_config`), and what
    the objective keeps in memory (the data) is there already.
    """

    def setup(
        self, config: dict[str, Any], cell: dict[str, Any], folder: str, states: str, conductor: Any
    ) -> None:
        self._cell = Cell.from_json(cell)
        self._objective: Objective = plugins.make("objectives", self._cell.objective)
        self._folder = Path(folder)
        self._states = States(Path(states))
        self._conductor = conductor
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._configuration = new_config
        self._training: Training | None = None
        self._paused: State | None = None
        self._trained_seconds = 0.0
        self._kept_at, self._keeping_seconds = time.perf_counter(), 0.0
        return True

    def step(self) -> dict[str, Any]:
        report = self._repeat() or self._train()
        return {"loss": report["loss"], "done": self._done(report), RESULT_KEYS: report}

    def _done(self, report: dict[str, Any]) -> bool:
        diverged = not math.isfinite(float(report.get("raw_loss", 0)))
        return diverged or self._iteration + 1 >= self._cell.max_steps

    def _train(self) -> dict[str, Any]:
        began = time.perf_counter()
        with self._killed_after(self._cell.max_trial_seconds):
            setup_seconds = None
            if self._training is None:
                self._build(self._iteration)
                setup_seconds = time.perf_counter() - began
            else:
                self._keep_now_and_then()
            stepping = time.perf_counter()
            values = self._training.step()  # type: ignore[union-attr]
        step_seconds = time.perf_counter() - stepping
        self._trained_seconds += time.perf_counter() - began
        report = {**counted(values, self._objective.worst_loss), "step_seconds": step_seconds}
        if setup_seconds is not None:
            report["setup_seconds"] = setup_seconds
        return report

    def _build(self, steps: int) -> int:
        """Bring a training to where it is after so many steps; those that it trained again."""
        cell = self._cell
        seed = training_seed(cell.objective.name, cell.seed, self._configuration)
        self._training = self._objective.train(self._configuration, seed, cell.device)
        state = self._paused or self._states.of(self._configuration, steps)
        self._paused = None
        if state is not None:
            self._training.load(state.content)
        missing = steps - (state.steps if state is not None else 0)
        for _ in range(missing):
            self._training.step()
        return missing

    def _repeat(self) -> dict[str, Any] | None:
        """The report that this step gave before the search was interrupted, in its turn.

        None if it was not reached: then this step is trained, when all is where it was.
        """
        if self._conductor is None:
            return None
        step = self._iteration + 1
        was = ray.get(self._conductor.was.remote(self.trial_id, step))
        if was is None:
            ray.get(self._conductor.turn.remote(None))
            self._conductor = None
            self._kept_at = time.perf_counter()
            return None
        if was.in_flight:
            retrained = 0 if self._done(was.report) else self._build(step)
            ray.get(self._conductor.caught_up.remote(self.trial_id, retrained))
        ray.get(self._conductor.turn.remote(was.turn))
        if was.error is not None:
            raise FailedBefore(was.error)
        for name in ("step_seconds", "setup_seconds"):
            self._trained_seconds += was.report.get(name, 0.0)
        return was.report or {"loss": self._objective.worst_loss}  # of a stopped step: to nobody

    def _keep_now_and_then(self) -> None:
        """Keep the state; all that led to it is in the journal by now."""
        began = time.perf_counter()
        if began - self._kept_at < max(KEEP_EVERY_SECONDS, self._keeping_seconds / KEEPING_SHARE):
            return
        self._states.keep(self._configuration, self._state(self._iteration))
        self._kept_at = time.perf_counter()
        self._keeping_seconds = self._kept_at - began

    def _state(self, steps: int) -> State:
        assert self._training is not None
        return State(steps, self._trained_seconds, self._training.state())

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """It is paused; of one that was paused before the search was interrupted, there is none."""
        if self._conductor is not None:
            ray.get(self._conductor.pause.remote(self.trial_id, self._iteration))
        about = {"steps": self._iteration, "trained_seconds": self._trained_seconds}
        (Path(checkpoint_dir) / "about.json").write_text(json.dumps(about))
        if self._training is not None:
            state = self._state(self._iteration)
            (Path(checkpoint_dir) / "state").write_bytes(state.content)
            self._states.keep(self._configuration, state)

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        about = json.loads((Path(checkpoint_dir) / "about.json").read_text())
        content = Path(checkpoint_dir) / "state"
        self._training = None
        self._paused = State(**about, content=content.read_bytes()) if content.exists() else None
        self._trained_seconds = about["trained_seconds"]

    @contextmanager
    def _killed_after(self, max_seconds: float | None) -> Iterator[None]:
        """End this process when the trial has trained too long, even if it hangs in C code.

        faulthandler's watchdog needs no Python thread; where it hung is left in a file, by which
        the engine knows that it was the time.
        """
        if max_seconds is None:
            yield
            return
        left = max(max_seconds - self._trained_seconds, 0.001)
        with hung_file(self._folder, self.trial_id).open("w") as file:
            faulthandler.dump_traceback_later(left, exit=True, file=file)
            try:
                yield
            finally:
                faulthandler.cancel_dump_traceback_later()


def counted(values: dict[str, float], worst_loss: float) -> dict[str, Any]:
    """What a step's values count as: NaN, infinite and too great losses are the worst loss.

    >>> counted({"loss": float("nan")}, worst_loss=2.3)
    {'loss': 2.3, 'raw_loss': 'nan'}
    """
    loss = float(values["loss"])
    report: dict[str, Any] = {"loss": loss}
    if not loss <= worst_loss:  # NaN included
        report = {"loss": worst_loss, "raw_loss": loss if math.isfinite(loss) else str(loss)}
    elif loss == -math.inf:
        report = {"loss": worst_loss, "raw_loss": "-inf"}
    for name, value in values.items():
        if name in RESERVED:
            raise ValueError(
                f"a metric must not be called {name}: journals have a field of that name"
            )
        if name != "loss":
            number = float(value)
            report[name] = number if math.isfinite(number) else None
    return report
