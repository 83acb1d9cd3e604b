"""A cell's search, built from its plug-ins: what every engine runs."""

import logging
import warnings
from dataclasses import dataclass, field
from typing import Any, Literal

from bench import plugins
from bench.algorithm import Algorithm, Problem, effective_settings
from bench.cell import Cell
from bench.engines._sampling import Sampled, sampled
from bench.objective import Objective
from bench.seeds import search_seed

Form = Literal["ray", "optuna"]
"""Whose native pair a search has."""

PARTS: dict[Form, tuple[str, str]] = {
    "ray": ("searcher", "scheduler"),
    "optuna": ("sampler", "pruner"),
}
"""What each calls the parts of its pair."""


@dataclass
class Search:
    """A cell's search, built and ready; it can be run once."""

    cell: Cell
    objective: Objective
    problem: Problem
    searcher: Any
    """Ray Tune's Searcher, or Optuna's sampler."""
    scheduler: Any
    """Ray Tune's TrialScheduler, or Optuna's pruner."""
    remark: str | None
    """What a reader must know of this pair of algorithm and objective."""
    clock: str
    """On which clock the search's events happen."""
    form: Form = "ray"
    sampled: Sampled | None = None
    """Which GPUs are sampled; None on the virtual clock, which has none."""
    engine: dict[str, Any] = field(default_factory=dict)
    """What a reader must know of what the engine rests on."""

    def header(self) -> dict[str, Any]:
        """What the journal's header says of it: read off the objects that will run."""
        parts = zip(PARTS[self.form], (self.searcher, self.scheduler), strict=True)
        return {
            "clock": self.clock,
            **({"engine": self.engine} if self.engine else {}),
            "optimum": self.objective.optimum,
            "worst_loss": self.objective.worst_loss,
            "metrics": self.objective.metrics,
            "effective": {name: effective_settings(part) for name, part in parts},
            "remark": self.remark,
            **({"utilisation": self.sampled.header()} if self.sampled else {}),
        }


def build(cell: Cell, clock: str, form: Form = "ray", elsewhere: bool = False) -> Search:
    """Build the search of a cell; UserError if what it needs is missing.

    `elsewhere`: its trials may run on other nodes than this one.
    """
    objective: Objective = plugins.make("objectives", cell.objective)
    objective.prepare()
    search = compose(cell, objective, plugins.make("algorithms", cell.algorithm), clock, form)
    search.sampled = sampled(cell, elsewhere)
    return search


def compose(
    cell: Cell, objective: Objective, algorithm: Algorithm, clock: str, form: Form = "ray"
) -> Search:
    """Build a search of an objective and an algorithm that are there already."""
    seed = search_seed(cell.objective.name, cell.seed)
    problem = Problem(objective.space(), cell.max_steps, cell.slots, seed)
    with warnings.catch_warnings():  # what a reader must know, the remark says
        warnings.simplefilter("ignore")
        logging.disable(logging.INFO)
        try:
            searcher, scheduler = (
                algorithm.ray(problem) if form == "ray" else algorithm.optuna(problem, seed)
            )
        finally:
            logging.disable(logging.NOTSET)
    remark = algorithm.remark(objective, cell.budget)
    return Search(cell, objective, problem, searcher, scheduler, remark, clock, form)
