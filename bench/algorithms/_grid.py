"""A grid over a search space: numbered, so that any of its points is had without the others."""

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from bench.space import Parameter, active, parameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class GridPoints:
    """The distinct configurations that the axes of a space make, `count` of them.

    Inactive parameters make none: only the combinations of those values that others depend on are
    listed, each with the axes that are active then. A point is found from its number by the mixed
    radix of these axes. (Optuna's GridSampler lists all points and knows no conditions;
    ConfigSpace's `generate_grid` lists them too.)

    `resolution` is the points of an axis of numbers; without it a range of integers has all of
    its values, and a continuous one is not possible.
    """

    def __init__(self, space: "ConfigurationSpace", resolution: int | None) -> None:
        self._axes = {each.name: axis(each, resolution) for each in parameters(space)}
        parents = [name for name in self._axes if space.children_of[name]]
        any_value = {name: values[0] for name, values in self._axes.items()}
        found: dict[tuple[Any, ...], tuple[dict[str, Any], list[str]]] = {}
        for values in product(*(self._axes[name] for name in parents)):
            configuration = active(space, {**any_value, **dict(zip(parents, values, strict=True))})
            fixed = {name: configuration[name] for name in parents if name in configuration}
            free = [name for name in configuration if name not in fixed]
            found[tuple(fixed.items())] = fixed, free
        self._parts = [
            (prod(len(self._axes[name]) for name in free), fixed, free)
            for fixed, free in found.values()
        ]
        self.count = sum(size for size, _, _ in self._parts)

    def point(self, number: int) -> dict[str, Any]:
        """The configuration with this number, in [0, count)."""
        part = 0
        while number >= self._parts[part][0]:
            number -= self._parts[part][0]
            part += 1
        _, fixed, free = self._parts[part]
        configuration = dict(fixed)
        for name in free:
            number, place = divmod(number, len(self._axes[name]))
            configuration[name] = self._axes[name][place]
        return configuration


def axis(parameter: Parameter, resolution: int | None) -> list[Any]:
    """A parameter's values on the grid: evenly spaced, bounds included; in log if it is so.

    >>> axis(Parameter("lr", "float", 1e-4, 1e-2, log=True), 3)
    [0.0001, 0.001, 0.01]
    >>> axis(Parameter("width", "int", 1, 8, log=True), 5)
    [1, 2, 3, 5, 8]
    """
    if parameter.kind == "choice":
        return list(parameter.choices)
    lower, upper = parameter.lower, parameter.upper
    if parameter.kind == "int" and (resolution is None or upper - lower < resolution):
        return list(range(int(lower), int(upper) + 1))
    if resolution is None:
        raise ValueError(f"{parameter.name} is continuous")
    shares = [place / (resolution - 1) for place in range(1, resolution - 1)]
    if parameter.log:
        inner = [lower * (upper / lower) ** share for share in shares]
    else:
        inner = [lower + (upper - lower) * share for share in shares]
    if parameter.kind == "float":
        return [lower, *inner, upper]
    whole = [int(lower)]
    for place, value in enumerate(inner):  # rounded, but distinct, and leaving room for the rest
        whole.append(min(max(round(value), whole[-1] + 1), int(upper) - len(inner) + place))
    return [*whole, int(upper)]
