"""All rules for one plug-in, one after the other: `bench check`."""

from collections.abc import Callable, Iterator
from typing import Any

from bench.algorithm import Algorithm
from bench.audit.landscape import SmallSpace
from bench.check import algorithms, objectives
from bench.check._searches import SUGGESTIONS, forms
from bench.check._violation import Violation
from bench.errors import UserError
from bench.objective import Objective
from bench.options import Options

Rules = tuple[Callable[[Any], None], ...]


def check(plugin: Options) -> Iterator[tuple[str, str | None]]:
    """Yield each rule, and what violates it or None. Raises UserError where data is missing."""
    if isinstance(plugin, Algorithm):
        if refusal := plugin.refuse(SmallSpace(), SUGGESTIONS):
            raise UserError(
                f"it refuses the space of the checks (numbers, choices, a condition): {refusal}; "
                "give it options with which it searches it"
            )
        for tried in forms(plugin):
            before = "" if tried.form == "ray" else "Optuna's workers: "
            for said, violation in _checked(_rules(plugin), tried):
                yield before + said, violation
    elif isinstance(plugin, Objective):
        plugin.prepare()
        yield from _checked(objectives.CHECKS, plugin)
    else:
        raise TypeError(f"{type(plugin).__name__} is neither an Algorithm nor an Objective")


def _rules(algorithm: Algorithm) -> Rules:
    last = algorithms.it_beats_random_search_where_it_claims_to
    return tuple(rule for rule in algorithms.CHECKS if rule is not last or algorithm.beats_random)


def _checked(rules: Rules, subject: Any) -> Iterator[tuple[str, str | None]]:
    for rule in rules:
        said = (rule.__doc__ or rule.__name__).partition("\n")[0]
        try:
            rule(subject)
        except UserError:
            raise
        except Violation as violation:
            yield said, str(violation)
        except Exception as error:
            yield said, " ".join(f"{type(error).__name__}: {error}".split())
        else:
            yield said, None
