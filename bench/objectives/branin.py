"""Objective `branin`: a function of two variables with three equal minima, and learning curves."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bench.objective import Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

S = 10.0
T = 1 / (8 * math.pi)


class Branin(Objective):
    """f(x₁, x₂) = (x₂ - b·x₁² + c·x₁ - 6)² + s·(1 - t)·cos x₁ + s on [-5, 10] × [0, 15].

    b = 5.1 / 4π², c = 5 / π, s = 10, t = 1 / 8π. The least value is s·t = 0.397887 at (-π, 12.275),
    (π, 2.275) and (3π, 2.475); the greatest is 308.129 at (-5, 0).

    Dixon and Szegő, The global optimization problem: an introduction, 1978; in this notation
    Surjanovic and Bingham, https://www.sfu.ca/~ssurjano/branin.html. Deterministic. The curve
    (bench/objectives/_curve.py) falls the faster the greater x₁ is: of the three minima, the one
    at -π is found by the slowest training.
    """

    max_steps: int = Field(default=9, ge=1)
    """Steps of a full training; the loss after it is f."""

    worst_loss: ClassVar[float] = 308.13
    optimum: ClassVar[float | None] = S * T

    def space(self) -> "ConfigurationSpace":
        from ConfigSpace import ConfigurationSpace, Float

        space = ConfigurationSpace()
        space.add(Float("x1", (-5.0, 10.0)), Float("x2", (0.0, 15.0)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._curve import CurveTraining

        x1, x2 = configuration["x1"], configuration["x2"]
        return CurveTraining(value(x1, x2), self.worst_loss, (x1 + 5) / 15, self.max_steps)


def value(x1: float, x2: float) -> float:
    """The function, with its terms put so that rounding never takes it below s·t.

    >>> round(value(math.pi, 2.275), 6)
    0.397887
    """
    square = (x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6) ** 2
    return S * T + square + S * (1 - T) * (1 + math.cos(x1))
