"""Trials of two GPUs (here: cores), seen through the journals of both engines on the wall clock."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    PLUGINS,
    cell_of,
    command,
    in_folder,
    of_kind,
    processes_of,
    records,
    run_bench,
    suite_text,
)
from consistent import consistent

from bench.journal import Record

pytestmark = pytest.mark.slow

ENGINES = ["ray", "optuna"]
FAULTS = {
    "kill": "its process died: ",
    "raise": "ValueError: broken on purpose",
    "all raise": "ValueError: broken on purpose",
    "kill when built": "its process died: ",
}


def two(fault: str = "", folder: Path = Path(), **keys: Any) -> str:
    options = {name: keys.pop(name) for name in ("failing", "seconds") if name in keys}
    toy = {"path": str(PLUGINS / "shared.py"), "folder": str(folder), "fault": fault, **options}
    keys = {"budget": 6, "gpus": [2], "gpus_per_trial": 2, **keys}
    return suite_text(["random"], [toy], **keys)


class Run:
    """One `bench run` of a suite of trials of two cores."""

    def __init__(self, folder: Path, text: str) -> None:
        (folder / "suite.toml").write_text(text)
        self.folder = folder
        self.printed = run_bench(folder, "run", "suite.toml", "--device", "cpu", TMPDIR=str(folder))
        self.records = records(folder)


def processes(folder: Path) -> dict[str, set[str]]:
    """The processes of each rank."""
    found: dict[str, set[str]] = {}
    for line in (folder / "log").read_text().splitlines():
        rank, process, _ = line.split()
        found.setdefault(rank, set()).add(process)
    return found


@pytest.fixture(scope="module", params=ENGINES)
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("t")
    return Run(folder, two(folder=folder, engines=[request.param]))


def test_the_journal_is_that_of_any_search(sound: Run) -> None:
    assert sound.printed.returncode == 0, sound.printed.stderr
    (record,) = sound.records
    consistent(record)
    assert {event["status"] for event in of_kind(record, "finish")} == {"completed"}
    assert cell_of(record).slots == 1 and len(of_kind(record, "finish")) == 6


def test_one_pair_of_processes_does_all_trials_and_nothing_is_left_of_it(sound: Run) -> None:
    assert {rank: len(each) for rank, each in processes(sound.folder).items()} == {"0": 1, "1": 1}
    assert not processes_of(sound.folder)
    assert not list(sound.folder.glob("bench-*")), "temporary folders"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_rank_that_fails_fails_its_trial_which_says_so_and_the_cell_goes_on(
    tmp_path: Path, engine: str, fault: str
) -> None:
    run = Run(tmp_path, two(fault, tmp_path, engines=[engine]))
    assert run.printed.returncode == 0, run.printed.stderr
    (record,) = run.records
    fails_above(record, 0.5, f"rank 1 of 2: {FAULTS[fault]}")
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("failing", [0, 1])
def test_a_rank_that_hangs_is_a_trial_that_trains_too_long(
    tmp_path: Path, engine: str, failing: int
) -> None:
    text = two("hang", tmp_path, engines=[engine], failing=failing, max_trial_seconds=6.0, budget=3)
    run = Run(tmp_path, text)
    assert run.printed.returncode == 0, run.printed.stderr
    fails_above(run.records[0], 0.5, "trained longer than max_trial_seconds = 6; hung at File")
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
def test_rank_0_that_raises_is_named(tmp_path: Path, engine: str) -> None:
    run = Run(tmp_path, two("raise", tmp_path, engines=[engine], failing=0))
    fails_above(run.records[0], 0.5, "rank 0 of 2: ValueError: broken on purpose")


def fails_above(record: Record, x: float, error: str) -> None:
    """Just the trials beyond x failed, for this reason."""
    consistent(record)
    assert record.end is not None and record.end["status"] == "completed"
    configurations = {e["trial"]: e["configuration"]["x"] for e in of_kind(record, "suggest")}
    finished = [e for e in of_kind(record, "finish") if e["status"] != "cut"]
    for event in finished:
        assert (event["status"] == "failed") == (configurations[event["trial"]] > x)
    errors = [e["error"] for e in finished if e["status"] == "failed"]
    assert errors and len(errors) < len(finished)
    for each in errors:
        assert each.startswith(error) and "\n" not in each, each


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("signalled", ["the search", "rank 0"])
def test_when_rank_0_or_the_search_is_killed_the_other_rank_ends_by_itself(
    tmp_path: Path, engine: str, signalled: str
) -> None:
    """While it waits for ever in a step."""
    (tmp_path / "suite.toml").write_text(two("hang", tmp_path, engines=[engine], failing=0))
    search = begin(tmp_path)
    other = running_alone(tmp_path, search)
    if signalled == "the search":
        os.killpg(search.pid, signal.SIGKILL)
    else:
        (first,) = processes(tmp_path)["0"]
        os.kill(int(first), signal.SIGKILL)
    try:
        until(lambda: not Path(f"/proc/{other}").exists())
    finally:
        end(tmp_path, search)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_that_is_killed_goes_on_and_trains_nothing_twice(
    tmp_path: Path, engine: str
) -> None:
    """Three steps of a trial are one after the other: it is killed in the midst of its trials."""
    (tmp_path / "suite.toml").write_text(
        two(folder=tmp_path, engines=[engine], seconds=0.3, budget=5)
    )
    search = begin(tmp_path)
    until(lambda: sum("finish" in line for line in journal(tmp_path)) >= 2)
    end(tmp_path, search)
    for pipe in tmp_path.glob("0.*"):
        pipe.unlink()  # of the first run
    before = len(journal(tmp_path))
    run = Run(tmp_path, (tmp_path / "suite.toml").read_text())
    assert run.printed.returncode == 0, run.printed.stderr
    (record,) = run.records
    consistent(record)
    assert len(of_kind(record, "resume")) == 1 and before > 3
    assert not list(tmp_path.glob("results/suite/attempts/*")), "nothing was begun anew"
    trained = [line.split()[2] for line in (tmp_path / "log").read_text().splitlines()]
    finished = {str(e["configuration"]["x"]) for e in of_kind(record, "suggest")[:2]}
    assert all(trained.count(x) == 2 for x in finished), "once in each rank"


def begin(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("run", "suite.toml", "--device", "cpu"),
        cwd=folder,
        env={**in_folder(), "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"),
        start_new_session=True,
    )


def end(folder: Path, search: subprocess.Popen[bytes]) -> None:
    os.killpg(search.pid, signal.SIGKILL)
    search.wait()
    until(lambda: not processes_of(folder))


def running_alone(folder: Path, search: subprocess.Popen[bytes]) -> str:
    """The process of rank 1, once rank 0 hangs, and it waits for it."""

    def hangs() -> bool:
        assert search.poll() is None, (folder / "stderr").read_text()
        last = (folder / "log").read_text().split()[-1] if (folder / "log").exists() else "0"
        begun = (
            sum(last in line for line in (folder / "log").read_text().splitlines())
            if last != "0"
            else 0
        )
        return float(last) > 0.5 and begun == 2 and reported(folder, float(last))

    until(hangs)
    (other,) = processes(folder)["1"]
    return other


def reported(folder: Path, x: float) -> bool:
    """Whether the trial of x has reported its first step, and so is in its second."""
    lines = journal(folder)
    return "report" in lines[-1] or "decide" in lines[-1]


def journal(folder: Path) -> list[str]:
    return [line for path in folder.glob("results/suite/*.jsonl") for line in path.open()]


def until(condition: Any) -> None:
    """Wait, at most a minute or two."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)
