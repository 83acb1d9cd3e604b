"""A cell's lock: one holder, whoever contends, and the dead do not block."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.lock import Busy, CellLock, LockLost
from bench.process import Process

ELSEWHERE: dict[str, Any] = {
    "host": "node7",
    "pid": 4711,
    "space": "node7 boot pid:[1] 1000",
    "job": "99",
}
LONG_AGO = 1_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "mnist_cnn-tpe-0"


def claim(folder: Path, mtime: float | None = None, number: int = 1, **fields: Any) -> Path:
    """Leave a claim as another process would have; `fields` differ from this process."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / str(number)
    path.write_text(replace(Process.this(), **fields).as_json())
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


HOLD = """
import sys, time
from pathlib import Path
from bench.lock import CellLock
with CellLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process on this host that has the lock."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=os.getcwd())
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_who_comes_second_learns_who_has_it(folder: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Busy) as refusal, CellLock(folder):
        pass
    message = str(refusal.value)
    assert f"mnist_cnn-tpe-0 is being run by process {holder.pid} on " in message
    assert os.uname().nodename in message
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", message)
    assert "wait for it or end it" in message
    assert "\n" not in message


def test_one_process_cannot_have_it_twice(folder: Path) -> None:
    with CellLock(folder), pytest.raises(Busy), CellLock(folder):
        pass


def test_a_released_lock_is_free_again_also_after_an_error(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), CellLock(folder):
        _ = 1 / 0
    for _ in range(3):
        with CellLock(folder) as lock:
            lock.check()
    assert [path.stat().st_size for path in folder.iterdir()] == [0], "no litter"


def test_held_by_says_who_has_it_and_changes_nothing(folder: Path) -> None:
    assert CellLock(folder).held_by() is None
    assert not folder.exists()
    with CellLock(folder):
        holder = CellLock(folder).held_by()
        assert holder is not None
        assert holder.pid == os.getpid()
    assert CellLock(folder).held_by() is None


def test_a_holder_killed_on_this_host_is_followed_at_once(
    folder: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with CellLock(folder) as lock:
        lock.check()


def test_a_killed_holder_that_its_parent_has_not_waited_for_is_dead_too(
    folder: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # now a zombie
    with CellLock(folder):
        pass


def test_a_stopped_holder_on_this_host_keeps_it_however_long_it_is_silent(
    folder: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGSTOP)
    os.utime(folder / "1", (LONG_AGO, LONG_AGO))
    with pytest.raises(Busy), CellLock(folder):
        pass


def test_another_process_with_the_id_of_a_dead_holder_does_not_keep_it(folder: Path) -> None:
    claim(folder, started=Process.this().started - 1)
    with CellLock(folder):
        pass


def test_a_holder_on_another_host_keeps_it_while_it_gives_signs_of_life(folder: Path) -> None:
    claim(folder, **ELSEWHERE)
    with pytest.raises(Busy, match=r"process 4711 on node7 \(SLURM job 99\).*free 120 s"):
        CellLock(folder).__enter__()


def test_a_silent_holder_on_another_host_is_followed(folder: Path) -> None:
    claim(folder, mtime=LONG_AGO, **ELSEWHERE)
    assert CellLock(folder).held_by() is None
    with CellLock(folder):
        assert CellLock(folder).held_by() is not None


def test_a_requeued_job_waits_for_its_earlier_start_to_end_or_fall_silent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = claim(folder, **ELSEWHERE)
    monkeypatch.setenv("SLURM_JOB_ID", "99")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    threading.Timer(0.5, os.truncate, (path, 0)).start()
    with CellLock(folder, interval=0.5) as lock:
        lock.check()


@pytest.mark.parametrize(
    ("job", "restart"), [("98", "1"), ("99", "0")], ids=["another job", "the same start of it"]
)
def test_for_nobody_else_it_is_waited(
    folder: Path, monkeypatch: pytest.MonkeyPatch, job: str, restart: str
) -> None:
    claim(folder, **ELSEWHERE)
    monkeypatch.setenv("SLURM_JOB_ID", job)
    monkeypatch.setenv("SLURM_RESTART_COUNT", restart)
    with pytest.raises(Busy), CellLock(folder):
        pass


@pytest.mark.parametrize("other", ["host", "boot", "pid namespace", "user"])
def test_a_process_that_cannot_be_seen_from_here_is_judged_by_its_signs_of_life(
    folder: Path, other: str
) -> None:
    parts = Process.this().space.split()
    parts[["host", "boot", "pid namespace", "user"].index(other)] = "another"
    path = claim(folder, space=" ".join(parts), pid=2**22 + 1)  # no process here has that id
    assert CellLock(folder).held_by() is not None
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert CellLock(folder).held_by() is None


def test_silence_is_measured_by_the_file_systems_clock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(folder, **ELSEWHERE)
    monkeypatch.setattr("time.time", lambda: 1e12)
    with pytest.raises(Busy):
        CellLock(folder).__enter__()


@pytest.mark.parametrize("text", ["{", "null", '{"pid": 1}'])
def test_a_claim_that_cannot_be_read_holds_until_it_is_stale(folder: Path, text: str) -> None:
    path = claim(folder)
    path.write_text(text)
    with pytest.raises(Busy, match="a host that it does not name"):
        CellLock(folder).__enter__()
    os.utime(path, (LONG_AGO, LONG_AGO))
    with CellLock(folder):
        pass


def test_a_holder_gives_signs_of_life(folder: Path) -> None:
    with CellLock(folder, interval=0.01):
        for _ in range(2):  # the second time it does so again, not still
            os.utime(folder / "1", (LONG_AGO, LONG_AGO))
            while (folder / "1").stat().st_mtime == LONG_AGO:
                pass  # the test's own time limit ends a wait in vain


def test_a_holder_that_was_taken_for_dead_learns_it(folder: Path) -> None:
    with CellLock(folder, interval=0.01) as lock:
        lock.check()
        claim(folder, number=2, **ELSEWHERE)
        (folder / "1").unlink()
        with pytest.raises(LockLost, match=r"mnist_cnn-tpe-0.*run the same command again"):
            while True:
                lock.check()


def test_a_holder_that_wakes_up_learns_it_before_it_writes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CellLock(folder, interval=1000.0) as lock:  # its thread does not come to it
        claim(folder, number=2, **ELSEWHERE)
        lock.check()
        later = lock._refreshed + 3000.0
        monkeypatch.setattr("bench.lock.uptime", lambda: later)
        with pytest.raises(LockLost):
            lock.check()


def test_release_leaves_the_lock_of_a_successor_alone(folder: Path) -> None:
    with CellLock(folder) as lock:
        successor = claim(folder, number=2, **ELSEWHERE)
    assert successor.stat().st_size > 0
    assert lock.held_by() == Process.from_json(successor.read_bytes())


class Slow(CellLock):
    """Finds a stale claim, then is overtaken before it makes its own."""

    overtaken = False

    def _publish(self, number: int) -> bool:
        if not self.overtaken:
            self.overtaken = True
            (self.folder / "1").unlink()
            claim(self.folder, number=3, **ELSEWHERE)
        return super()._publish(number)


def test_a_late_comer_does_not_take_it_from_who_took_it_before(folder: Path) -> None:
    claim(folder, mtime=LONG_AGO, **ELSEWHERE)
    with pytest.raises(Busy, match="node7"):
        Slow(folder).__enter__()


def test_a_claim_whose_making_succeeded_unanswered_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Any, target: Any) -> None:  # as over NFS: sent again, the answer being lost
        real(source, target)
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with CellLock(folder):
        pass


def test_a_folder_that_cannot_be_written_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot lock .*: Not a directory; .*--results"):
        CellLock(tmp_path / "file" / "cell").__enter__()


def test_a_file_system_without_hard_links_is_a_users_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(UserError, match="choose another folder"):
        CellLock(folder).__enter__()
    assert list(folder.iterdir()) == [], "no litter"
