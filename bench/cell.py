"""The cell: one search, fully resolved, and the key that names it."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from bench.seeds import digest

COMPARABILITY = 3
"""Raised when a change of this code makes new results incomparable with old ones."""


@dataclass(frozen=True)
class PlugIn:
    """An objective or an algorithm, with all its options resolved."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    path: str | None = None
    """The user's own .py file, absolute; None for those of this package."""
    source: str | None = None
    """SHA-256 of that file: an edited plug-in makes other cells."""
    space: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of an objective: what the suite changes of its search space (bench/overrides.py)."""

    @property
    def identity(self) -> dict[str, Any]:
        changed = {"space": self.space} if self.space else {}
        return {"name": self.name, "options": self.options, "source": self.source, **changed}


@dataclass(frozen=True)
class Cell:
    """One search: (objective, algorithm, engine, device, GPU count, seed, budget)."""

    objective: PlugIn
    algorithm: PlugIn
    engine: str
    device: str
    """"cuda", or "cpu": then one "GPU" is one core with one thread."""
    gpus: int
    gpus_per_trial: float
    seed: int
    budget: int
    """Full trainings' worth of steps, whoever spends them."""
    max_steps: int
    max_seconds: float | None = None
    """Guard: a cell that runs longer is ended and counts as failed."""
    max_trial_seconds: float | None = None
    """Guard: a trial that trains longer is killed and counts as failed."""
    engine_settings: dict[str, Any] = field(default_factory=dict)
    """The engine's settings, all resolved, and what else its results rest on."""

    @property
    def slots(self) -> int:
        """Trials that run at once; a fraction of a GPU is not put together from two."""
        if self.device == "cuda" and self.gpus_per_trial < 1:
            return self.gpus * int(1 / self.gpus_per_trial + 1e-9)
        return int(self.gpus / self.gpus_per_trial + 1e-9)

    @property
    def ranks(self) -> int:
        """Processes that share a trial's training, each with a whole GPU; 1 of a fraction, too."""
        return max(1, int(self.gpus_per_trial))

    @property
    def budget_steps(self) -> int:
        return self.budget * self.max_steps

    @cached_property
    def key(self) -> str:
        """Readable, fit for a file name; the end is a hash of all that can change the result."""
        identity = {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "objective": self.objective.identity,
            "algorithm": self.algorithm.identity,
            "comparability": COMPARABILITY,
        }
        if self.gpus_per_trial == (whole := int(self.gpus_per_trial)):
            identity["gpus_per_trial"] = whole  # a suite may say 1 or 1.0, or nothing
        if self.ranks > 1:  # it was not always so: such a trial held its GPUs, and used one
            identity["ranks"] = self.ranks
        if not self.engine_settings:  # it came later than the first journals
            del identity["engine_settings"]
        readable = (
            f"{self.objective.name}-{self.algorithm.name}-{self.engine}-{self.device}"
            f"-g{self.gpus}-s{self.seed}-b{self.budget}"
        )
        return f"{readable}-{digest(identity)[:10]}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Cell":
        """Raises TypeError or KeyError where the fields are not those of a cell."""
        plugins = {kind: PlugIn(**fields[kind]) for kind in ("objective", "algorithm")}
        return cls(**{**fields, **plugins})
