"""Processes that tests start: what lives, what is left, and waiting for something to happen.

Tests wait long and look often: a machine that is busy is slow, and not wrong.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT_SECONDS = 600.0


def wait_for(
    condition: Callable[[], Any],
    what: str = "what is waited for",
    seconds: float = WAIT_SECONDS,
    alive: "subprocess.Popen[Any] | None" = None,
) -> Any:
    """Wait until it is true and return it; too long, or the end of `alive`, fails the test."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        assert alive is None or alive.poll() is None, f"it ended before {what}"
        time.sleep(0.1)
    return found


def processes_of(folder: Path) -> list[str]:
    """Living processes that work in the folder or name it: Ray retitles those of trials."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = (process / "cwd").readlink()
        except OSError:
            continue
        if f"{folder}/" in f"{line.replace(' ', '/')}/" or where.is_relative_to(folder):
            found.append(f"{process.name} in {where}: {line}")
    return found


def none_left(folder: Path) -> bool:
    """Whether no process of it lives on; Ray's agents end some seconds after their run."""
    return bool(wait_for(lambda: not processes_of(folder), "the end of all processes"))


def kill_all(folder: Path) -> None:
    """As a power cut does: what was started, and what that started."""
    for line in processes_of(folder):
        with contextlib.suppress(OSError):
            os.kill(int(line.split()[0]), signal.SIGKILL)


def lives(process: int) -> bool:
    """Whether it runs: one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
