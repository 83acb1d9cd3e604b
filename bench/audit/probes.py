"""How each library is asked where a suggestion came from, and what its model knew.

A probe is put on a searcher before its search begins; `take` says, right after a suggestion, what
it saw of it. Libraries without a model have none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a suggestion came from."""

    model: bool
    """From the model, at least in part; else at random."""
    known: int
    """Trials whose results the model had."""
    seen: frozenset[str] = frozenset()
    """Parameters that the model drew, where its library tells."""
    unseen: frozenset[str] = frozenset()
    """Parameters that were drawn without it."""


class Probe(ABC):
    """Sees where one searcher's suggestions come from."""

    @abstractmethod
    def take(self) -> Origin:
        """The origin of the suggestion that was just made."""


def probe(searcher: Any) -> Probe | None:
    """The probe for a searcher of one of the libraries; None if it has no model known here."""
    if hasattr(searcher, "_ot_study"):
        return OptunaProbe(searcher)
    if hasattr(searcher, "bohber"):
        return BohbProbe(searcher)
    if hasattr(getattr(searcher, "_opt", None), "quasi_sample"):
        return HeboProbe(searcher)
    if hasattr(getattr(searcher, "optimizer", None), "register"):
        return BayesoptProbe(searcher)
    return None


class OptunaProbe(Probe):
    """A sampler draws parameters together, or one by one: by its model, or by a random sampler."""

    def __init__(self, searcher: Any) -> None:
        self._study = searcher._ot_study
        self._modelled: set[str] = set()
        self._random: set[str] = set()
        sampler = self._study.sampler
        watch(sampler, "sample_relative", lambda drawn, *_: self._modelled.update(drawn))
        watch(sampler, "sample_independent", lambda *called: self._modelled.add(called[3]))
        for name in ("_random_sampler", "_independent_sampler"):
            if hasattr(sampler, name):
                by_chance = getattr(sampler, name)
                watch(by_chance, "sample_independent", lambda *called: self._random.add(called[3]))

    def take(self) -> Origin:
        modelled, at_random = frozenset(self._modelled - self._random), frozenset(self._random)
        self._modelled.clear()
        self._random.clear()
        return Origin(bool(modelled), self._known(), modelled, at_random)

    def _known(self) -> int:
        """Ended trials; for the samplers that learn by generation, those of complete ones."""
        trials = self._study.get_trials(deepcopy=False)
        ended = sum(trial.state.is_finished() for trial in trials)
        marks = {
            key: value
            for key, value in trials[-1].system_attrs.items()
            if key.endswith(("generation", "generation:0"))
        }
        if not marks:
            return ended
        generation = max(marks.values())
        size = getattr(self._study.sampler, "_population_size", None)
        size = size or getattr(self._study.sampler, "_popsize", None) or 0
        return min(ended, generation * size)


class BohbProbe(Probe):
    """hpbandster says of each configuration whether its model picked it.

    It asks the model of the highest rung that has one: that knows the results there alone.
    """

    def __init__(self, searcher: Any) -> None:
        self._model = searcher.bohber
        self._picked = False
        watch(self._model, "get_config", self._pick)

    def _pick(self, drawn: Any, *_: Any) -> None:
        self._picked = bool(drawn[1].get("model_based_pick"))

    def take(self) -> Origin:
        rung = max(self._model.kde_models, default=None)
        return Origin(self._picked, 0 if rung is None else len(self._model.configs[rung]))


class HeboProbe(Probe):
    """HEBO draws from a Sobol sequence (`quasi_sample`) before it has a model, or besides it.

    Suggestions of one batch have one origin, also those that are handed out later.
    """

    def __init__(self, searcher: Any) -> None:
        self._optimizer = searcher._opt
        self._drawn = False
        self._batch = Origin(False, 0)
        watch(self._optimizer, "quasi_sample", self._draw)
        watch(self._optimizer, "suggest", self._compute)

    def _draw(self, *_: Any) -> None:
        self._drawn = True

    def _compute(self, *_: Any) -> None:
        self._batch = Origin(not self._drawn, len(self._optimizer.X))
        self._drawn = False

    def take(self) -> Origin:
        drawn, self._drawn = self._drawn, False
        return Origin(False, len(self._optimizer.X)) if drawn else self._batch


class BayesoptProbe(Probe):
    """bayesian-optimization draws at random where no result is registered, or it is not asked."""

    def __init__(self, searcher: Any) -> None:
        self._optimizer = searcher.optimizer
        self._asked = False
        watch(self._optimizer, "suggest", self._ask)

    def _ask(self, *_: Any) -> None:
        self._asked = True

    def take(self) -> Origin:
        asked, self._asked = self._asked, False
        known = len(self._optimizer.space)
        return Origin(asked and known > 0, known)


def watch(thing: Any, name: str, see: Callable[..., object]) -> None:
    """Have `see(returned, *arguments)` called after each call of a method of this object."""
    method = getattr(thing, name)

    def watched(*arguments: Any, **keywords: Any) -> Any:
        returned = method(*arguments, **keywords)
        see(returned, *arguments, *keywords.values())
        return returned

    setattr(thing, name, watched)
