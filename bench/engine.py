"""The protocol of an engine: where trials run and on which clock. One file in bench/engines/."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.options import Options

if TYPE_CHECKING:
    from bench.algorithm import Algorithm
    from bench.cell import Cell, PlugIn
    from bench.engines._recorder import Listener, Sink
    from bench.engines._search import Search
    from bench.objective import Objective

TABLE_IS_OVER = 'a table holds trainings that are over, to be replayed: engines = ["virtual"]'


@dataclass(frozen=True)
class Attempt:
    """A try at running a search to its end."""

    journal: "Sink"
    listener: "Listener"
    """Is told of each event."""
    states: Path
    """The folder in which trials in flight keep their states."""
    past: "list[dict[str, Any]] | None" = None
    """The journal's events, if the search was begun before, and interrupted."""
    about: dict[str, Any] = field(default_factory=dict)
    """What the journal shall say of where it was resumed."""


class Engine(AbstractContextManager["Engine", None]):
    """Runs cells one after the other; a context manager, which lets go of what it holds.

    Like an objective it imports heavy packages inside its methods.
    """

    clock: ClassVar[Literal["wall", "virtual"]]
    """On which clock the events of its journals happen."""

    resumes: ClassVar[bool] = False
    """Whether it goes on with a search that was interrupted; else that is run anew."""

    Settings: ClassVar[type[Options]] = Options
    """What a suite may set of it."""

    @classmethod
    def refuse(cls, objective: "Objective", algorithm: "Algorithm") -> str | None:
        """Why it can never run this pair, anywhere; asked when planning."""
        return None

    @classmethod
    def refuse_share(cls, objective: "Objective", gpus_per_trial: float) -> str | None:
        """Why it can never give this objective's trials so many GPUs; asked when planning.

        Several have a process each, which share a training.
        """
        if gpus_per_trial <= 1 or objective.has_parts():
            return None
        return (
            "a training of it is one process's; legal: at most 1, or an objective that has "
            "train_part, as mnist_cnn has"
        )

    @classmethod
    def rests_on(cls, objective: "PlugIn", device: str) -> dict[str, Any]:
        """What else decides its results, and so is part of a cell's identity."""
        return {}

    @classmethod
    def keeps_to_one_node(cls, cell: "Cell") -> str | None:
        """Why a cell of it cannot lie on several nodes, or None if it can."""
        return None

    @classmethod
    @abstractmethod
    def why_not(cls, cell: "Cell") -> str | None:
        """Why it cannot run a cell on this machine, or None if it can."""

    @abstractmethod
    def prepare(self, cell: "Cell") -> "Search":
        """Build the cell's search; UserError if what it needs is missing."""

    @abstractmethod
    def run(self, search: "Search", attempt: Attempt) -> None:
        """Run a search to its end. Raises UserError if the journal cannot be written."""
