"""Trials of two GPUs (here: cores), seen through the journals of both engines on the wall clock."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PLUGINS, cell_of, of_kind, records, run_bench, suite_text
from consistent import consistent
from processes import kill_all, lives, none_left, wait_for
from runs import start

from bench.journal import Record, read

pytestmark = [pytest.mark.minutes, pytest.mark.xdist_group("several GPUs")]

ENGINES = ["ray", "optuna"]
DIED = {
    "ray": "its process died: The actor died unexpectedly",
    "optuna": "its process died: killed by SIGKILL",
}
MAX_TRIAL_SECONDS = 20.0
"""For the start of a rank on a busy machine, too."""
HUNG = f"trained longer than max_trial_seconds = {MAX_TRIAL_SECONDS:g}; hung at File"
FAULTS: dict[tuple[str, int], str] = {
    ("kill", 1): "rank 1 of 2: {died}",
    ("kill when built", 1): "rank 1 of 2: {died}",
    ("raise", 1): "rank 1 of 2: ValueError: broken on purpose",
    ("raise", 0): "rank 0 of 2: ValueError: broken on purpose",
    ("hang", 1): HUNG,
}
"""By the fault and the rank that meets it: what the journal says of the trial."""

MNIST = """
budget = 2
seeds = 1
gpus = [2]
gpus_per_trial = 2
engines = ["ray", "optuna"]
[[objectives]]
name = "mnist_cnn"
max_steps = 3
train_images = 75
validation_images = 32
max_channels = 16
[[algorithms]]
name = "random"
"""


def toys(folder: Path, faults: list[tuple[str, int]], engine: str, **keys: Any) -> str:
    """A suite of trials of two cores, with an objective for each fault."""
    options = []
    for fault, failing in faults:
        own = folder / f"{fault} {failing}"
        own.mkdir()
        options.append({"fault": fault, "failing": failing, "folder": str(own)})
    shared = [{"path": str(PLUGINS / "shared.py"), "seconds": 0.0, **each} for each in options]
    cores = {"gpus": [2], "gpus_per_trial": 2, "engines": [engine]}
    return suite_text(["random"], shared, **{"budget": 4, **cores, **keys})


class Run:
    """One `bench run` of a suite."""

    def __init__(self, folder: Path, text: str) -> None:
        (folder / "suite.toml").write_text(text)
        self.folder = folder
        self.printed = run_bench(folder, "run", "suite.toml", "--device", "cpu", TMPDIR=str(folder))
        self.records = records(folder)

    def of(self, fault: str, failing: int) -> Record:
        options = [cell_of(record).objective.options for record in self.records]
        return self.records[[(o["fault"], o["failing"]) for o in options].index((fault, failing))]


@pytest.fixture(scope="module", params=ENGINES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A cell without a fault, and one for each."""
    folder = tmp_path_factory.mktemp("t")
    text = toys(folder, [("", 1), *FAULTS], request.param, max_trial_seconds=MAX_TRIAL_SECONDS)
    return Run(folder, text)


def test_all_is_done_and_every_journal_is_consistent(run: Run) -> None:
    assert run.printed.returncode == 0, run.printed.stderr
    for record in run.records:
        consistent(record)
        assert record.end is not None and record.end["status"] == "completed"
        assert cell_of(record).slots == 1


def test_one_pair_of_processes_does_all_trials(run: Run) -> None:
    finished = of_kind(run.of("", 1), "finish")
    assert {event["status"] for event in finished} == {"completed"} and len(finished) == 4
    assert {r: len(each) for r, each in processes(run.folder / " 1").items()} == {"0": 1, "1": 1}
    assert {line.split()[4] for line in lines(run.folder / " 1/log")} == {"127.0.0.1"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[0]} {fault[1]}")
def test_what_fails_in_a_rank_fails_its_trial_which_says_so_and_the_cell_goes_on(
    run: Run, fault: tuple[str, int]
) -> None:
    record = run.of(*fault)
    configurations = {e["trial"]: e["configuration"]["x"] for e in of_kind(record, "suggest")}
    finished = [e for e in of_kind(record, "finish") if e["status"] != "cut"]
    assert {e["status"] for e in finished} == {"completed", "failed"}
    error = FAULTS[fault].format(died=DIED[cell_of(record).engine])
    for event in finished:
        assert (event["status"] == "failed") == (configurations[event["trial"]] > 0.77)
        if event["status"] == "failed":
            assert event["error"].startswith(error) and "\n" not in event["error"]


def test_nothing_is_left_behind(run: Run) -> None:
    assert none_left(run.folder)
    assert not list(run.folder.glob("bench-*")), "temporary folders"


def processes(folder: Path) -> dict[str, set[str]]:
    """The processes of each rank."""
    found: dict[str, set[str]] = {}
    for line in lines(folder / "log"):
        rank, process, *_ = line.split()
        found.setdefault(rank, set()).add(process)
    return found


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def journal(folder: Path) -> list[dict[str, Any]]:
    """Its events so far."""
    return [event for path in folder.glob("results/suite/*.jsonl") for event in read(path).events]


def kinds(folder: Path) -> list[str]:
    return [event["event"] for event in journal(folder)]


@pytest.fixture(autouse=True)
def nothing_goes_on(tmp_path: Path) -> Iterator[None]:
    """After a test that failed."""
    yield
    kill_all(tmp_path)


def kill(folder: Path, search: subprocess.Popen[bytes]) -> None:
    """The search alone; its ranks end by themselves, and of a Ray then nothing is left to do."""
    search.kill()
    search.wait()
    (log,) = folder.glob("*/log")
    ranks = {int(line.split()[1]) for line in lines(log)}
    wait_for(lambda: not any(map(lives, ranks)), "the end of the ranks")
    kill_all(folder)


@pytest.mark.parametrize("engine", ENGINES)
def test_when_rank_0_is_killed_the_other_ends_by_itself_and_the_search_goes_on(
    tmp_path: Path, engine: str
) -> None:
    """It is killed while both wait in a step, one of them for ever."""
    (tmp_path / "suite.toml").write_text(toys(tmp_path, [("hang", 0)], engine))
    search = start(tmp_path)
    try:
        wait_for(lambda: hangs(journal(tmp_path)), "a trial that hangs", alive=search)
        first, other = (
            [int(line.split()[1]) for line in lines(tmp_path / "hang 0/log") if line[0] == rank][-1]
            for rank in "01"
        )
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not lives(other), "its end")
        own = tmp_path / "hang 0"
        wait_for(lambda: len(processes(own)["1"]) > 1, "another in its place", alive=search)
    finally:
        kill(tmp_path, search)


def hangs(events: list[dict[str, Any]]) -> bool:
    """Whether the last trial is one that hangs, and is in its second step."""
    x = [event["configuration"]["x"] for event in events if event["event"] == "suggest"]
    decided = bool(events) and events[-1]["event"] == "decide"
    return decided and x[-1] > 0.77 and events[-1]["step"] == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_that_is_killed_leaves_no_process_goes_on_and_trains_nothing_twice(
    tmp_path: Path, engine: str
) -> None:
    text = toys(tmp_path, [("", 1)], engine, budget=8).replace("seconds = 0.0", "seconds = 0.3")
    (tmp_path / "suite.toml").write_text(text)
    search = start(tmp_path)
    wait_for(lambda: kinds(tmp_path).count("finish") >= 2, "two finished trials", alive=search)
    kill(tmp_path, search)
    run = Run(tmp_path, text)
    assert run.printed.returncode == 0, run.printed.stderr
    (record,) = run.records
    consistent(record)
    assert len(of_kind(record, "resume")) == 1
    trained = [line.split()[3] for line in lines(tmp_path / " 1/log")]
    finished = [str(e["configuration"]["x"]) for e in of_kind(record, "suggest")[:2]]
    assert [trained.count(x) for x in finished] == [2, 2], "once in each rank"


@pytest.mark.usefixtures("everywhere")
def test_both_engines_train_mnist_on_two_cores(tmp_path: Path) -> None:
    """Its pace on two cores is that of the cores; that it learns the same is in test_ranks.py."""
    environment = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    (tmp_path / "suite.toml").write_text(MNIST)
    run = ("run", "suite.toml", "--device", "cpu")
    printed = run_bench(tmp_path, *run, TMPDIR=str(tmp_path), **environment)
    assert "2 done; 2 ran now" in printed.stdout, printed.stderr
    for record in records(tmp_path):
        consistent(record)
        assert len(of_kind(record, "report")) == 6
    assert none_left(tmp_path)
