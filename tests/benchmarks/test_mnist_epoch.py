"""An epoch of `mnist_cnn` against the textbook loop: same images, network, batches, one thread."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from bench import data
from bench.data import mnist
from bench.objectives._cnn import build
from bench.objectives._images import split
from bench.objectives.mnist_cnn import MnistCnn

OBJECTIVE = MnistCnn(max_steps=100, train_images=10_000, validation_images=1_000)
CONFIGURATION: dict[str, Any] = {
    "lr": 1e-3,
    "batch_size": 64,
    "optimizer": "adam",
    "weight_decay": 0.0,
    "conv1": 16,
    "conv2": 32,
    "conv3": 0,
    "kernel1": 3,
    "kernel2": 3,
    "activation": "relu",
    "dropout": 0.2,
    "fc_dim": 128,
    "schedule": "none",
}
pytestmark = pytest.mark.benchmark(group="mnist epoch, 10,000 images")


class Images(Dataset[tuple[Tensor, int]]):
    """One image at a time, transformed as torchvision's MNIST, ToTensor and Normalize do."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index])
        pixels = np.array(picture, np.uint8, copy=True)[:, :, None]
        image = torch.from_numpy(pixels).permute((2, 0, 1)).contiguous()
        image = image.to(torch.get_default_dtype()).div(255).clone()
        mean, std = torch.as_tensor([0.1307]), torch.as_tensor([0.3081])
        return image.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1)), int(self.labels[index])


@pytest.fixture
def folder() -> Path:
    if not (data.root() / "mnist").exists():
        pytest.skip(f"no MNIST in {data.root().absolute()}: run `bench data mnist` to measure this")
    torch.set_num_threads(1)
    return data.verify("mnist")


def textbook(folder: Path, workers: int) -> Callable[[], float]:
    """Prepare an epoch as tutorials write it: train by mini-batches, evaluate, return the loss."""
    images, labels = mnist.load(folder)
    chosen = split("mnist", len(images), OBJECTIVE.train_images, OBJECTIVE.validation_images)
    train, validation = (
        DataLoader(
            Images(images[part], labels[part]),
            batch_size=CONFIGURATION["batch_size"],
            shuffle=shuffle,
            num_workers=workers,
        )
        for part, shuffle in zip(chosen, (True, False), strict=True)
    )
    layers = list(build(CONFIGURATION))
    for pool in (1, 4):  # each convolution, then ReLU, then pooling, as it is usually written
        assert isinstance(layers[pool], nn.MaxPool2d)
        layers[pool : pool + 2] = [layers[pool + 1], layers[pool]]
    network = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(network.parameters(), lr=CONFIGURATION["lr"])

    def epoch() -> float:
        network.train()
        for batch, target in train:
            optimizer.zero_grad()
            loss = cross_entropy(network(batch), target)
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            losses = [
                cross_entropy(network(batch), target, reduction="sum").item()
                for batch, target in validation
            ]
        return sum(losses) / OBJECTIVE.validation_images

    return epoch


def test_epoch_of_mnist_cnn(folder: Path, benchmark: BenchmarkFixture) -> None:
    training = OBJECTIVE.train(CONFIGURATION, 0, "cpu")
    outcome = benchmark.pedantic(training.step, rounds=5, warmup_rounds=1)
    assert outcome["loss"] < 0.5


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_epoch_of_the_textbook_loop(
    workers: int, folder: Path, benchmark: BenchmarkFixture
) -> None:
    loss = benchmark.pedantic(textbook(folder, workers), rounds=5, warmup_rounds=1)
    assert loss < 0.5
