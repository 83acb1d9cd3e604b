"""Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 by 28 grey values.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", arXiv:1708.07747; the data are licensed MIT.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.data import _idx
from bench.data._sources import Mirror, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = {
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
    ),
}
"""Of the files as they are published, gzipped: the SHA-256 in TensorFlow Datasets' checksums.

The authors and torchvision publish their MD5: 8d4fb7e6c68d591d4c3dfef9ec88bf0d,
25c81989df183df01b3e8a0aad5dffbe, bef4ecab320f06d8554ea6380940ec79 and
bb300cfdad3c16e7a12a480ee83cd310, in this order.
"""

SOURCES: list[Source] = [
    Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"),
    Mirror("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"),
    Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets"),
]


def load(
    folder: Path, part: Literal["train", "test"] = "train"
) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Read images [n, 28, 28] and labels [n] of what `bench.data.verify` returns, both uint8."""
    prefix = {"train": "train", "test": "t10k"}[part]
    return _idx.load(
        folder / f"{prefix}-images-idx3-ubyte.gz", folder / f"{prefix}-labels-idx1-ubyte.gz"
    )
