"""Engine `optuna`: workers and parents that die, and searches that go on from their journals."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgresql
import pytest
from conftest import in_folder, of_kind, records, run_bench, suite_text
from consistent import consistent
from processes import WAIT_SECONDS, kill_all, none_left, processes_of, wait_for
from runs import cut, most_at_once, start
from test_optuna_engine import NATIVE

from bench.engines._postgresql import VARIABLE
from bench.engines._states import State, States
from bench.journal import Record, read

CUTS = (0.0, 0.2, 0.45, 0.8, 0.999)
"""Shares of a journal's events after which it is cut off."""


def write(folder: Path, *arguments: Any, **keys: Any) -> None:
    text = suite_text(*arguments, engines=["optuna"], **keys)
    (folder / "suite.toml").write_text(text)


def run(folder: Path) -> list[Record]:
    printed = run_bench(folder, "run", "suite.toml", "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    return records(folder)


@pytest.fixture(autouse=True)
def nothing_goes_on(tmp_path: Path) -> Iterator[None]:
    """After a test that failed."""
    yield
    kill_all(tmp_path)


def workers(folder: Path) -> list[int]:
    """The process ids of the workers, by their slots."""
    form = re.compile(r"(\d+) in .* bench\.engines\._worker \S+ (\d+)")
    found = [match for line in processes_of(folder) if (match := form.match(line))]
    return [int(match[1]) for match in sorted(found, key=lambda match: int(match[2]))]


def trained(log: Path) -> list[tuple[float, int]]:
    """The steps that were trained, in order: x, step."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(float(line.split()[0]), int(line.split()[1])) for line in lines]


def both_train(log: Path) -> bool:
    """Whether two workers have each reported a step, for they are in the one after it."""
    lines = log.read_text().splitlines() if log.exists() else []
    steps = Counter(line.split()[2] for line in lines)
    return len(steps) == 2 and min(steps.values()) >= 2


def each_step_once(record: Record) -> None:
    steps = Counter((e["trial"], e["step"]) for e in of_kind(record, "report"))
    assert set(steps.values()) == {1}


def test_the_trial_of_a_worker_that_was_killed_goes_on_in_another(tmp_path: Path) -> None:
    """It is trained again up to where it was, and not one step further; nothing else is."""
    log = tmp_path / "log"
    toy = {"max_steps": 20, "seconds": 0.1, "log": str(log)}
    write(tmp_path, ["tpe"], [toy], budget=4, gpus=[2])
    running = start(tmp_path)
    wait_for(lambda: both_train(log))
    killed = workers(tmp_path)[1]
    os.kill(killed, signal.SIGKILL)
    assert running.wait(WAIT_SECONDS) == 0, (tmp_path / "stderr").read_text()
    (record,) = records(tmp_path)
    consistent(record)
    each_step_once(record)
    assert most_at_once(record) == 2
    assert {e["status"] for e in of_kind(record, "finish")} <= {"completed", "cut"}
    runs = Counter(trained(log))
    again = {x for (x, _), times in runs.items() if times > 1}
    assert len(again) == 1, "one trial was trained again, and by one worker"
    x = {e["configuration"]["x"]: e["trial"] for e in of_kind(record, "suggest")}
    setups = [e for e in of_kind(record, "report") if "setup_seconds" in e and e["step"] > 1]
    assert [e["trial"] for e in setups] == [x[each] for each in again], "the journal says so"
    assert none_left(tmp_path)


def test_a_finished_trial_is_not_trained_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(tmp_path, ["random"], [{"log": str(log)}], budget=4)
    (record,) = run(tmp_path)
    third = [i for i, e in enumerate(record.events) if e["event"] == "finish"][2]
    cut(record.path, third + 1)
    finished = {e["trial"] for e in of_kind(read(record.path), "finish")}
    x = {e["trial"]: e["configuration"]["x"] for e in of_kind(record, "suggest")}
    log.unlink()
    (after,) = run(tmp_path)
    consistent(after)
    again = {each for each, _ in trained(log)}
    assert again and not again & {x[trial] for trial in finished}


def test_a_trial_in_flight_goes_on_from_its_last_state(tmp_path: Path) -> None:
    """Its state is that of step 3: of the five steps in the journal two are trained again."""
    log = tmp_path / "log"
    write(tmp_path, ["random"], [{"log": str(log), "max_steps": 9}], budget=1)
    (record,) = run(tmp_path)
    fifth = [i for i, e in enumerate(record.events) if e.get("decision")][4]
    cut(record.path, fifth + 1, b'{"event":"repo')
    states = States(tmp_path / "results/suite/states" / record.path.stem)
    states.keep(record.events[0]["configuration"], State(3, 0.0, b"3"))
    log.unlink()
    (after,) = run(tmp_path)
    assert [step for _, step in trained(log)] == [4, 5, 6, 7, 8, 9]
    (resume,) = of_kind(after, "resume")
    assert resume["retrained_steps"] == 2
    assert resume["seconds"] == after.events[fifth]["seconds"]
    losses = [e["loss"] for e in of_kind(record, "report")]
    assert [e["loss"] for e in of_kind(after, "report")] == losses
    assert not list(tmp_path.glob("results/suite/states/*"))


def test_a_trial_that_had_come_to_its_end_is_only_finished(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(tmp_path, ["random"], [{"log": str(log)}], budget=2)
    (record,) = run(tmp_path)
    first = next(i for i, e in enumerate(record.events) if e["event"] == "finish")
    x = record.events[0]["configuration"]["x"]
    cut(record.path, first)
    log.unlink()
    (after,) = run(tmp_path)
    consistent(after)
    assert x not in {each for each, _ in trained(log)}
    assert of_kind(after, "finish")[0]["status"] == "completed"


@pytest.mark.minutes
def test_what_was_stays_and_each_step_is_reported_once(tmp_path: Path) -> None:
    """Whatever the algorithm, wherever it was cut off, with failing trials, at two slots."""
    toy = {"max_steps": 9, "seconds": 0.01, "fault": "raise", "from_x": 0.8}
    write(tmp_path, NATIVE, [toy], budget=7, gpus=[2])
    whole = run(tmp_path)
    for index, record in enumerate(whole):
        cut(record.path, int(CUTS[index % len(CUTS)] * len(record.events)), b'{"event":"repo')
    kept = {r.path: r.path.read_bytes().rpartition(b"\n")[0] for r in whole}
    for after in run(tmp_path):
        consistent(after)
        each_step_once(after)
        assert len(of_kind(after, "resume")) == 1
        assert after.path.read_bytes().startswith(kept[after.path])
    assert not list(tmp_path.glob("results/suite/attempts/*")), "nothing was begun anew"


def test_a_grid_goes_on_with_the_points_that_are_left(tmp_path: Path) -> None:
    grid = {"name": "grid", "resolution": 3}
    (tmp_path / "suite.toml").write_text(
        f'engines = ["optuna"]\nbudget = 8\nseeds = 1\ngpus = [2]\n'
        f'[[objectives]]\nname = "branin"\n[[algorithms]]\nname = "{grid["name"]}"\n'
        f"resolution = {grid['resolution']}\n"
    )
    (record,) = run(tmp_path)
    cut(record.path, len(record.events) // 2)
    (after,) = run(tmp_path)
    points = [tuple(e["configuration"].values()) for e in of_kind(after, "suggest")]
    assert len(points) == len(set(points)) >= 8


def test_workers_end_with_their_parent_and_its_search_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    toy = {"max_steps": 5, "seconds": 0.2, "log": str(log)}
    write(tmp_path, ["asha"], [toy], budget=5, gpus=[2])
    running = start(tmp_path)
    wait_for(lambda: len(trained(log)) >= 5)
    running.kill()
    running.wait()
    wait_for(lambda: not workers(tmp_path))
    (before,) = records(tmp_path)
    (after,) = run(tmp_path)
    assert after.events[: len(before.events)] == before.events
    consistent(after)
    each_step_once(after)


def test_workers_may_be_started_elsewhere_and_one_that_is_gone_is_replaced(tmp_path: Path) -> None:
    """As slurm/optuna-workers.sbatch does it; a worker looks for its parent until it is there."""
    log, shared = tmp_path / "log", tmp_path / "shared"
    shared.mkdir()
    toy = {"max_steps": 20, "seconds": 0.1, "log": str(log)}
    write(tmp_path, ["tpe"], [toy], budget=4, gpus=[2])
    worker = '"$2" -m bench.engines._worker "$1/parent.json" "$3" "$3"'
    loop = f'until [ -e "$1/over" ]; do {worker}; done; exit 0'
    environment = {**in_folder(), "BENCH_OPTUNA_WORKERS": str(shared)}
    tasks = [
        subprocess.Popen(
            ["bash", "-c", loop, "task", str(shared), sys.executable, str(slot)],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for slot in range(2)
    ]
    try:
        running = start(tmp_path, BENCH_OPTUNA_WORKERS=str(shared))
        wait_for(lambda: both_train(log))
        os.kill(workers(tmp_path)[1], signal.SIGKILL)
        assert running.wait(WAIT_SECONDS) == 0, (tmp_path / "stderr").read_text()
    finally:
        (shared / "over").touch()
        ended = [task.wait(WAIT_SECONDS) for task in tasks]
    assert ended == [0, 0]
    (record,) = records(tmp_path)
    consistent(record)
    each_step_once(record)
    again = {x for (x, _), times in Counter(trained(log)).items() if times > 1}
    assert len(again) == 1, "the trial of the one that was killed went on"
    assert none_left(tmp_path)


@pytest.mark.skipif(
    postgresql.program("initdb") is None, reason="PostgreSQL IS NOT TESTED: there is no initdb"
)
def test_when_its_server_is_gone_a_search_leaves_and_goes_on_on_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    toy = {"max_steps": 5, "seconds": 0.2, "log": str(log)}
    write(tmp_path, [{"name": "cmaes", "population_size": 3}], [toy], budget=15, gpus=[2])
    suite = tmp_path / "suite.toml"
    of_server = '[{ name = "optuna", storage = "postgresql" }]'
    suite.write_text(suite.read_text().replace('["optuna"]', of_server))
    with postgresql.server() as url:
        running = start(tmp_path, **{VARIABLE: url})
        wait_for(lambda: len(trained(log)) >= 5)
    assert running.wait(WAIT_SECONDS) == 2
    said = (tmp_path / "stderr").read_text()
    assert "the storage of the study fails: " in said and "Traceback" not in said
    assert postgresql.PASSWORD not in said
    (before,) = records(tmp_path)
    assert before.end is None and not workers(tmp_path)
    with postgresql.server() as url:
        printed = run_bench(tmp_path, "run", "suite.toml", "--device", "cpu", **{VARIABLE: url})
    assert printed.returncode == 0, printed.stderr
    (after,) = records(tmp_path)
    assert after.events[: len(before.events)] == before.events
    consistent(after)
    each_step_once(after)


def test_a_run_that_is_asked_to_leave_leaves_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    toy = {"max_steps": 5, "seconds": 0.2, "log": str(log)}
    write(tmp_path, ["tpe"], [toy], budget=15, gpus=[2])
    running = start(tmp_path)
    wait_for(lambda: len(trained(log)) >= 5)
    running.terminate()
    assert running.wait(WAIT_SECONDS) == 75
    assert not workers(tmp_path)
    (after,) = run(tmp_path)
    consistent(after)
    each_step_once(after)
