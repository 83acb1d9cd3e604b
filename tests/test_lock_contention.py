"""Many processes that want a cell at once: exactly one has it."""

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from processes import WAIT_SECONDS
from test_lock import ELSEWHERE, LONG_AGO, claim

from bench.lock import Busy, CellLock


@pytest.mark.parametrize("last", ["stale", "released"])
def test_of_many_that_contend_exactly_one_wins(tmp_path: Path, last: str) -> None:
    contenders, rounds = 6, 60
    for number in range(rounds):
        path = claim(tmp_path / str(number), mtime=LONG_AGO, **ELSEWHERE)
        if last == "released":
            os.truncate(path, 0)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(contenders, timeout=WAIT_SECONDS)
    processes = [
        context.Process(target=contend, args=(tmp_path, rounds, barrier), daemon=True)
        for _ in range(contenders)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=WAIT_SECONDS)
    winners = [len(list(tmp_path.glob(f"{number}-won-*"))) for number in range(rounds)]
    assert winners == [1] * rounds
    assert [process.exitcode for process in processes] == [0] * contenders


def contend(root: Path, rounds: int, barrier: Barrier) -> None:
    for number in range(rounds):
        barrier.wait()
        try:
            with CellLock(root / str(number)) as lock:
                (root / f"{number}-won-{os.getpid()}").touch()
                barrier.wait()  # all others have been refused
                lock.check()
        except Busy:
            barrier.wait()


def test_no_two_hold_it_at_a_time_while_many_come_and_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=come_and_go, args=(tmp_path, 150), daemon=True) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=WAIT_SECONDS)
    assert [process.exitcode for process in processes] == [0] * 4


def come_and_go(root: Path, times: int) -> None:
    while times:
        try:
            with CellLock(root / "lock"):
                os.mkdir(root / "inside")  # fails if another is
                os.rmdir(root / "inside")
                times -= 1
        except Busy:
            pass
