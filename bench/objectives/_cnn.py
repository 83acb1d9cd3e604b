"""The training behind `mnist_cnn`: the network, its optimiser and its schedule.

What makes it fast on one thread: memory is channels-last; the optimisers are the fused ones; and
ReLU comes after max-pooling, on a quarter of the values, where it gives the same numbers as before.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from bench.objective import Rank
from bench.objectives._epochs import EpochTraining

if TYPE_CHECKING:
    from bench.objectives.mnist_cnn import MnistCnn

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


class CnnTraining(EpochTraining):
    """One training of one network; a step is an epoch."""

    dataset = "mnist"

    def __init__(
        self,
        objective: "MnistCnn",
        configuration: dict[str, Any],
        seed: int,
        device: str,
        rank: Rank | None = None,
    ) -> None:
        sizes = objective.train_images, objective.validation_images

        def network() -> nn.Module:
            return build(configuration).to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]

        super().__init__(sizes, network, configuration["batch_size"], seed, device, rank)
        self.optimizer = make_optimizer(self.network, configuration)
        self.schedule = make_schedule(
            self.optimizer, configuration, objective.max_steps, self.batches
        )


def build(configuration: dict[str, Any]) -> nn.Sequential:
    """Two or three times (convolution, activation, 2 x 2 max-pooling), then two dense layers."""
    activation = ACTIVATIONS[configuration["activation"]]
    layers: list[nn.Module] = []
    channels, side = 1, 28
    for number in (1, 2, 3):
        if (width := configuration[f"conv{number}"]) == 0:
            continue
        kernel = configuration[f"kernel{number}"]
        layers.append(nn.Conv2d(channels, width, kernel, padding=kernel // 2))
        pooled = [activation(), nn.MaxPool2d(2)]
        layers += reversed(pooled) if activation is nn.ReLU else pooled
        channels, side = width, side // 2
    width = configuration["fc_dim"]
    layers += [nn.Flatten(), nn.Linear(channels * side * side, width), activation()]
    layers += [nn.Dropout(configuration["dropout"]), nn.Linear(width, 10)]
    return nn.Sequential(*layers)


def make_optimizer(network: nn.Module, configuration: dict[str, Any]) -> Optimizer:
    settings = {name: configuration[name] for name in ("lr", "weight_decay")} | {"fused": True}
    if configuration["optimizer"] == "sgd":
        return SGD(network.parameters(), momentum=0.9, **settings)
    kind = {"adam": Adam, "adamw": AdamW}[configuration["optimizer"]]
    return kind(network.parameters(), **settings)


def make_schedule(
    optimizer: Optimizer, configuration: dict[str, Any], epochs: int, batches: int
) -> LRScheduler | None:
    """Per epoch; but the one-cycle policy goes on after each of the epoch's `batches`."""
    match configuration["schedule"]:
        case "none":
            return None
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=epochs)
        case "step":
            return StepLR(optimizer, configuration["step_size"], configuration["gamma"])
        case "onecycle":  # the momentum stays as it is
            most = configuration["lr"]
            return OneCycleLR(optimizer, most, epochs * batches, cycle_momentum=False)
    raise ValueError(f"no schedule {configuration['schedule']!r}")
