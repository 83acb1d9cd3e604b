"""Data sets of images as tensors on the device, divided for the search."""

import importlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.seeds import derive


@dataclass(frozen=True)
class Division:
    """How the training file of a data set is used; the official test images never are."""

    objective: str
    """Its name is what the shuffle is drawn from."""
    validation_pool: int
    """So many images, the last of the file, are for validation; no training sees them."""
    mean: float
    deviation: float
    """Of grey values in [0, 1]: they are scaled to (value - mean) / deviation."""


DIVISIONS = {
    "mnist": Division("mnist_cnn", 5_000, 0.1307, 0.3081),  # the moments of all of MNIST
    "fashion_mnist": Division("fashion_mnist_resnet18", 6_000, 0.5, 0.5),  # as the tutorials do
    "cifar10": Division("cifar10_cnn", 10_000, 0.5, 0.5),
}


@dataclass(frozen=True, eq=False)
class Images:
    """Images [n, channels, height, width] and their labels [n], on the device."""

    train: Tensor
    train_labels: Tensor
    validation: Tensor
    validation_labels: Tensor


def split(dataset: str, count: int, train: int, validation: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose the indices of training and validation images among `count`: always the same."""
    division = DIVISIONS[dataset]
    pool = count - division.validation_pool
    shuffled = np.random.RandomState(derive(division.objective, "split")).permutation(pool)
    return shuffled[:train], np.arange(pool, pool + validation)


@lru_cache(maxsize=4)
def load(dataset: str, folder: Path, train: int, validation: int, device: str) -> Images:
    """Read a data set that lies in `folder`. A process keeps it: its next trials find it here."""
    division = DIVISIONS[dataset]
    images, labels = importlib.import_module(f"bench.data.{dataset}").load(folder)
    tensors = []
    for chosen in split(dataset, len(images), train, validation):
        grey = torch.from_numpy(images[chosen]).float() / 255
        scaled = (grey - division.mean) / division.deviation
        tensors += [scaled if scaled.ndim == 4 else scaled.unsqueeze(1)]
        tensors += [torch.from_numpy(labels[chosen]).long()]
    return Images(*(tensor.to(device) for tensor in tensors))
