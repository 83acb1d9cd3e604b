"""Trainings that were recorded, or predicted from those that were, on the virtual clock."""

from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench import curves
from bench.cell import Cell
from bench.errors import UserError
from bench.objective import Objective
from bench.quality import quality
from bench.report.fields import provenance
from bench.seeds import training_seed
from bench.surrogate import Curve, Surrogate

if TYPE_CHECKING:
    from bench.engines.virtual import Settings


class Recorded:
    """A table of curves, ready to be replayed."""

    def __init__(self, path: Path, objective: Objective) -> None:
        table = curves.read(path)
        try:
            self._quality = quality(table)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        name = table.about.get("objective", {}).get("name", path.stem)
        self._surrogate = Surrogate(table, name, objective.worst_loss)
        self.round_trip_seconds = float(table.about.get("round_trip_seconds", 0.0))
        recorded = table.about.get("provenance") or [{}]
        self.about = {
            "table": path.name,
            "recorded": provenance(recorded[0]),
            "quality": self._quality.as_json(),
        }

    def rehearsals(
        self, cell: Cell, settings: "Settings | None" = None
    ) -> Callable[[dict[str, Any]], "Replay"]:
        """Begins the trainings of a cell; the first of each slot starts its process.

        Without `settings` no GPU is slow and none fails.
        """
        begun = count()

        def rehearse(configuration: dict[str, Any]) -> Replay:
            curve = self._surrogate.curve(configuration, cell.seed)
            cold = self._surrogate.cold_start_seconds if next(begun) < cell.slots else None
            if settings is None or not (settings.straggler_share or settings.failures_per_gpu_hour):
                return Replay(curve, cold)
            chance = Random(training_seed(cell.objective.name, cell.seed, configuration))
            return Unreliable(curve, cold, settings, cell.gpus_per_trial, chance)

        return rehearse


@cache
def recorded(path: Path, objective: Objective) -> Recorded:
    """The table of an objective, read and checked once per process."""
    return Recorded(path, objective)


class Replay:
    """One training as it was recorded or predicted (see Rehearsal)."""

    def __init__(self, curve: Curve, cold_start_seconds: float | None) -> None:
        self.curve, self.cold_start_seconds = curve, cold_start_seconds
        self._steps = iter(curve.values)
        self._started = False

    def start(self) -> float:
        cold = None if self._started else self.cold_start_seconds
        self._started = True
        return self.curve.start_seconds if cold is None else cold

    def seconds(self, step: int) -> float:
        return self.curve.step_seconds[step - 1]

    def step(self) -> dict[str, float]:
        return next(self._steps)


class Unreliable(Replay):
    """One training on a GPU that may be slow, and that may fail, both by chance."""

    def __init__(
        self,
        curve: Curve,
        cold_start_seconds: float | None,
        settings: "Settings",
        gpus: float,
        chance: Random,
    ) -> None:
        super().__init__(curve, cold_start_seconds)
        slow = chance.random() < settings.straggler_share
        self._factor = settings.straggler_factor if slow else 1.0
        rate = settings.failures_per_gpu_hour * gpus / 3600
        self._left = chance.expovariate(rate) if rate else float("inf")

    def seconds(self, step: int) -> float:
        """Up to the failure, if that comes before the step's end."""
        seconds = super().seconds(step) * self._factor
        self._failed = seconds >= self._left
        seconds, self._left = min(seconds, self._left), self._left - seconds
        return seconds

    def step(self) -> dict[str, float]:
        if self._failed:
            raise RuntimeError("its GPU failed (simulated)")
        return super().step()
