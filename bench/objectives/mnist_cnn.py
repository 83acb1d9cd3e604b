"""Objective `mnist_cnn`: a convolutional network learns MNIST; one step is one epoch."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bench.objective import Limits, Objective, Rank, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class MnistCnn(Objective):
    """Validation cross-entropy (nats per image) of a CNN of two or three convolutions.

    The last 5,000 of the 60,000 training images are for validation, the other 55,000 for
    training; of both, fixed subsets are used. The official test images are never looked at.
    """

    max_steps: int = Field(default=9, ge=1, le=1000)
    """Epochs of a full training."""

    train_images: int = Field(default=10_000, ge=16, le=55_000)
    """Training images: a fixed random subset; a smaller one is part of every larger one."""

    validation_images: int = Field(default=1_000, ge=16, le=5_000)
    """Validation images: the first of the 5,000."""

    max_channels: int = Field(default=128, ge=16, le=128)
    """The most channels a convolution may have. It caps the widths that the search space offers,
    so that a search on few images is cheap as well: conv1, conv2 and conv3 end at it, fc_dim at
    four times it; where little is left, the range begins lower too (see `space`)."""

    worst_loss: ClassVar[float] = math.log(10)  # guessing: each of ten classes equally likely
    metrics: ClassVar[dict[str, str]] = {"accuracy": "share of validation images"}
    limits: ClassVar[dict[str, Limits]] = {
        "lr": (0.0, 1.0),
        "batch_size": (1, 4096),
        "weight_decay": (0.0, 1.0),
        "conv1": (1, 256),
        "conv2": (1, 256),
        "dropout": (0.0, 0.9),
        "fc_dim": (1, 2048),
    }

    def space(self) -> "ConfigurationSpace":
        """Sixteen hyper-parameters; kernel3, step_size and gamma exist only where they matter."""
        from ConfigSpace import (
            Categorical,
            ConfigurationSpace,
            EqualsCondition,
            Float,
            InCondition,
            Integer,
        )

        most = self.max_channels
        conv3 = Categorical("conv3", [c for c in (0, 16, 32, 64, 128) if c <= most])  # 0: absent
        kernel3 = Categorical("kernel3", [3, 5, 7])
        schedule = Categorical("schedule", ["none", "cosine", "step", "onecycle"])
        step_size = Integer("step_size", (1, max(2, self.max_steps - 1)))  # epochs
        gamma = Float("gamma", (0.1, 0.9))
        space = ConfigurationSpace()
        space.add(
            Float("lr", (1e-5, 5e-3), log=True),
            Categorical("batch_size", [16, 32, 64, 128]),
            Categorical("optimizer", ["adam", "sgd", "adamw"]),
            Float("weight_decay", (0.0, 0.1)),
            Integer("conv1", (8, min(64, most)), log=True),
            Integer("conv2", (min(16, most // 2), most), log=True),
            conv3,
            Categorical("kernel1", [3, 5, 7]),
            Categorical("kernel2", [3, 5, 7]),
            kernel3,
            Categorical("activation", ["relu", "gelu", "silu"]),
            Float("dropout", (0.0, 0.5)),
            Integer("fc_dim", (min(64, 2 * most), min(512, 4 * most)), log=True),
            schedule,
            step_size,
            gamma,
            InCondition(kernel3, conv3, [c for c in conv3.choices if c != 0]),
            EqualsCondition(step_size, schedule, "step"),
            EqualsCondition(gamma, schedule, "step"),
        )
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        from bench.objectives._cnn import CnnTraining

        return CnnTraining(self, configuration, seed, device)

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> Training:
        from bench.objectives._cnn import CnnTraining

        return CnnTraining(self, configuration, seed, device, rank)

    def prepare(self) -> None:
        from bench import data

        data.verify("mnist")
