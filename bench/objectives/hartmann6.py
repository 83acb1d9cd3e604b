"""Objective `hartmann6`: a function of six variables with six local minima, and learning curves."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bench.objective import Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

ALPHA = (1.0, 1.2, 3.0, 3.2)
A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
P = (  # in units of 10⁻⁴
    (1312, 1696, 5569, 124, 8283, 5886),
    (2329, 4135, 8307, 3736, 1004, 9991),
    (2348, 1451, 3522, 2883, 3047, 6650),
    (4047, 8828, 8732, 5743, 1091, 381),
)


class Hartmann6(Objective):
    """f(x) = -Σᵢ αᵢ exp(-Σⱼ Aᵢⱼ (xⱼ - Pᵢⱼ)²), i = 1 to 4, j = 1 to 6, on [0, 1]⁶.

    The least value is -3.32237, at (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573); all
    are below 0.

    Hartman, Some experiments in global optimization, 1973; with these constants Surjanovic and
    Bingham, https://www.sfu.ca/~ssurjano/hart6.html. Deterministic. The curve
    (bench/objectives/_curve.py) falls the faster the greater x₁ is: the minimum is found by a slow
    training.
    """

    max_steps: int = Field(default=9, ge=1)
    """Steps of a full training; the loss after it is f."""

    worst_loss: ClassVar[float] = 0.0
    optimum: ClassVar[float | None] = -3.32236801141552  # rounded down

    def space(self) -> "ConfigurationSpace":
        from ConfigSpace import ConfigurationSpace, Float

        space = ConfigurationSpace()
        space.add(*(Float(f"x{number}", (0.0, 1.0)) for number in range(1, 7)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._curve import CurveTraining

        x = [configuration[f"x{number}"] for number in range(1, 7)]
        return CurveTraining(value(x), self.worst_loss, x[0], self.max_steps)


def value(x: list[float]) -> float:
    """The function.

    >>> round(value([0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]), 5)
    -3.32237
    """
    return -sum(
        alpha * math.exp(-sum(a * (xj - p / 10_000) ** 2 for a, xj, p in zip(*row, strict=True)))
        for alpha, *row in zip(ALPHA, A, [x] * 4, P, strict=True)
    )
