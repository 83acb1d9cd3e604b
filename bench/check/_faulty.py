"""An objective whose trainings fail in all ways, on some of its space."""

from typing import Any

from bench.audit.landscape import LandscapeTraining, SmallSpace
from bench.objective import Training
from bench.seeds import derive


class Faulty(SmallSpace):
    """Two of three trainings fail: they raise, or their loss is NaN, ∞ or -∞."""

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        fault = derive("fault", configuration) % 6
        return FaultyTraining(self.distance(configuration), self.max_steps, fault)


class FaultyTraining(LandscapeTraining):
    """Fails at its second step, if `fault` is less than 4."""

    def __init__(self, distance: float, max_steps: int, fault: int) -> None:
        super().__init__(distance, max_steps)
        self._fault = fault

    def step(self) -> dict[str, float]:
        values = super().step()
        if self._step != 2 or self._fault > 3:
            return values
        if self._fault == 0:
            raise RuntimeError("fails on purpose")
        return {"loss": [float("nan"), float("inf"), -float("inf")][self._fault - 1]}


class Constant(SmallSpace):
    """All losses are 1."""

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        return ConstantTraining(0.0, self.max_steps)


class ConstantTraining(LandscapeTraining):
    """Learns nothing."""

    def step(self) -> dict[str, float]:
        super().step()
        return {"loss": 1.0}
