"""slurm/optuna-workers.sbatch: workers on several nodes that share a study."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from processes import wait_for

from bench.journal import Record
from cluster.slurm import Case, Slurm, events, is_done
from cluster.timeline import Timeline, nodes_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MakeCase = Callable[..., Case]
SCRIPT = "optuna-workers.sbatch"
OPTIONS = ["--array=0", "--gres=gpu:2", "--cpus-per-task=2", "--time=15"]


@pytest.fixture
def workers(case: MakeCase) -> MakeCase:
    """Make a suite of the engine optuna."""

    def make(**keys: Any) -> Case:
        return case(engines=["optuna"], **keys)

    return make


def is_consistent(record: Record) -> bool:
    """Each step of each trial is reported once, in order, by trials numbered as they came."""
    steps: dict[int, int] = {}
    for event in record.events:
        if event["event"] == "suggest":
            assert event["trial"] == len(steps)
            steps[event["trial"]] = 0
        elif event["event"] == "report":
            steps[event["trial"]] += 1
            assert event["step"] == steps[event["trial"]]
    return True


def nothing_is_left(case: Case) -> bool:
    """No worker on any node, and no file of the search."""
    folders = [case.results / "optuna", case.results / "logged" / "work"]
    files = [each for folder in folders if folder.is_dir() for each in folder.iterdir()]
    return not files and not case.slurm.processes("bench.engines._worker")


def is_training(case: Case, host: str) -> bool:
    """Whether a trial on a host has begun and is not nearly over."""
    last = {step["x"]: step["step"] for step in case.steps() if step["host"] == host}
    return any(step < 3 for step in last.values())


@pytest.mark.parametrize("place", ["the checkout", "the image"])
def test_a_cell_of_eight_slots_runs_on_four_nodes_and_leaves_nothing(
    workers: MakeCase, slurm: Slurm, place: str, request: pytest.FixtureRequest
) -> None:
    image = request.getfixturevalue("image") if place == "the image" else {}
    large = workers(gpus=[8], budget=24, processes=8)
    job = large.submit(SCRIPT, *OPTIONS, "--nodes=4", **image)
    assert slurm.ended(f"{job}_0")["JobState"] == "COMPLETED", str(large)
    (record,) = large.records()
    assert is_done(record) and is_consistent(record)
    assert bool(record.header["provenance"]["image"]) == bool(image)
    assert {step["host"] for step in large.steps()} == {"node1", "node2", "node3", "node4"}
    assert len({(step["host"], step["pid"]) for step in large.steps()}) == 8, "a process for each"
    assert nothing_is_left(large)


def test_two_of_them_share_the_nodes(workers: MakeCase, slurm: Slurm) -> None:
    two = workers(gpus=[2], seeds=2, budget=4)
    options = ["--nodes=2", "--gres=gpu:1", "--cpus-per-task=1", "--nodelist=node1,node2"]
    job = two.submit(SCRIPT, "--array=0-1", "--time=10", *options)
    states = {slurm.ended(f"{job}_{index}")["JobState"] for index in (0, 1)}
    assert states == {"COMPLETED"} and all(map(is_done, two.records())), str(two)
    assert nothing_is_left(two)


def test_it_goes_back_into_the_queue_before_its_time_limit_and_then_on(
    workers: MakeCase, slurm: Slurm
) -> None:
    long = workers(gpus=[4], budget=48, seconds=1.0)
    job = long.submit(SCRIPT, *OPTIONS, "--nodes=2") + "_0"
    wait_for(lambda: len(long.steps()) > 8, "a few steps")
    slurm.let_time_run_out(job)
    wait_for(lambda: "goes back into the queue" in long.log(), "the signal")
    finished = long.finished()
    wait_for(lambda: not slurm.processes("bench.engines._worker"), "the workers' end")
    slurm.give_time(job, minutes=15)
    ended = slurm.ended(job)
    assert (ended["JobState"], ended["Restarts"]) == ("COMPLETED", "1"), str(long)
    (record,) = long.records()
    assert is_done(record) and is_consistent(record) and len(events(record, "resume")) == 1
    assert not long.trained_twice(finished) and nothing_is_left(long)


def test_cancelled_it_leaves_no_process(workers: MakeCase, slurm: Slurm) -> None:
    long = workers(gpus=[4], budget=48, seconds=1.0)
    job = long.submit(SCRIPT, *OPTIONS, "--nodes=2") + "_0"
    wait_for(lambda: len(long.steps()) > 2, "a few steps")
    assert slurm.processes("bench.engines._worker")
    slurm.run("scancel", job)
    assert slurm.ended(job)["JobState"] == "CANCELLED", "and it stays so"
    wait_for(lambda: not slurm.processes("bench.engines._worker"), "the workers' end")
    assert not is_done(long.records()[0])


@pytest.mark.parametrize("which", ["the last node", "the first node"])
def test_when_a_node_loses_its_power_its_trials_go_on_in_the_workers_of_others(
    workers: MakeCase, slurm: Slurm, which: str
) -> None:
    """On the first node is the search itself: there the job begins again elsewhere."""
    first = which == "the first node"
    long = workers(gpus=[6], budget=48, seconds=2.0)
    timeline = Timeline()
    job = long.submit(SCRIPT, *OPTIONS, "--nodes=3") + "_0"
    timeline.add("submitted: a cell of 48 trials of 4 steps of 2 s; 3 nodes with 2 slots each")
    wait_for(lambda: len(long.finished()) >= 8, "eight finished trials")
    nodes = nodes_of(slurm, slurm.job(job))
    timeline.add(f"started on {', '.join(nodes)}", long.steps()[0]["time"])
    victim = nodes[0 if first else -1]
    wait_for(lambda: is_training(long, victim), "a trial there that is half done")
    assert slurm.script("node-fail", victim[-1]).returncode == 0
    cut_at = time.time()
    finished = long.finished()
    timeline.add(f"power of {victim} cut; {len(finished)} trials have finished")
    try:
        ended = slurm.ended(job)
        timeline.add(f"{ended['JobState']}, started again {ended['Restarts']} times")
    finally:
        steps = long.steps()
        begun = {step["x"] for step in steps if step["host"] == victim}
        taken = [s["time"] for s in steps if s["time"] > cut_at and s["x"] in begun]
        if taken:
            timeline.add("the first trial that was there goes on elsewhere", min(taken))
        print(f"\n{which}\n{timeline}")
        assert slurm.script("node-restore", victim[-1]).returncode == 0

    assert (ended["JobState"], ended["Restarts"]) == ("COMPLETED", "1" if first else "0"), str(long)
    (record,) = long.records()
    assert is_done(record) and is_consistent(record)
    assert len(events(record, "resume")) == (1 if first else 0)
    assert {e["status"] for e in events(record, "finish")} <= {"completed", "cut"}, "none failed"
    assert taken and not long.trained_twice(finished) and nothing_is_left(long)
    elsewhere = {step["host"] for step in steps if step["time"] > cut_at + 60}
    assert victim not in elsewhere
