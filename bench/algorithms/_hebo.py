"""HEBO as a Ray Tune Searcher: what `hebo` and `hebo_asha` share."""

from typing import TYPE_CHECKING

from pydantic import Field

from bench.algorithms._unseen import until
from bench.objective import Objective
from bench.options import Options
from bench.space import parameters

if TYPE_CHECKING:
    from ray.tune.search import Searcher

    from bench.algorithm import Problem


class HeboOptions(Options):
    """The settings that matter; all others have the values of the package's defaults."""

    startup_trials: int | None = Field(None, ge=2)
    """Trials from a Sobol sequence before the first from the model; None: 1 + parameters."""

    def remark(self, objective: Objective, budget: int) -> str | None:
        """When its model begins, and what that does not know."""
        space = objective.space()
        varying = [each for each in parameters(space) if len(each.choices) != 1]
        conditional = [name for name in space if space.parent_conditions_of[name]]
        then = ["its model does not know of running trials"]
        if conditional:
            then.append(f"inactive parameters ({', '.join(conditional)}) are varied without effect")
        start = "configurations are of a Sobol sequence"
        return until(start, self.startup_trials or 1 + len(varying), budget, "; ".join(then))


def hebo_searcher(options: HeboOptions, problem: "Problem") -> "Searcher":
    """Ray's HEBOSearch, corrected: see bench/algorithms/_hebo_searcher.py."""
    from bench.algorithms._hebo_searcher import HeboSearcher

    return HeboSearcher(problem, options.startup_trials)
