"""What a run must survive; after each, the same command finishes the suite and nothing is lost.

kill -9, Ctrl-C, a second process, torn journals, full and read-only folders.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import WriteSuite, command, in_folder, records
from processes import WAIT_SECONDS, kill_all, none_left, processes_of, wait_for

from bench.journal import read

Bench = Callable[..., subprocess.CompletedProcess[str]]


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """A run of its own process group, with its temporary files in the test's folder.

    Tests that a shell started in the background would hand it a Ctrl-C that is ignored.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env={**in_folder(), "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def reports(folder: Path) -> list[tuple[str, int, int, float]]:
    """All reports in the suite's journals, those of attempts set aside included."""
    found = []
    for path in sorted((folder / "results/suite").rglob("*.jsonl")):
        for event in read(path).events:
            if event["event"] == "report":
                name = path.name.split(".")[0]
                found.append((name, event["trial"], event["step"], event["loss"]))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: Ray's sockets are in it."""
    path = Path(tempfile.mkdtemp(prefix="bt-", dir="/tmp"))
    yield path
    kill_all(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize(
    "after",
    [1, pytest.param(0, marks=pytest.mark.minutes), pytest.param(7, marks=pytest.mark.minutes)],
)
def test_kill_9_loses_nothing_and_the_same_command_finishes(
    folder: Path, write_suite: WriteSuite, after: int
) -> None:
    suite = write_suite(["random", "asha"], [{"seconds": 0.05}], budget=3)
    run = start(folder, "run", suite, "--device", "cpu")
    wait_for(lambda: len(reports(folder)) >= after and list(folder.glob("results/suite/*.jsonl")))
    run.kill()
    run.wait()
    before = reports(folder)
    assert len(before) >= after
    # Ray's processes end with their driver; its two agents try to tell it for another minute.
    wait_for(lambda: not [each for each in processes_of(folder) if "Agent" not in each])

    printed = subprocess.run(
        command("run", suite, "--device", "cpu"),
        cwd=folder,
        env={**in_folder(), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert printed.returncode == 0, printed.stderr
    assert "2 done" in printed.stdout
    after_rerun = reports(folder)
    assert set(before) <= set(after_rerun), "what was reported is still to be read"
    assert not list(folder.glob("bench-*")), "the dead run's temporary folder is removed too"


def listening(folder: Path) -> list[str]:
    """Local addresses, in hexadecimal as in proc(5), where processes of the folder listen."""
    inodes = set()
    for line in processes_of(folder):
        for descriptor in Path(f"/proc/{line.split()[0]}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    rows = [
        row.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for row in Path(table).read_text().splitlines()[1:]
    ]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes]


def test_all_that_a_run_starts_listens_on_loopback_only(
    folder: Path, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random"], [{"seconds": 0.3}], budget=30)
    run = start(folder, "run", suite, "--device", "cpu")
    try:
        wait_for(lambda: len(reports(folder)) >= 2)
        addresses = listening(folder)
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=WAIT_SECONDS)
    loopback = ("0100007F", "0000000000000000FFFF00000100007F", "0" * 24 + "01000000")
    assert addresses and set(addresses) <= set(loopback)


def test_ctrl_c_exits_at_once_and_says_how_to_go_on(folder: Path, write_suite: WriteSuite) -> None:
    suite = write_suite(["random", "asha"], [{"seconds": 0.3}], budget=30)
    run = start(folder, "run", suite, "--device", "cpu")
    wait_for(lambda: len(reports(folder)) >= 2)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all of the foreground group
    out, err = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130
    assert "interrupted: 0 of 2 cells are done; go on with: " in out and f" run {suite}" in out
    assert "Traceback" not in err
    assert none_left(folder) and not list(folder.glob("bench-*"))


@pytest.mark.parametrize(
    "asked", [signal.SIGTERM, pytest.param(signal.SIGUSR1, marks=pytest.mark.minutes)]
)
def test_a_run_that_is_asked_to_leave_says_so_and_the_same_command_goes_on(
    folder: Path, write_suite: WriteSuite, asked: signal.Signals
) -> None:
    suite = write_suite(["random"], [{"seconds": 0.2}], budget=12)
    run = start(folder, "run", suite, "--device", "cpu")
    wait_for(lambda: len(reports(folder)) >= 2)
    run.send_signal(asked)
    out, err = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 75, err
    assert f"left for {asked.name}: 0 of 1 cells are done; go on with: " in out
    assert "Traceback" not in err and "received" not in err
    assert none_left(folder) and not list(folder.glob("bench-*"))
    again = subprocess.run(
        command("run", suite, "--device", "cpu"), cwd=folder, env=in_folder(), capture_output=True
    )
    assert again.returncode == 0
    (record,) = records(folder)
    assert record.finished and [e["event"] for e in record.events].count("resume") == 1


def test_of_two_processes_that_want_a_cell_one_runs_it_and_the_other_says_who(
    folder: Path, bench: Bench, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random"], [{"seconds": 0.2}], budget=20)
    first = start(folder, "run", suite, "--device", "cpu")
    wait_for(lambda: len(reports(folder)) >= 1)
    where = ("--results", folder / "results")
    second = bench("run", suite, "--device", "cpu", *where)
    assert second.returncode == 0
    assert f"is being run by process {first.pid} on " in second.stderr
    assert f"running  process {first.pid} on " in bench("status", suite, *where).stdout
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert "unfinished" in bench("status", suite, *where).stdout, "the dead one holds nothing"
    third = bench("run", suite, "--device", "cpu", *where)
    assert third.returncode == 0 and "1 done; 1 ran now" in third.stdout


def test_a_second_run_runs_nothing(bench: Bench, tmp_path: Path, write_suite: WriteSuite) -> None:
    suite = write_suite()
    assert "1 ran now" in bench("run", suite, "--device", "cpu").stdout
    before = {path: path.read_bytes() for path in tmp_path.glob("results/suite/*.jsonl")}
    again = bench("run", suite, "--device", "cpu")
    assert "1 done; 0 ran now" in again.stdout and again.returncode == 0
    assert {path: path.read_bytes() for path in before} == before


def test_a_torn_journal_goes_on_and_an_unreadable_one_is_set_aside_and_its_cell_run_anew(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random", "asha"])
    bench("run", suite, "--device", "cpu")
    torn, unreadable = sorted(tmp_path.glob("results/suite/*.jsonl"))
    whole = torn.read_bytes()
    torn.write_bytes(whole[:-5])
    unreadable.write_bytes(b"\x00\xffnothing\n")
    states = bench("status", suite, "--device", "cpu").stdout
    assert states.count("unfinished") == 3  # two cells and the count of both
    assert "line 1: not JSON; the next `bench run` starts it anew" in states
    assert "12 of 12 steps are in its journal; the next `bench run` goes on with it" in states

    assert "2 ran now" in bench("run", suite, "--device", "cpu").stdout
    assert all(record.finished for record in records(tmp_path))
    assert torn.read_bytes().startswith(whole[: whole.rindex(b"\n", 0, -1) + 1])
    (aside,) = tmp_path.glob("results/suite/attempts/*.jsonl")
    assert aside.read_bytes() == b"\x00\xffnothing\n"


def small_disk(folder: Path, size: str) -> None:
    """Mount a small file system, or skip: only root may."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder])
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a file system")


def test_a_full_disk_ends_the_run_with_one_line_and_keeps_what_is_there(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    results = tmp_path / "small"
    small_disk(results, "32k")
    try:
        suite = write_suite(["random"], budget=60)
        printed = bench("run", suite, "--device", "cpu", "--results", results)
        assert printed.returncode == 2
        assert "No space left on device; what is in it already is kept" in printed.stderr
        assert "Traceback" not in printed.stderr
        (journal,) = results.glob("suite/*.jsonl")
        record = read(journal)
        assert not record.finished and len(record.events) > 10
        subprocess.run(["mount", "-o", "remount,size=4m", results], check=True)
        again = bench("run", suite, "--device", "cpu", "--results", results)
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", results], check=True)


def test_a_read_only_folder_is_one_line(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    results = tmp_path / "small"
    small_disk(results, "1m")
    try:
        suite = write_suite()
        subprocess.run(["mount", "-o", "remount,ro", results], check=True)
        printed = bench("run", suite, "--device", "cpu", "--results", results)
        assert printed.returncode == 2
        assert "Read-only file system; choose another folder with --results" in printed.stderr
        assert printed.stderr.count("\n") == 1
        assert "pending" in bench("status", suite, "--results", results).stdout
    finally:
        subprocess.run(["umount", results], check=True)
