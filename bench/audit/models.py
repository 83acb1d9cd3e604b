"""Where a searcher's suggestions come from: its model, or chance; and what the model knew."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ray.tune.search import Searcher

from bench.algorithm import Algorithm
from bench.audit.probes import Origin, probe
from bench.engines._simulation import events_of, search_of
from bench.objective import Objective
from bench.seeds import canonical


@dataclass(frozen=True)
class ModelFigures:
    """What was seen of a searcher's suggestions in one search."""

    slots: int
    suggestions: int
    duplicates: int
    """Suggestions that repeat an earlier one."""
    has_model: bool
    """It has a model, of a library that is known here."""
    first: int | None = None
    """Number of the first suggestion that comes from the model, from 1 on; None if none does."""
    random_after: float | None = None
    """Share of random suggestions from that one on."""
    unseen: tuple[str, ...] = ()
    """Parameters that no suggestion of the model has drawn by the model."""
    lacking: float | None = None
    """Mean over the suggestions of the model: trials begun before whose results it lacked."""


def look(algorithm: Algorithm, objective: Objective, slots: int, suggestions: int) -> ModelFigures:
    """Search the objective until so many suggestions are made; times are virtual."""
    search = search_of(objective, algorithm, budget=suggestions, slots=slots)
    asked = probe(search.searcher)
    origins: list[Origin] = []

    def note() -> None:
        if asked is not None:
            origins.append(asked.take())

    _limit(search.searcher, suggestions, note)
    events = events_of(search)
    drawn = [canonical(e["configuration"]) for e in events if e["event"] == "suggest"]
    duplicates = len(drawn) - len(set(drawn))
    figures = ModelFigures(slots, len(drawn), duplicates, asked is not None)
    first = next((number for number, each in enumerate(origins) if each.model), None)
    if first is None:
        return figures
    modelled = [(number, each) for number, each in enumerate(origins) if each.model]
    seen = frozenset[str]().union(*(each.seen for _, each in modelled))
    unseen = frozenset[str]().union(*(each.unseen for _, each in modelled))
    return ModelFigures(
        slots,
        len(drawn),
        duplicates,
        has_model=True,
        first=first + 1,
        random_after=1 - len(modelled) / (len(origins) - first),
        unseen=tuple(sorted(unseen - seen)),
        lacking=statistics.mean(number - each.known for number, each in modelled),
    )


def _limit(searcher: Searcher, count: int, after_each: Callable[[], object]) -> None:
    """Let a searcher finish after so many suggestions."""
    suggest, made = searcher.suggest, 0

    def limited(trial_id: str) -> Any:
        nonlocal made
        if made == count:
            return Searcher.FINISHED
        suggestion = suggest(trial_id)
        if suggestion is not None and suggestion != Searcher.FINISHED:
            made += 1
            after_each()
        return suggestion

    searcher.suggest = limited  # type: ignore[method-assign]
