"""Objective `cifar10_cnn`: a small convolutional network learns CIFAR-10; one step is one epoch."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bench.objective import Limits, Objective, Rank, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class Cifar10Cnn(Objective):
    """Validation cross-entropy (nats per image) of the network of PyTorch's Ray Tune tutorial.

    Four fifths of the 50,000 training images are for training, the last fifth for validation, as
    there. The official test images are never looked at.
    """

    max_steps: int = Field(default=10, ge=1, le=1000)
    """Epochs of a full training."""

    train_images: int = Field(default=40_000, ge=16, le=40_000)
    """Training images: a fixed random subset; a smaller one is part of every larger one."""

    validation_images: int = Field(default=10_000, ge=16, le=10_000)
    """Validation images: the first of the 10,000."""

    worst_loss: ClassVar[float] = math.log(10)  # guessing: each of ten classes equally likely
    metrics: ClassVar[dict[str, str]] = {"accuracy": "share of validation images"}
    limits: ClassVar[dict[str, Limits]] = {
        "l1": (1, 1024),
        "l2": (1, 1024),
        "lr": (0.0, 1.0),
        "batch_size": (1, 4096),
    }

    def space(self) -> "ConfigurationSpace":
        """The tutorial's, but that the widths of the dense layers are not powers of 2 alone.

        A list of legal sizes would be a category to the algorithms.
        """
        from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer

        space = ConfigurationSpace()
        space.add(
            Integer("l1", (4, 256), log=True),
            Integer("l2", (4, 256), log=True),
            Float("lr", (1e-4, 1e-1), log=True),
            Categorical("batch_size", [2, 4, 8, 16]),
        )
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._lenet import LenetTraining

        return LenetTraining(self, configuration, seed, device)

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> Training:
        from bench.objectives._lenet import LenetTraining

        return LenetTraining(self, configuration, seed, device, rank)

    def prepare(self) -> None:
        from bench import data

        data.verify("cifar10")
