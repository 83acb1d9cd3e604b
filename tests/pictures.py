"""Small data sets of images, written in the file formats of the real ones."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np

TELLING = 600
"""So many images at either end of a file are told apart by a bright bar; the others are black."""


def drawn(count: int, validation: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images of this shape and labels: noise, and a bright bar at column 2 · label.

    Only those for training, before the last `validation`, and the first of the last, are drawn.
    """
    generator = np.random.RandomState(0)
    labels = generator.randint(0, 10, count)
    images = np.zeros((count, *shape), np.uint8)
    for first in (0, count - validation):
        some = slice(first, first + TELLING)
        images[some] = generator.randint(0, 100, images[some].shape)
        columns = 2 * labels[some]
        images[some][np.arange(len(columns)), ..., columns] = 255
    return images, labels


def idx(array: np.ndarray) -> bytes:
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write_fashion_mnist(folder: Path) -> Path:
    """6,600 images, of which the last 6,000 are for validation."""
    folder.mkdir(parents=True)
    for prefix, count in (("train", 6_600), ("t10k", 10)):
        images, labels = drawn(count, min(count, 6_000), (28, 28))
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            packed = gzip.compress(idx(array), 1, mtime=0)
            (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(packed)
    return folder


def write_cifar10(folder: Path) -> Path:
    """10,600 images, of which the last 10,000 are for validation, in five files; and ten others."""
    folder.mkdir(parents=True)
    images, labels = drawn(10_600, 10_000, (3, 32, 32))
    records = np.hstack([labels[:, None].astype(np.uint8), images.reshape(len(images), -1)])
    files = {
        f"data_batch_{n}.bin": part for n, part in enumerate(np.array_split(records, 5), start=1)
    }
    archive = {name: part.tobytes() for name, part in files.items()}
    archive |= {"test_batch.bin": records[:10].tobytes(), "readme.html": b"..."}
    (folder / "cifar-10-binary.tar.gz").write_bytes(packed(archive))
    return folder


def packed(files: dict[str, bytes]) -> bytes:
    """The files in a folder of a .tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
