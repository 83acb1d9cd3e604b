"""Trainings that were recorded, or predicted from those that were, on the virtual clock."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench import curve_table
from bench.cell import Cell
from bench.errors import UserError
from bench.quality import quality
from bench.report.fields import provenance
from bench.seeds import training_seed
from bench.surrogate import Curve, Start, Surrogate

if TYPE_CHECKING:
    from bench.engines.virtual import Settings


class Recorded:
    """A table of curves, ready to be replayed."""

    def __init__(self, path: Path, worst_loss: float) -> None:
        table = curve_table.read(path)
        name = table.about.get("objective", {}).get("name", path.stem)
        try:
            self._surrogate = Surrogate(table, name, worst_loss)
            found = quality(table, self._surrogate)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        self.round_trip_seconds = float(table.about.get("round_trip_seconds", 0.0))
        recorded = table.about.get("provenance") or [{}]
        self.about = {
            "table": path.name,
            "recorded": provenance(recorded[0]),
            "quality": found.as_json(),
        }

    def rehearsals(
        self, cell: Cell, settings: "Settings | None" = None
    ) -> Callable[[dict[str, Any]], "Replay"]:
        """Begins the trainings of a cell; the first of each slot starts its process.

        Without `settings` no GPU is slow and none fails.
        """
        processes = Processes(cell.slots, self._surrogate.cold_start)
        share = settings.straggler_share if settings is not None else 0.0
        failures = settings.failures_per_gpu_hour if settings is not None else 0.0
        most = cell.max_trial_seconds

        def rehearse(configuration: dict[str, Any]) -> Replay:
            curve = self._surrogate.curve(configuration, cell.seed)
            if settings is None or not (share or failures or most):
                return Replay(curve, processes)
            chance = Random(training_seed(cell.objective.name, cell.seed, configuration))
            slow = settings.straggler_factor if chance.random() < share else 1.0
            rate = failures * cell.gpus_per_trial / 3600
            life = chance.expovariate(rate) if rate else math.inf
            return Mortal(curve, processes, slow, life, most)

        return rehearse


@cache
def recorded(path: Path, worst_loss: float) -> Recorded:
    """The table of an objective, read and checked once per process."""
    return Recorded(path, worst_loss)


class Processes:
    """Of the trials' processes: how many are still to be started."""

    def __init__(self, slots: int, cold_start: Start) -> None:
        self.missing, self._cold_start = slots, cold_start

    def start(self, warm: Start) -> Start:
        """A trial gets one: the start in a new process, or in one that is there."""
        if self.missing == 0:
            return warm
        self.missing -= 1
        return self._cold_start


class Replay:
    """One training as it was recorded or predicted (see Rehearsal)."""

    def __init__(self, curve: Curve, processes: Processes) -> None:
        self.curve, self.processes = curve, processes
        self._steps = iter(curve.values)

    def start(self) -> tuple[float, float]:
        return self.processes.start(self.curve.start)

    def seconds(self, step: int) -> float:
        return self.curve.step_seconds[step - 1]

    def step(self) -> dict[str, float]:
        return next(self._steps)


class Mortal(Replay):
    """One training on a GPU that may be slow or fail, under a guard of so many seconds."""

    def __init__(
        self, curve: Curve, processes: Processes, slow: float, life: float, most: float | None
    ) -> None:
        super().__init__(curve, processes)
        self._slow, self._life, self._most = slow, life, most
        self._end: str | None = None

    def seconds(self, step: int) -> float:
        """Up to the trial's end, if that comes before the step's."""
        seconds = super().seconds(step) * self._slow
        guard = math.inf if self._most is None else self._most
        if seconds >= min(self._life, guard):
            too_long = "trained longer than max_trial_seconds"
            self._end = "its GPU failed (simulated)" if self._life <= guard else too_long
            self.processes.missing += 1
        seconds = min(seconds, self._life, guard)
        self._life -= seconds
        self._most = None if self._most is None else self._most - seconds
        return seconds

    def step(self) -> dict[str, float]:
        if self._end is not None:
            raise Lost(self._end)
        return super().step()


class Lost(Exception):
    """A trial whose process is gone."""
