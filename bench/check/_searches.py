"""Searches for the checks of algorithms; what goes wrong in them becomes a Violation."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from bench import plugins
from bench.algorithm import Algorithm
from bench.audit.landscape import SmallSpace
from bench.check._violation import Violation
from bench.engines._search import Form
from bench.engines._simulation import Events, events_of, search_of, turns_of
from bench.objective import Objective

SUGGESTIONS = 20
"""Enough for the models of all libraries to take over from chance."""


@dataclass(frozen=True)
class Tried:
    """An algorithm in one of its forms."""

    algorithm: Algorithm
    form: Form = "ray"

    def search(
        self,
        objective: Objective | None = None,
        budget: int = SUGGESTIONS,
        slots: int = 1,
        seed: int = 0,
    ) -> Events:
        """Search in this process, in virtual time; Violation if it does not come to its end."""
        algorithm, objective = self.algorithm, objective or SmallSpace()
        if reason := algorithm.refuse(objective, budget):
            raise Violation(f"refuses a space of numbers and choices: {reason}")
        try:
            search = search_of(objective, algorithm, budget, slots, seed, self.form)
            events = events_of(search) if self.form == "ray" else turns_of(search, algorithm)
        except Exception as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise Violation(f"the search fails: {cause}") from error
        if (end := events[-1])["status"] != "completed":
            spent = sum(event["event"] == "report" for event in events)
            budget_steps = budget * objective.max_steps
            raise Violation(
                f"the search ends early: {end['reason']} ({spent} of {budget_steps} steps)"
            )
        return events


def forms(algorithm: Algorithm) -> list[Tried]:
    """The forms that it has."""
    optuna = algorithm.refuse_optuna(SmallSpace()) is None
    return [Tried(algorithm), *([Tried(algorithm, "optuna")] if optuna else [])]


def drawn(events: Events) -> list[dict[str, Any]]:
    """The configurations that were suggested."""
    return [event["configuration"] for event in events if event["event"] == "suggest"]


def told(events: Events) -> list[list[Any]]:
    """All that a search decides: suggestions and what became of each trial."""
    return [
        [event["event"], event["trial"], event.get("configuration"), event.get("decision")]
        for event in events
        if event["event"] in ("suggest", "decide", "finish")
    ]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    made = plugins.load_class("algorithms", asked["name"], asked["path"])(**asked["options"])
    assert isinstance(made, Algorithm)
    print("\n" + json.dumps(told(Tried(made, asked["form"]).search(seed=asked["seed"]))))
