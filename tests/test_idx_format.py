"""MNIST's file format, read as it was written or refused."""

from pathlib import Path

import numpy as np
import pytest
from pictures import idx
from test_data import put

from bench import data
from bench.data import mnist
from bench.errors import UserError

IMAGES = np.arange(2 * 28 * 28).reshape(2, 28, 28) % 251
LABELS = np.array([3, 9])


def test_the_idx_format_is_read_as_it_was_written(tmp_path: Path) -> None:
    put(tmp_path, {"t10k-images-idx3-ubyte": idx(IMAGES), "t10k-labels-idx1-ubyte": idx(LABELS)})
    images, labels = mnist.load(tmp_path, "test")
    assert images.dtype == labels.dtype == np.uint8
    assert images.tolist() == IMAGES.tolist()
    assert labels.tolist() == [3, 9]


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (idx(IMAGES), idx(IMAGES), "not an idx file of 1-dimensional"),
        (b"", idx(LABELS), "not an idx file of 3-dimensional"),
        (b"\1" + idx(IMAGES)[1:], idx(LABELS), "not an idx file"),
        (idx(IMAGES)[:-1], idx(LABELS), "but has 1567"),
        (idx(IMAGES), idx(LABELS[:1]), "do not fit 1 labels"),
        (idx(IMAGES[:, :27]), idx(LABELS), "do not fit 2 labels"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    images: bytes, labels: bytes, complaint: str, tmp_path: Path
) -> None:
    put(tmp_path, {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels})
    with pytest.raises(UserError, match=complaint):
        mnist.load(tmp_path)


def test_the_real_images_have_the_known_class_counts() -> None:
    if not (data.root() / "mnist").exists():
        pytest.skip(f"no MNIST in {data.root().absolute()}; `bench data mnist` fetches it")
    images, labels = mnist.load(data.verify("mnist"))
    assert images.shape == (60_000, 28, 28)
    known = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(labels).tolist() == known
    assert labels[0] == 5
    images, labels = mnist.load(data.verify("mnist"), "test")
    assert images.shape == (10_000, 28, 28)
    assert labels[0] == 7
