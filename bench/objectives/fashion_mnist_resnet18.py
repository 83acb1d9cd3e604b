"""Objective `fashion_mnist_resnet18`: ResNet-18 learns Fashion-MNIST; one step is one epoch."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bench.objective import Limits, Objective, Rank, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class FashionMnistResnet18(Objective):
    """Validation cross-entropy (nats per image) of a ResNet-18 with a stem for one channel.

    It is what itwinai's tutorial on hyper-parameter optimisation trains, with Adam: nine tenths of
    the 60,000 training images are for training, the last tenth for validation. At these sizes it
    is for a GPU: docs/decisions/0012-image-objectives.md says what an epoch takes.
    """

    max_steps: int = Field(default=10, ge=1, le=1000)
    """Epochs of a full training."""

    train_images: int = Field(default=54_000, ge=16, le=54_000)
    """Training images: a fixed random subset; a smaller one is part of every larger one."""

    validation_images: int = Field(default=6_000, ge=16, le=6_000)
    """Validation images: the first of the 6,000."""

    width: int = Field(default=64, ge=4, le=64)
    """Channels of the first stage, half those of the next; with another than 64 it is no ResNet-18
    any more, but a thinner network of the same form, for tests and small machines."""

    worst_loss: ClassVar[float] = math.log(10)  # guessing: each of ten classes equally likely
    metrics: ClassVar[dict[str, str]] = {"accuracy": "share of validation images"}
    limits: ClassVar[dict[str, Limits]] = {"lr": (0.0, 1.0), "batch_size": (1, 4096)}

    def space(self) -> "ConfigurationSpace":
        """The tutorial's: the learning rate on a linear scale, and the batch size."""
        from ConfigSpace import Categorical, ConfigurationSpace, Float

        space = ConfigurationSpace()
        space.add(Float("lr", (1e-5, 1e-3)), Categorical("batch_size", [32, 64, 128]))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._resnet18 import ResnetTraining

        return ResnetTraining(self, configuration, seed, device)

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> Training:
        from bench.objectives._resnet18 import ResnetTraining

        return ResnetTraining(self, configuration, seed, device, rank)

    def prepare(self) -> None:
        from bench import data

        data.verify("fashion_mnist")
