"""An ordinary user, for as long as a test needs one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "bench-test-user"


@contextmanager
def created() -> Iterator[str]:
    """Create the user, and remove it and what it has; also what a run that was killed has left."""
    _remove()
    subprocess.run(["useradd", "--create-home", NAME], check=True)
    try:
        yield NAME
    finally:
        _remove()


def _remove() -> None:
    """Although a process of it may be just ending."""
    subprocess.run(["userdel", "--force", "--remove", NAME], capture_output=True)
