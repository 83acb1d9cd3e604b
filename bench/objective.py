"""The protocol of an objective: what is tuned. An objective is one file in bench/objectives/."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from bench.options import Options

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


Limits = tuple[float, float]
"""The least and the greatest value, both included."""

Overrides = dict[str, dict[str, Any]]
"""By parameter: its form and values, as a suite has them (bench/overrides.py)."""


class Training(Protocol):
    """One training of one configuration, advanced step by step."""

    def step(self) -> dict[str, float]:
        """Train one step (a unit of fidelity, e.g. one epoch) and evaluate.

        Returns at least `loss` (lower is better; NaN or infinite if the training diverged), and
        whatever is worth recording beside it, e.g. `accuracy`.
        """

    def state(self) -> bytes:
        """Everything that `load` needs to go on exactly where this training stands."""

    def load(self, state: bytes) -> None:
        """Continue from `state`: the steps that follow are those that would have followed there."""


@dataclass(frozen=True, eq=False)
class Rank:
    """One of the processes that share a training, each with a GPU (or a core) of its own."""

    number: int
    """From 0. Rank 0 is the trial's own process; it alone is asked for states, and reports."""
    count: int
    host: str
    """This process's address, as the others reach it; on one machine that of loopback."""
    agree: Callable[[str | None], str]
    """Rank 0 gives a word, the others None; all are given the word."""


class Objective(Options, ABC):
    """What is tuned: a search space, a fidelity and a training.

    A subclass declares its options as pydantic fields. It imports heavy packages (torch) inside
    its methods, so that planning and reporting start at once.
    """

    max_steps: int
    """Steps of one full training."""

    worst_loss: ClassVar[float]
    """The loss that counts for a failed, timed-out or diverged training, and the bound at which
    greater losses count: nothing is worse than this (e.g. the loss of guessing)."""

    optimum: ClassVar[float | None] = None
    """The least loss there is, where it is known."""

    recorded: ClassVar[Path | None] = None
    """The table of recorded trainings that it is, if it is one: then there is nothing to train."""

    metrics: ClassVar[dict[str, str]] = {}
    """What `step` returns beside `loss`: name -> unit, e.g. {"accuracy": "share of images"}."""

    limits: ClassVar[dict[str, Limits]] = {}
    """How far a suite may widen the range of a number (or choices among numbers): name -> between
    which values a training still works. One that is not here cannot be widened."""

    overrides: ClassVar[Overrides] = {}
    """What a suite changed of the search space: set by bench/overrides.py alone."""

    @abstractmethod
    def space(self) -> "ConfigurationSpace":
        """The search space, with its conditions."""

    @abstractmethod
    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        """Begin a training.

        `configuration` holds the active hyper-parameters only, as plain Python values; `seed`
        fixes everything random in it; `device` is "cpu" or "cuda" (a process sees only the
        devices that are its own, and on "cpu" has one thread).
        """

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> Training:
        """Begin one rank's part of a training that several processes share.

        An objective that has it can be given several GPUs per trial: its ranks together give what
        `train` gives, but for rounding, and a state of rank 0 is one of `train`'s. All of them are
        asked for each step and to load each state; what the others return is not looked at.
        """
        raise NotImplementedError

    @classmethod
    def has_parts(cls) -> bool:
        """Whether several processes can share a training."""
        return cls.train_part is not Objective.train_part

    def prepare(self) -> None:
        """Check, without network, that all a training needs is in place.

        Raises UserError that names the command which fetches what is missing.
        """
