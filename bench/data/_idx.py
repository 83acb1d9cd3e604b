"""The idx format, in which MNIST and its successors are distributed."""

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load(images: Path, labels: Path) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Read images [n, 28, 28] (grey values 0 to 255) and labels [n] (0 to 9), both uint8.

    A file whose name ends in .gz is gzipped. Raises UserError for a file that is not in the idx
    format, or not as long as it says.
    """
    pictures, classes = _read(images, dimensions=3), _read(labels, dimensions=1)
    if pictures.shape != (len(classes), 28, 28):
        raise UserError(
            f"{images.parent}: images {pictures.shape} do not fit {len(classes)} labels"
        )
    return pictures, classes


def _read(path: Path, dimensions: int) -> "NDArray[Any]":
    """Read the idx format: 0 0 8 (unsigned bytes) d, then d big-endian 4-byte sizes, then data."""
    import numpy as np

    raw = np.frombuffer(_content(path), dtype=np.uint8)
    start = 4 + 4 * dimensions
    if len(raw) < start or raw[:4].tolist() != [0, 0, 8, dimensions]:
        raise UserError(f"{path} is not an idx file of {dimensions}-dimensional unsigned bytes")
    shape = raw[4:start].view(">u4").tolist()
    if len(raw) != start + int(np.prod(shape)):
        raise UserError(f"{path} says that it holds {shape} bytes, but has {len(raw) - start}")
    return raw[start:].reshape(shape)


def _content(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path} is not gzipped as it should be: {error}") from None
