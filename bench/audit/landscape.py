"""Cheap objectives on search spaces of all kinds: audits, checks and benchmarks train them."""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bench.objective import Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class Landscape(Objective):
    """The squared distance to one configuration of the space, plus 1/step - 1/max_steps.

    The distance is the mean over the active parameters, each scaled to [0, 1]; a choice is at 0
    from itself and at 1 from all others.
    """

    max_steps: int = 9
    worst_loss: ClassVar[float] = 2.0
    optimum: ClassVar[float | None] = 0.0

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        return LandscapeTraining(self.distance(configuration), self.max_steps)

    def distance(self, configuration: dict[str, Any]) -> float:
        """In [0, 1]."""
        from ConfigSpace import Configuration

        space, target = self._target
        here = Configuration(space, values=configuration).get_array()
        apart = [
            float(value != wanted) if hasattr(parameter, "choices") else (value - wanted) ** 2
            for parameter, value, wanted in zip(space.values(), here, target, strict=True)
            if not np.isnan(value)
        ]
        return float(np.mean(apart))

    @cached_property
    def _target(self) -> "tuple[ConfigurationSpace, np.ndarray]":
        """The space and its target, as numbers; those that are inactive in the target at 0.5."""
        space = self.space()
        space.seed(1)
        return space, np.nan_to_num(space.sample_configuration().get_array(), nan=0.5)


class SmallSpace(Landscape):
    """Four parameters: a float, an integer, a choice, and a logarithmic float under a condition."""

    def space(self) -> "ConfigurationSpace":
        from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, Integer

        kind, shift = Categorical("kind", ["plain", "shifted"]), Float("shift", (1e-3, 1), log=True)
        space = ConfigurationSpace()
        space.add(Float("x", (0.0, 1.0)), Integer("n", (1, 8)), kind, shift)
        space.add(EqualsCondition(shift, kind, "shifted"))
        return space


class MnistSpace(Landscape):
    """The sixteen parameters of `mnist_cnn`, three of them under conditions."""

    def space(self) -> "ConfigurationSpace":
        from bench.objectives.mnist_cnn import MnistCnn

        return MnistCnn().space()


class LandscapeTraining:
    """See bench.objective.Training."""

    def __init__(self, distance: float, max_steps: int) -> None:
        self._distance, self._max_steps, self._step = distance, max_steps, 0

    def step(self) -> dict[str, float]:
        self._step += 1
        return {"loss": self._distance + 1 / self._step - 1 / self._max_steps}

    def state(self) -> bytes:
        return json.dumps(self._step).encode()

    def load(self, state: bytes) -> None:
        self._step = json.loads(state)
