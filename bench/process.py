"""Who a process is, so that another can tell whether it still runs."""

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path

from bench import machine


@dataclass(frozen=True)
class Process:
    """A process, as others need to know it."""

    host: str
    pid: int
    since: str
    """The time (UTC) at which it was asked."""
    job: str | None
    """The SLURM job, if it is in one."""
    space: str
    """Where its id means something and is visible: a host's boot, a PID namespace, a user."""
    started: int
    """Clock ticks from boot to its start: ids are used again."""
    restart: int = 0
    """How often SLURM had put the job back into the queue before."""

    @classmethod
    def this(cls) -> "Process":
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            job=os.environ.get("SLURM_JOB_ID"),
            space=_space(),
            started=_started(os.getpid()) or 0,
            restart=int(os.environ.get("SLURM_RESTART_COUNT", "0")),
        )

    @classmethod
    def from_json(cls, text: bytes) -> "Process":
        """Read what `as_json` wrote; anything else gives a process of which nothing is known."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return cls("a host that it does not name", 0, "a time unknown", None, "", 0)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def alive(self) -> bool | None:
        """Whether it runs; None if that cannot be seen from here (another host, for one)."""
        if self.space != _space():
            return None
        return _started(self.pid) == self.started

    def belongs_to_earlier_start_of(self, other: "Process") -> bool:
        """Whether it is of the same SLURM job, before that was requeued: SLURM is ending it."""
        return self.job is not None and self.job == other.job and self.restart < other.restart

    def __str__(self) -> str:
        job = f" (SLURM job {self.job})" if self.job else ""
        return f"process {self.pid} on {self.host}{job} since {self.since}"


@cache
def _space() -> str:
    # The user is part of it: /proc may hide others' processes (hidepid). Two virtual machines
    # started from one snapshot have the same boot id, hence the host name.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return str(uuid.uuid4())  # equal to no other: then only signs of life count
    return f"{socket.gethostname()} {boot} {namespace} {os.getuid()}"


def _started(pid: int) -> int | None:
    """Clock ticks from boot to the process's start (proc(5), stat, field 22); None if it ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    state, *fields = stat[stat.rindex(")") + 2 :].split()
    return None if state in "ZX" else int(fields[18])


def uptime() -> float:
    """Seconds since boot, counting those that the machine slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def pool(most: int) -> ProcessPoolExecutor:
    """Processes beside this one, as many as there are cores, at most `most`; they end with it.

    They are not forked: this one may have threads.
    """
    return ProcessPoolExecutor(min(machine.cores(), most), _Shielded(), _live_with_parent)


class _ShieldedProcess(SpawnProcess):
    """Born deaf to Ctrl-C, which is its parent's business, also while it imports."""

    def start(self) -> None:
        resource_tracker.ensure_running()  # else started on the way, which unblocks SIGINT
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Shielded(SpawnContext):
    Process = _ShieldedProcess


def _live_with_parent() -> None:
    """When the parent is gone, so is this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # for what this process starts
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
