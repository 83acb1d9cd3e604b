"""Objective `counting_ones`: binary and noisy continuous parameters; a step draws more samples."""

import json
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from bench.objective import Objective, Training
from bench.seeds import derive

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class CountingOnes(Objective):
    """f(x) = -(Σ categorical x + Σ continuous E_b[B(x)]), its regret scaled to [0, 1].

    Falkner, Klein, Hutter, BOHB: Robust and Efficient Hyperparameter Optimization at Scale, ICML
    2018, section 5.1 (https://arxiv.org/abs/1807.01774). Categorical parameters are in {0, 1};
    continuous ones in [0, 1] are the probability of a Bernoulli variable, whose mean is estimated
    from b samples: b is the fidelity. With d parameters, the loss is (f(x) + d) / d: 0, the
    optimum, where the paper's f is -d, with all parameters at 1; and 1 where f is 0.

    Noise comes from the training's seed alone; samples add up over the steps, so the estimate of
    a step contains those of the steps before. The same seed draws the same at any time. Regret in
    our reports is of the least loss that was reported, so it flatters those who look at many
    configurations with few samples; the paper plots the true f of the incumbent.
    """

    max_steps: int = Field(default=9, ge=1)
    """Steps of a full training; after step k, k / max_steps of the samples have been drawn. The
    paper's budgets, 9 to 729 samples, are those of 81 steps."""
    categoricals: int = Field(default=4, ge=0)
    """Binary parameters c1, c2, …"""
    continuous: int = Field(default=4, ge=0)
    """Continuous parameters p1, p2, …"""
    samples: int = Field(default=729, ge=1)
    """Samples of each continuous parameter in a full training."""

    worst_loss: ClassVar[float] = 1.0
    optimum: ClassVar[float | None] = 0.0

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if self.categoricals + self.continuous == 0:
            raise ValueError("categoricals and continuous are both 0: set one of them")
        if self.samples < self.max_steps:
            raise ValueError(f"samples = {self.samples} is less than one for each of max_steps")
        return self

    def space(self) -> "ConfigurationSpace":
        from ConfigSpace import Categorical, ConfigurationSpace, Float

        space = ConfigurationSpace()
        space.add(*(Categorical(f"c{n}", [0, 1]) for n in range(1, self.categoricals + 1)))
        space.add(*(Float(f"p{n}", (0.0, 1.0)) for n in range(1, self.continuous + 1)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        return CountingTraining(self, configuration, seed)


class CountingTraining:
    """The samples so far of each continuous parameter (see bench.objective.Training)."""

    def __init__(self, objective: CountingOnes, configuration: dict[str, Any], seed: int) -> None:
        self.objective, self.seed, self.steps_done = objective, seed, 0
        self.sure = sum(configuration[f"c{n}"] for n in range(1, objective.categoricals + 1))
        self.chances = [configuration[f"p{n}"] for n in range(1, objective.continuous + 1)]
        self.ones = [0] * objective.continuous

    def step(self) -> dict[str, float]:
        before = self._samples()
        self.steps_done += 1
        generator = Random(derive(self.seed, "step", self.steps_done))
        for index, chance in enumerate(self.chances):
            draws = range(self._samples() - before)
            self.ones[index] += sum(generator.random() < chance for _ in draws)
        counted = self.sure + sum(ones / self._samples() for ones in self.ones)
        dimensions = self.objective.categoricals + self.objective.continuous
        return {"loss": (dimensions - counted) / dimensions}

    def _samples(self) -> int:
        return self.objective.samples * self.steps_done // self.objective.max_steps

    def state(self) -> bytes:
        return json.dumps({"steps_done": self.steps_done, "ones": self.ones}).encode()

    def load(self, state: bytes) -> None:
        saved = json.loads(state)
        self.steps_done, self.ones = saved["steps_done"], saved["ones"]
