"""A temporary folder that is cleaned up even if its owner was killed: by the next one."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = f"bench-{os.getuid()}-"


class Scratch:
    """A folder in the system's temporary one; its owner holds a lock that dies with it.

    Its path is short, because Ray keeps sockets there, whose paths have at most 107 characters.
    """

    def __init__(self) -> None:
        remove_left_over()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_temporary_folder()))
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
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
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # in use
        finally:
            os.close(lock)


def _short_temporary_folder() -> Path:
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) <= 24 else Path("/tmp")
