"""MNIST as tensors on the device, divided for the search."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.data import mnist
from bench.seeds import derive

VALIDATION_POOL = 5_000
"""The last images of the training file; no training sees them."""


def split(count: int, train: int, validation: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose the indices of training and validation images among `count`: always the same."""
    pool = count - VALIDATION_POOL
    shuffled = np.random.RandomState(derive("mnist_cnn", "split")).permutation(pool)
    return shuffled[:train], np.arange(pool, pool + validation)


@lru_cache(maxsize=4)
def load_tensors(folder: Path, train: int, validation: int, device: str) -> tuple[Tensor, ...]:
    """Training images [n, 1, 28, 28] and labels [n], then those of validation, on the device.

    Images are scaled to the mean 0 and standard deviation 1 of all of MNIST. A process keeps
    them: its next trials find them here.
    """
    images, labels = mnist.load(folder)
    tensors = []
    for chosen in split(len(images), train, validation):
        scaled = (torch.from_numpy(images[chosen]).float() / 255 - 0.1307) / 0.3081
        tensors += [scaled.unsqueeze(1), torch.from_numpy(labels[chosen]).long()]
    return tuple(tensor.to(device) for tensor in tensors)
