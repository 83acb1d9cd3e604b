"""Virtual cells run in processes of their own, which do not outlive the run."""

import os
import shutil
import signal
import subprocess
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest
from conftest import command, in_folder
from processes import WAIT_SECONDS, wait_for
from tables import rows, write

from bench.engines._scratch import Scratch
from bench.process import _Shielded

SUITE = """
budget = 60
seeds = 20
gpus = [1, 2]
engines = ["virtual"]
[[objectives]]
path = "t.parquet"
[[algorithms]]
name = "tpe"
"""


def started(folder: Path) -> "subprocess.Popen[str]":
    """A run of forty cells, of which the first are done."""
    write(folder / "t.parquet", rows(60, seeds=2))
    (folder / "suite.toml").write_text(SUITE)
    run = subprocess.Popen(
        command("run", "suite.toml"),
        cwd=folder,
        env=in_folder(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        start_new_session=True,
    )
    suite = folder / "results" / "suite"
    wait_for(lambda: list(suite.glob("*.jsonl")), "the first journal", alive=run)
    return run


def children(run: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(run.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=WAIT_SECONDS)[1]


def test_ctrl_c_ends_all_and_says_how_to_go_on(tmp_path: Path) -> None:
    run = started(tmp_path)
    workers = children(run)
    os.killpg(run.pid, signal.SIGINT)
    out, errors = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130, errors
    assert "interrupted: " in out
    assert "Traceback" not in errors
    assert gone(workers)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_no_process_and_goes_on(tmp_path: Path, sent: signal.Signals) -> None:
    run = started(tmp_path)
    workers = children(run)
    run.send_signal(sent)
    run.wait(timeout=WAIT_SECONDS)
    assert gone(workers)
    done = len(list((tmp_path / "results" / "suite").glob("*.jsonl")))
    again = subprocess.run(
        command("run", "suite.toml", "--cells", "*-s0-*"),
        cwd=tmp_path, env=in_folder(), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert done
    assert "2 done" in again.stdout


def test_its_processes_are_born_deaf_to_ctrl_c_and_this_one_is_not() -> None:
    """Else a Ctrl-C while they import would end in a traceback."""
    here, there = Pipe()
    process = _Shielded().Process(target=say_what_is_blocked, args=(there,))
    process.start()
    assert signal.SIGINT in here.recv()
    process.join()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def say_what_is_blocked(connection: Connection) -> None:
    connection.send(signal.pthread_sigmask(signal.SIG_BLOCK, set()))


def test_a_temporary_folder_goes_although_a_process_that_ends_puts_something_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def remove(folder: Path, ignore_errors: bool) -> None:
        calls.append(folder)
        real(folder, ignore_errors=ignore_errors)
        if len(calls) == 1:
            folder.mkdir()

    with Scratch() as scratch:
        real = shutil.rmtree
        monkeypatch.setattr(shutil, "rmtree", remove)
    assert calls and not scratch.folder.exists()
