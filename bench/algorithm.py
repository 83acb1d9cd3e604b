"""The protocol of an algorithm: how configurations are chosen and trainings stopped early."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.objective import Objective
from bench.options import Options

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


@dataclass(frozen=True)
class Problem:
    """What an algorithm may know of the search it is asked to do (it always minimises `loss`)."""

    space: "ConfigurationSpace"
    max_steps: int
    """Steps of one full training; a trial never runs longer."""
    slots: int
    """Trials that can run at once."""
    seed: int
    """In [0, 2**32); all randomness of the algorithm comes from it."""


class NoMoreSuggestions(Exception):
    """Raised by an Optuna sampler that has given out all it has."""


class Algorithm(Options, ABC):
    """A search algorithm: one file in bench/algorithms/, its options as pydantic fields.

    It imports Ray Tune and its library inside its methods, so that planning starts at once.
    """

    beats_random: ClassVar[dict[str, int]] = {}
    """Smooth objectives on which it claims to beat random search, and after how many full
    trainings; `bench check` holds it to that."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        """Why it cannot search this objective for `budget` full trainings; asked when planning."""
        return None

    def remark(self, objective: Objective, budget: int) -> str | None:
        """What a reader must know of this pair at this budget: e.g. what its model does not see.

        Printed by `bench plan` and written in the journal's header.
        """
        return None

    @abstractmethod
    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        """The native pair for Ray Tune: result key `loss`, mode `min`, time `training_iteration`.

        Every setting is passed explicitly; nothing is drawn from a global generator.
        """

    def refuse_optuna(self, objective: Objective) -> str | None:
        """Why Optuna's workers cannot search this objective by it; asked when planning."""
        if type(self).optuna is Algorithm.optuna:
            return 'it has no form that is Optuna\'s own; engines = ["ray"] has it'
        return None

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        """The native pair for Optuna's workers, where there is one; steps are 1, 2, ….

        Each worker has a pair of its own, and they share a study. `seed` is the worker's;
        `problem.seed` is the search's, the same for all. Settings and generators: as above.
        """
        raise NotImplementedError


_LIBRARIES = ("ray.", "optuna.", "hpbandster.", "hebo.", "bayes_opt.", "sklearn.")
_ABSTRACT = (
    "ray.tune.search.searcher.Searcher",
    "ray.tune.schedulers.trial_scheduler.TrialScheduler",
)


def effective_settings(thing: Any, depth: int = 4) -> dict[str, Any]:
    """Read the settings that a library object really has, for the journal's header.

    Its class (and the library's class that it corrects), and its attributes that are plain values
    or short lists or tables of them; `depth` levels down, those of the objects it is made of. Read
    off the object, not off what was asked for: a default that a library changes is seen here.
    """
    own, *bases = map(_name, type(thing).__mro__)
    settings: dict[str, Any] = {"class": own}
    if own.startswith("bench.") and (corrected := next(filter(_of_library, bases), None)):
        settings["corrects"] = corrected
    for name, value in sorted(getattr(thing, "__dict__", {}).items()):
        if (plain := _plain(value)) is not None:
            settings[name] = plain
        elif depth > 1 and _is_library_object(value):
            settings[name] = effective_settings(value, depth - 1)
        elif depth > 1 and isinstance(value, list) and value and _is_library_object(value[0]):
            settings[name] = [effective_settings(each, depth - 1) for each in value]
    return settings


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, type):
        return _name(value)
    if isinstance(value, dict) and len(value) <= 64:
        values = {str(key): _plain(each) for key, each in value.items()}
        return None if any(each is None for each in values.values()) else values
    if isinstance(value, list | tuple) and 0 < len(value) <= 64:
        parts = [_plain(each) for each in value]
        return None if any(part is None for part in parts) else parts
    return None


def _is_library_object(value: Any) -> bool:
    return hasattr(value, "__dict__") and (
        type(value).__module__.startswith("bench.") or _of_library(_name(type(value)))
    )


def _of_library(name: str) -> bool:
    """Whether a class is a library's, and one that does something."""
    return name.startswith(_LIBRARIES) and name not in _ABSTRACT


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
