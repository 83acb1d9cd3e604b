"""Configurations that cover a search space evenly: its corners, then a Sobol sequence.

Sobol, On the distribution of points in a cube and the approximate evaluation of integrals, USSR
Computational Mathematics and Mathematical Physics 7 (1967); scrambled as in Owen (1998), by scipy.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from bench.corners import corners
from bench.space import Parameter, active, parameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


def configurations(space: "ConfigurationSpace", first: int = 0) -> Iterator[dict[str, Any]]:
    """The endless list of configurations, from the one of number `first` on."""
    return islice(chain(corners(space), _sobol(space)), first, None)


def _sobol(space: "ConfigurationSpace") -> Iterator[dict[str, Any]]:
    """One coordinate for each parameter; what its conditions switch off is left out."""
    from scipy.stats import qmc

    known = parameters(space)
    sequence = qmc.Sobol(len(known), scramble=True, rng=0)
    while True:
        (point,) = sequence.random(1)
        shares = zip(known, point.tolist(), strict=True)
        yield active(space, {each.name: value(each, share) for each, share in shares})


def value(parameter: Parameter, share: float) -> Any:
    """The value below which lies a share, in [0, 1), of the parameter's prior.

    >>> value(Parameter("lr", "float", 1e-4, 1e-2, log=True), 0.5)
    0.001
    >>> [value(Parameter("layers", "int", 1, 4), share) for share in (0.0, 0.3, 0.99)]
    [1, 2, 4]
    """
    if parameter.kind == "choice":
        return parameter.choices[int(share * len(parameter.choices))]
    lower, upper = parameter.lower, parameter.upper
    if parameter.kind == "int":  # each whole number has a cell of width one
        lower, upper = lower - 0.5, upper + 0.5
    number = lower * (upper / lower) ** share if parameter.log else lower + (upper - lower) * share
    number = min(max(number, parameter.lower), parameter.upper)
    return round(number) if parameter.kind == "int" else number
