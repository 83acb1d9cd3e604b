"""A trial in its own process: the training of one configuration as a Ray Tune Trainable."""

import faulthandler
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray import tune

from bench import plugins
from bench.cell import Cell
from bench.engines._failure import hung_file
from bench.engines._seam import RESULT_KEYS
from bench.objective import Objective, Training
from bench.seeds import training_seed

RESERVED = ("event", "seconds", "trial", "step", "raw_loss", "step_seconds", "setup_seconds")


class Trial(tune.Trainable):
    """Builds the training at its first step, so that a failure to build is a failed step.

    The process outlives the trial: Ray gives it the next configuration (`reset_config`), and what
    the objective keeps in memory (the data) is there already.
    """

    def setup(self, config: dict[str, Any], cell: dict[str, Any], folder: str) -> None:
        self._cell = Cell.from_json(cell)
        self._objective: Objective = plugins.make("objectives", self._cell.objective)
        self._folder = Path(folder)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._configuration = new_config
        self._training: Training | None = None
        self._state: bytes | None = None
        self._trained_seconds = 0.0
        return True

    def step(self) -> dict[str, Any]:
        began = time.perf_counter()
        with self._killed_after(self._cell.max_trial_seconds):
            setup_seconds = self._build()
            stepping = time.perf_counter()
            values = self._training.step()  # type: ignore[union-attr]
        step_seconds = time.perf_counter() - stepping
        self._trained_seconds += time.perf_counter() - began
        report = {**counted(values, self._objective.worst_loss), "step_seconds": step_seconds}
        if setup_seconds is not None:
            report["setup_seconds"] = setup_seconds
        diverged = not math.isfinite(float(report.get("raw_loss", 0)))
        done = diverged or self._iteration + 1 >= self._cell.max_steps
        return {"loss": report["loss"], "done": done, RESULT_KEYS: report}

    def _build(self) -> float | None:
        """Begin (or go on with) the training; seconds taken, None if it was there already."""
        if self._training is not None:
            return None
        began = time.perf_counter()
        cell = self._cell
        seed = training_seed(cell.objective.name, cell.seed, self._configuration)
        self._training = self._objective.train(self._configuration, seed, cell.device)
        if self._state is not None:
            self._training.load(self._state)
            self._state = None
        return time.perf_counter() - began

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        assert self._training is not None
        (Path(checkpoint_dir) / "state").write_bytes(self._training.state())
        (Path(checkpoint_dir) / "trained.json").write_text(json.dumps(self._trained_seconds))

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        self._training = None
        self._state = (Path(checkpoint_dir) / "state").read_bytes()
        self._trained_seconds = json.loads((Path(checkpoint_dir) / "trained.json").read_text())

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
