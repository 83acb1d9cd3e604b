"""The corners of a search space: every bound and every choice at least once."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from bench.space import active, parameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


def corners(space: "ConfigurationSpace") -> Iterator[dict[str, Any]]:
    """Yield the configuration of all lower bounds, that of all upper, and what those leave out.

    For a choice "lower" is the first and "upper" the last; each other choice, and each bound of a
    parameter that is inactive in both, gets a configuration of its own, with the parameters it
    depends on at whichever of their bounds or choices make it active. A parameter that none of
    these makes active is left out.
    """
    extremes = {each.name: each.choices or _bounds(each) for each in parameters(space)}
    bases = [{name: values[end] for name, values in extremes.items()} for end in (0, -1)]
    covered: list[tuple[str, Any]] = []
    for base in bases:
        corner = active(space, base)
        if any(pair not in covered for pair in corner.items()):
            covered += corner.items()
            yield corner
    for name, values in extremes.items():
        for value in values:
            if (name, value) in covered:
                continue
            ancestors = _ancestors(space, name)
            for base, chosen in product(bases, product(*(extremes[each] for each in ancestors))):
                wanted = {**base, **dict(zip(ancestors, chosen, strict=True)), name: value}
                if name in (corner := active(space, wanted)):
                    covered += corner.items()
                    yield corner
                    break


def _bounds(parameter: Any) -> tuple[Any, Any]:
    kind = int if parameter.kind == "int" else float
    return kind(parameter.lower), kind(parameter.upper)


def _ancestors(space: "ConfigurationSpace", name: str) -> list[str]:
    parents = [parent.name for parent in space.parents_of[name]]
    return [
        *dict.fromkeys(each for parent in parents for each in [parent, *_ancestors(space, parent)])
    ]
