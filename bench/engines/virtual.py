"""Engine `virtual`: recorded trainings, replayed on a virtual clock at any number of GPUs.

The searcher and the scheduler are the very objects that the engine `ray` drives, called in the
same order. docs/virtual.md says what is modelled, and how wrong it may be.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bench.engine import Attempt
from bench.engine import Engine as Base
from bench.options import Options

if TYPE_CHECKING:
    from bench.cell import Cell, PlugIn
    from bench.engines._search import Search
    from bench.objective import Objective


class Settings(Options):
    """What the machine is like on which the trainings are replayed."""

    thinking: Literal["charged", "measured", "none"] = "charged"
    """How long the algorithm thinks: as long as it was measured once (suggestion-latency.csv), so
    that a search is the same each time; as long as it takes here and now; no time."""
    straggler_share: float = Field(0.0, ge=0, le=1)
    """Share of trials that are trained by a slow GPU."""
    straggler_factor: float = Field(3.0, ge=1)
    """How many times as long each of their steps takes."""
    failures_per_gpu_hour: float = Field(0.0, ge=0)
    """How often a GPU fails while it trains; its trial fails with it."""


class Engine(Base):
    """Replays what was recorded; needs neither a GPU nor data."""

    clock = "virtual"
    Settings = Settings

    def __exit__(self, *_: object) -> None:
        """It holds nothing."""

    @classmethod
    def refuse_share(cls, objective: "Objective", gpus_per_trial: float) -> str | None:
        """Nobody has recorded how much slower a training is that shares its GPU."""
        if gpus_per_trial == 1:
            return None
        return (
            "curves are recorded of trainings with one GPU each, and would be replayed as fast as "
            'they were: gpus_per_trial = 1, or engines = ["ray"]'
        )

    @classmethod
    def rests_on(cls, objective: "PlugIn", device: str) -> dict[str, Any]:
        """The curves that it replays and the table of suggestion latencies, by their SHA-256.

        And what is made of the curves where none was recorded.
        """
        from bench import curves
        from bench.engines._costs import LATENCIES

        path = recorded_at(objective, device)
        return {
            "curves": None if path is None else curves.digest(path),
            "predictions": curves.PREDICTIONS,
            "latencies": curves.digest(LATENCIES),
        }

    @classmethod
    def why_not(cls, cell: "Cell") -> str | None:
        from bench import curves

        wanted = cell.engine_settings["curves"]
        if wanted is None:
            return (
                f"no curves of {cell.objective.name} with these options were recorded on "
                f"{cell.device}: {curves.command(cell.objective)}"
            )
        if cls.rests_on(cell.objective, cell.device)["curves"] != wanted:
            return "its curves have changed since the plan: run the same command again"
        return None

    def prepare(self, cell: "Cell") -> "Search":
        from bench import plugins
        from bench.engines._costs import is_charged
        from bench.engines._replay import recorded
        from bench.engines._search import compose

        objective = plugins.make("objectives", cell.objective)
        search = compose(cell, objective, plugins.make("algorithms", cell.algorithm), self.clock)
        path = recorded_at(cell.objective, cell.device)
        assert path is not None
        if cell.engine_settings["thinking"] == "charged" and not is_charged(cell.algorithm):
            free = "its thinking takes no time on the virtual clock: nobody has measured it"
            search.remark = f"{search.remark}; {free}" if search.remark else free
        search.engine = recorded(path, objective.worst_loss).about
        return search

    def run(self, search: "Search", attempt: Attempt) -> None:
        from bench.engines._costs import costs
        from bench.engines._loop import Loop
        from bench.engines._replay import recorded

        cell = search.cell
        path = recorded_at(cell.objective, cell.device)
        assert path is not None
        table = recorded(path, search.objective.worst_loss)
        known = {name: cell.engine_settings[name] for name in Settings.model_fields}
        settings = Settings(**known)
        Loop(
            search,
            attempt.journal,
            table.rehearsals(cell, settings),
            costs(settings.thinking, cell.algorithm),
            table.round_trip_seconds,
        ).run()


def recorded_at(objective: "PlugIn", device: str) -> Path | None:
    """The table that an objective is, or that was recorded of it on this device."""
    from bench import curves

    if objective.path is not None and objective.path.endswith(".parquet"):
        return Path(objective.path)
    return curves.find(objective, device)
