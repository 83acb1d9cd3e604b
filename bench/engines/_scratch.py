"""A temporary folder that is cleaned up even if its owner was killed: by the next one."""

import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Self

HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
PREFIX = f"bench-{os.getuid()}-{HOST}-"
"""Of this user on this host: locks of other hosts may not be seen from here."""

REMOVE_SECONDS = 5.0
"""Ray's agents outlive by some seconds what they are the agents of."""


class Scratch:
    """A folder in the system's temporary one; its owner holds a lock that dies with it.

    Its path is short, because Ray keeps sockets there, whose paths have at most 107 characters.
    One in a folder that is `shared` by several nodes is to be removed by who owns that folder, too:
    there may be no locks there.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._lock: int | None = None
        if shared is not None:
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=shared))
            return
        remove_left_over()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_temporary_folder()))
        self._lock = os.open(self.folder / "new", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(self.folder / "new", self.folder / "lock")  # there only once it is locked

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _remove(self.folder)
        if self._lock is not None:
            os.close(self._lock)


def remove_left_over() -> None:
    """Remove the folders of this user whose owners are dead."""
    for folder in _short_temporary_folder().glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR)
        except OSError:
            continue  # just being made, or gone
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        except OSError:
            pass  # in use
        finally:
            os.close(lock)


def _remove(folder: Path) -> None:
    """Remove it although a process that is just ending may still put a file there."""
    end = time.monotonic() + REMOVE_SECONDS
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists() or time.monotonic() > end:
            return
        time.sleep(0.05)


def _short_temporary_folder() -> Path:
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) <= 24 else Path("/tmp")
