"""CIFAR-10: 50,000 training and 10,000 test images of ten kinds of things, 32 by 32 in colour.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Its binary version:
unlike the one for Python it is no pickle, so that reading it can run no code. Its authors name
no licence; they ask to be cited.
"""

import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.data._sources import Mirror, Source
from bench.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARCHIVE = "cifar-10-binary.tar.gz"
FILES = {ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}
"""Of the archive as it is published: the SHA-256 in TensorFlow Datasets' checksums.

The author's page has its MD5, c32a1d4ab5d03f1284b67883e8d87530.
"""

SOURCES: list[Source] = [
    Mirror("https://www.cs.toronto.edu/~kriz"),
    Mirror("https://cave.cs.toronto.edu/kriz"),
    Mirror("https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10"),
]

PARTS = {"train": [f"data_batch_{n}.bin" for n in range(1, 6)], "test": ["test_batch.bin"]}
PIXELS = 3 * 32 * 32


def load(
    folder: Path, part: Literal["train", "test"] = "train"
) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Read images [n, 3, 32, 32] (red, green, blue) and labels [n] (0 to 9), both uint8.

    `folder` is what `bench.data.verify("cifar10")` returns. Raises UserError for an archive that
    is none, or has not what it should have.
    """
    import numpy as np

    path = folder / ARCHIVE
    files = _read(path, PARTS[part])
    for name, content in files.items():
        if not content or len(content) % (1 + PIXELS):
            raise UserError(
                f"{path}: {name} has {len(content)} bytes, which are no images of 1 + {PIXELS}"
            )
    records = np.frombuffer(b"".join(files.values()), np.uint8).reshape(-1, 1 + PIXELS)
    labels = records[:, 0].copy()
    if labels.max() > 9:
        raise UserError(f"{path}: a label is {labels.max()}, legal: 0 to 9")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


def _read(path: Path, names: list[str]) -> dict[str, bytes]:
    """The contents of these members, whichever folder they are in; nothing is unpacked on disk."""
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = Path(member.name).name
                if name in names and (file := archive.extractfile(member)) is not None:
                    found[name] = file.read()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is not the archive that it should be: {error}") from None
    if missing := [name for name in names if name not in found]:
        raise UserError(f"{path} has no {missing[0]}; legal: {', '.join(names)}")
    return {name: found[name] for name in names}
