"""All rules for one plug-in, one after the other: `bench check`."""

from collections.abc import Callable, Iterator
from typing import Any

from bench.algorithm import Algorithm
from bench.audit.landscape import SmallSpace
from bench.check import algorithms, objectives
from bench.check._searches import SUGGESTIONS
from bench.check._violation import Violation
from bench.errors import UserError
from bench.objective import Objective
from bench.options import Options


def check(plugin: Options) -> Iterator[tuple[str, str | None]]:
    """Yield each rule, and what violates it or None. Raises UserError where data is missing."""
    rules: tuple[Callable[[Any], None], ...]
    if isinstance(plugin, Algorithm):
        if refusal := plugin.refuse(SmallSpace(), SUGGESTIONS):
            raise UserError(
                f"it refuses the space of the checks (numbers, choices, a condition): {refusal}; "
                "give it options with which it searches it"
            )
        last = algorithms.it_beats_random_search_where_it_claims_to
        rules = tuple(r for r in algorithms.CHECKS if r is not last or plugin.beats_random)
    elif isinstance(plugin, Objective):
        plugin.prepare()
        rules = objectives.CHECKS
    else:
        raise TypeError(f"{type(plugin).__name__} is neither an Algorithm nor an Objective")
    for rule in rules:
        said = (rule.__doc__ or rule.__name__).partition("\n")[0]
        try:
            rule(plugin)
        except UserError:
            raise
        except Violation as violation:
            yield said, str(violation)
        except Exception as error:
            yield said, " ".join(f"{type(error).__name__}: {error}".split())
        else:
            yield said, None
