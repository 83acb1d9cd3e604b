"""One file of a dataset: is it right, and how it gets in place without ever being half there."""

import gzip
import hashlib
import io
import os
import secrets
import time
from pathlib import Path
from typing import BinaryIO, cast

_SETTLED_NS = 2_000_000_000
_seen_right: set[tuple[object, ...]] = set()


def is_right(path: Path, sha256: str) -> bool:
    """Tell whether a file is there and has this SHA-256.

    Cheap enough for every trial: a process that has found a file right remembers its inode, size
    and times of change, and reads it again only when one of them differs. The time of the last
    status change (ctime) cannot be set back, so a file altered with its size and date kept is
    still found out; a file changed within the last 2 s is not remembered, as clocks tick coarsely.
    """
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            times = info.st_mtime_ns, info.st_ctime_ns
            version = (path.absolute(), info.st_dev, info.st_ino, info.st_size, *times, sha256)
            if version in _seen_right:
                return True
            right = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False
    if right and time.time_ns() - info.st_ctime_ns > _SETTLED_NS:
        _seen_right.add(version)
    return right


def place(path: Path, sha256: str, content: BinaryIO) -> None:
    """Write a file (content plain or gzipped) under a passing name, check it, then name it `path`.

    A `path` that ends in .gz is kept gzipped, as it comes.

    The name is given when the file is complete, right and on disk; several processes may do so at
    once. Raises OSError for another content, and what reading `content` raises.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    buffered = io.BufferedReader(cast(io.RawIOBase, content))
    gzipped = path.suffix != ".gz" and buffered.peek(2).startswith(b"\x1f\x8b")
    plain = gzip.GzipFile(fileobj=buffered) if gzipped else buffered
    hashed = hashlib.sha256()
    try:
        with part.open("xb") as sink:
            while piece := plain.read(1 << 20):
                hashed.update(piece)
                sink.write(piece)
            sink.flush()
            os.fsync(sink.fileno())
        if hashed.hexdigest() != sha256:
            raise OSError("its SHA-256 is wrong")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
