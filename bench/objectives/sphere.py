"""Objective `sphere`: the distance to a point, over parameters of every type, with curves."""

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from bench.objective import Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

FLOAT, INTEGER, LOG = 0.37, 0.3, 0.25
"""Where the best value of a parameter is between its bounds: neither in the middle nor at one."""

CHOICES = {"a": 0.4, "b": 1.0, "c": 0.0, "d": 0.7}
"""The loss of each choice: the best is neither the first nor the last, and their order is none."""


class Sphere(Objective):
    """The mean over all parameters of the squared distance to the best value, each in [0, 1].

    For a number the distance is ((u - u*) / (1 - u*))², where u in [0, 1] is its position between
    its bounds (on a log scale for those) and u* the best: floats x in [0, 1], best 0.37; integers
    n in 0 … 10, best 3; log-scaled floats s in [10⁻⁵, 10⁻¹], best 10⁻⁴. For a choice c it is 0.4,
    1, 0, 0.7 for a, b, c, d. So the least loss is 0 and the greatest 1, whatever the options are.

    De Jong's F1 (An analysis of the behavior of a class of genetic adaptive systems, 1975; `sphere`
    in https://www.sfu.ca/~ssurjano/spheref.html), scaled, moved off the centre and with other types
    added here. Deterministic. The curve (bench/objectives/_curve.py) falls the faster the greater
    the first number is.
    """

    max_steps: int = Field(default=9, ge=1)
    """Steps of a full training; the loss after it is the distance."""
    dimensions: int = Field(default=4, ge=0)
    """Floats x1, x2, …"""
    integers: int = Field(default=0, ge=0)
    """Integers n1, n2, …"""
    logs: int = Field(default=0, ge=0)
    """Floats s1, s2, … on a log scale."""
    choices: int = Field(default=0, ge=0)
    """Categorical parameters c1, c2, …"""

    worst_loss: ClassVar[float] = 1.0
    optimum: ClassVar[float | None] = 0.0

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if self.dimensions + self.integers + self.logs + self.choices == 0:
            raise ValueError("dimensions, integers, logs and choices are all 0: set one of them")
        return self

    def space(self) -> "ConfigurationSpace":
        from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer

        space = ConfigurationSpace()
        space.add(*(Float(name, (0.0, 1.0)) for name in names("x", self.dimensions)))
        space.add(*(Integer(name, (0, 10)) for name in names("n", self.integers)))
        space.add(*(Float(name, (1e-5, 1e-1), log=True) for name in names("s", self.logs)))
        space.add(*(Categorical(name, [*CHOICES]) for name in names("c", self.choices)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._curve import CurveTraining

        numbers = [(configuration[name], FLOAT) for name in names("x", self.dimensions)]
        numbers += [(configuration[name] / 10, INTEGER) for name in names("n", self.integers)]
        logs = [math.log10(configuration[name]) for name in names("s", self.logs)]
        numbers += [((log + 5) / 4, LOG) for log in logs]
        distances = [((u - best) / (1 - best)) ** 2 for u, best in numbers]
        distances += [CHOICES[configuration[name]] for name in names("c", self.choices)]
        loss = sum(distances) / len(distances)
        first = numbers[0][0] if numbers else 0.5
        return CurveTraining(loss, self.worst_loss, first, self.max_steps)


def names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(1, count + 1)]
