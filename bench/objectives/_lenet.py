"""The training behind `cifar10_cnn`: the small network of PyTorch's tutorials, and its SGD."""

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import SGD

from bench.objective import Rank
from bench.objectives._epochs import EpochTraining

if TYPE_CHECKING:
    from bench.objectives.cifar10_cnn import Cifar10Cnn


class LenetTraining(EpochTraining):
    """SGD with momentum 0.9, at a constant learning rate."""

    dataset = "cifar10"

    def __init__(
        self,
        objective: "Cifar10Cnn",
        configuration: dict[str, Any],
        seed: int,
        device: str,
        rank: Rank | None = None,
    ) -> None:
        sizes = objective.train_images, objective.validation_images
        dense = configuration["l1"], configuration["l2"]
        batch_size = configuration["batch_size"]
        super().__init__(sizes, lambda: build(*dense), batch_size, seed, device, rank)
        rate = configuration["lr"]
        self.optimizer = SGD(self.network.parameters(), lr=rate, momentum=0.9, fused=True)


def build(l1: int, l2: int) -> nn.Sequential:
    """Twice (5 x 5 convolution, ReLU, 2 x 2 max-pooling), then dense layers of l1, l2 and 10.

    ReLU comes after the pooling, on a quarter of the values, where it gives the same numbers.
    """
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU()),
        nn.Flatten(),
        *(nn.Linear(16 * 5 * 5, l1), nn.ReLU()),
        *(nn.Linear(l1, l2), nn.ReLU()),
        nn.Linear(l2, 10),
    )
