"""A user's own table of recorded trainings as an objective: what docs/curves.md describes."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench import curve_table
from bench.errors import UserError
from bench.objective import Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


@cache
def objective_of(path: Path) -> type[Objective]:
    """The objective that a table holds; UserError if it is not as it must be."""
    table = curve_table.read(path)
    losses = table.losses

    class Table(Objective):
        """Trainings that are over; the space, the worst loss and the rest are the table's."""

        max_steps: int = Field(default=losses.shape[1], ge=1, le=losses.shape[1])
        recorded = path
        worst_loss = float(table.about.get("worst_loss", losses.max()))
        optimum = table.about.get("optimum")
        metrics = table.about.get("metrics", dict.fromkeys(table.metrics, ""))

        def space(self) -> "ConfigurationSpace":
            return table.space

        def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
            raise UserError(f"{path} holds trainings that are over; engine virtual replays them")

    return Table
