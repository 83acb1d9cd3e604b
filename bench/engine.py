"""The protocol of an engine: where trials run and on which clock. One file in bench/engines/."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.options import Options

if TYPE_CHECKING:
    from bench.cell import Cell, PlugIn
    from bench.engines._recorder import Listener, Sink
    from bench.engines._search import Search
    from bench.objective import Objective


class Engine(AbstractContextManager["Engine", None]):
    """Runs cells one after the other; a context manager, which lets go of what it holds.

    Like an objective it imports heavy packages inside its methods.
    """

    clock: ClassVar[Literal["wall", "virtual"]]
    """On which clock the events of its journals happen."""

    Settings: ClassVar[type[Options]] = Options
    """What a suite may set of it."""

    @classmethod
    def refuse(cls, objective: "Objective") -> str | None:
        """Why it can never run this objective, anywhere; asked when planning."""
        return None

    @classmethod
    def rests_on(cls, objective: "PlugIn", device: str) -> dict[str, Any]:
        """What else decides its results, and so is part of a cell's identity."""
        return {}

    @classmethod
    @abstractmethod
    def why_not(cls, cell: "Cell") -> str | None:
        """Why it cannot run a cell on this machine, or None if it can."""

    @abstractmethod
    def prepare(self, cell: "Cell") -> "Search":
        """Build the cell's search; UserError if what it needs is missing."""

    @abstractmethod
    def run(self, search: "Search", journal: "Sink", listener: "Listener") -> None:
        """Run a search to its end. Raises UserError if the journal cannot be written."""
