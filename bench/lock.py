"""A lock per cell: of the processes that want a cell, on whatever hosts, one runs it.

A lock is a folder of claims named 1, 2, 3, …; who made the greatest one holds the lock. A claim
appears whole and at most once (`link` fails if the name is taken, on NFS and Lustre too), and is
made only when the greatest one before it is released (empty) or its holder dead. A process writes
and refreshes its own claim alone and removes only lesser ones, so nothing that it does late, after
a pause of any length, harms who came after it; the greatest claim is never removed.
docs/decisions/0003-locks.md says why not a library, and how dead is told from slow.
"""

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from bench.errors import UserError
from bench.process import Process, uptime


class Busy(UserError):
    """Another process has the lock; the message says which, and what to do."""


class LockLost(UserError):
    """Another process took the lock, because this one gave no sign of life for too long."""


class CellLock:
    """The lock whose claims are in `folder`: `with CellLock(folder) as lock: … lock.check() …`.

    A holder refreshes its claim every `interval` seconds; one on another host is taken for dead
    after `stale_after` seconds without, one on this host when its process is gone: at once, and
    never before. Entering waits for the holder if it is of an earlier start of the same SLURM job,
    else it raises Busy, and UserError where the folder cannot be written.
    """

    def __init__(self, folder: Path, interval: float = 5.0, stale_after: float = 120.0) -> None:
        self.folder, self._interval, self._stale_after = folder, interval, stale_after
        self._number, self._lost, self._refreshed = 0, False, 0.0
        self._released = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._claim()
        except OSError as error:
            what = f"cannot lock {self.folder}: {error.strerror}"
            raise UserError(f"{what}; free space or choose another folder with --results") from None
        self._lost = False
        self._released.clear()
        threading.Thread(target=self._keep_alive, name="lock", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        with contextlib.suppress(OSError):  # removed by a successor; out of reach: it goes stale
            os.truncate(self.folder / str(self._number), 0)

    def check(self) -> None:
        """Raise LockLost if this process may no longer be the holder; costs a microsecond."""
        if uptime() - self._refreshed > 2 * self._interval:  # this process was paused, or the disk
            self._refresh()
        if self._lost:
            raise LockLost(
                f"lost {self.folder.name}: this process gave no sign of life for "
                f"{self._stale_after:g} s (paused, or cut off from the file system) and another "
                "may run it; what was written is kept: run the same command again"
            )

    def held_by(self) -> Process | None:
        """Who has the lock now; None if nobody alive has."""
        return self._holder(self._greatest()) if self.folder.exists() else None

    def _claim(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._refreshed = uptime()
            last = self._greatest()
            if holder := self._holder(last):
                if holder.belongs_to_earlier_start_of(Process.this()):
                    time.sleep(self._interval / 5)  # it is being ended, or dead on a dead node
                    continue
                raise Busy(
                    f"{self.folder.name} is being run by {holder}: wait for it or end it (if its "
                    f"machine died: free {self._stale_after:g} s after its last sign of life)"
                )
            # A claim made on an old view, in the place of a removed one, is not the greatest.
            if self._publish(last + 1) and self._greatest() == last + 1:
                break
        self._number = last + 1
        for number in self._numbers():
            if number < self._number:
                (self.folder / str(number)).unlink(missing_ok=True)

    def _publish(self, number: int) -> bool:
        """Make the claim, whole, unless there is one of that number; True if it is this one's."""
        handle, draft = tempfile.mkstemp(prefix=".", dir=self.folder)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(Process.this().as_json())
                file.flush()
                os.fsync(handle)
            os.chmod(draft, 0o644)  # others may know who has it
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.folder / str(number))
            return os.stat(draft).st_nlink == 2  # true also where NFS lost the answer and retried
        finally:
            os.unlink(draft)

    def _numbers(self) -> list[int]:
        return [int(name) for name in os.listdir(self.folder) if name.isdecimal()]

    def _greatest(self) -> int:
        return max(self._numbers(), default=0)

    def _holder(self, number: int) -> Process | None:
        """Who made the claim; None if there is none, or it is released or of the dead."""
        try:
            with open(self.folder / str(number), "rb") as file:  # opening asks NFS for the newest
                content, refreshed = file.read(), os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return None
        if not content:
            return None
        holder = Process.from_json(content)
        if (alive := holder.alive()) is None:
            alive = self._file_system_time() - refreshed <= self._stale_after
        return holder if alive else None

    def _file_system_time(self) -> float:
        """Now, by the clock that stamps the claims; -inf (nobody is dead) in a read-only folder."""
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                os.utime(file.fileno())
                return os.fstat(file.fileno()).st_mtime
        except OSError:
            return float("-inf")

    def _keep_alive(self) -> None:
        while not self._released.wait(self._interval) and not self._lost:
            self._refresh()

    def _refresh(self) -> None:
        before = uptime()
        try:
            os.utime(self.folder / str(self._number))
            self._lost = self._lost or self._greatest() != self._number
            self._refreshed = before
        except FileNotFoundError:
            self._lost = True
        except OSError:  # out of reach for now
            self._lost = self._lost or before - self._refreshed > self._stale_after
