"""slurm/ray-cluster.sbatch: a cell that is larger than a node."""

from collections.abc import Callable

import pytest
from processes import wait_for

from cluster.slurm import Case, Slurm, events, is_done

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MakeCase = Callable[..., Case]
OPTIONS = ["--gres=gpu:2", "--cpus-per-task=2", "--time=10"]


def nothing_is_left(slurm: Slurm) -> bool:
    """No file of Ray's on any node, and no process of it."""
    files = [str(each) for each in slurm.folder.glob("state/node*/tmp/*") if "ray" in each.name]
    return not files and not slurm.processes("ray")


@pytest.mark.parametrize("place", ["the checkout", "the image"])
def test_a_cell_of_eight_slots_runs_on_four_nodes_and_leaves_nothing(
    case: MakeCase, slurm: Slurm, place: str, request: pytest.FixtureRequest
) -> None:
    image = request.getfixturevalue("image") if place == "the image" else {}
    large = case(gpus=[8], budget=24, processes=8)
    job = large.submit("ray-cluster.sbatch", "--array=0", "--nodes=4", *OPTIONS, **image)
    assert slurm.ended(f"{job}_0")["JobState"] == "COMPLETED", str(large)
    (record,) = large.records()
    assert is_done(record) and record.header["cell"]["gpus"] == 8
    assert bool(record.header["provenance"]["image"]) == bool(image)
    assert {step["host"] for step in large.steps()} == {"node1", "node2", "node3", "node4"}
    running = most = 0
    for event in record.events:
        running += (event["event"] == "suggest") - (event["event"] == "finish")
        most = max(most, running)
    assert most == 8, "slots"
    assert nothing_is_left(slurm) and not list((large.results / "ray").iterdir())


def test_two_of_them_share_the_nodes(case: MakeCase, slurm: Slurm) -> None:
    two = case(gpus=[2], seeds=2, budget=4)
    options = ["--nodes=2", "--gres=gpu:1", "--cpus-per-task=1", "--nodelist=node1,node2"]
    job = two.submit("ray-cluster.sbatch", "--array=0-1", "--time=10", *options)
    states = {slurm.ended(f"{job}_{index}")["JobState"] for index in (0, 1)}
    assert states == {"COMPLETED"} and all(map(is_done, two.records())), str(two)
    assert nothing_is_left(slurm)


def test_it_goes_back_into_the_queue_before_its_time_limit_and_then_on(
    case: MakeCase, slurm: Slurm
) -> None:
    long = case(gpus=[4], budget=48, seconds=1.0)
    job = long.submit("ray-cluster.sbatch", "--array=0", "--nodes=2", *OPTIONS) + "_0"
    wait_for(lambda: len(long.steps()) > 8, "a few steps")
    slurm.let_time_run_out(job)
    wait_for(lambda: "goes back into the queue" in long.log(), "the signal")
    finished = long.finished()
    wait_for(lambda: nothing_is_left(slurm), "Ray's end")
    slurm.give_time(job, minutes=10)
    ended = slurm.ended(job)
    assert (ended["JobState"], ended["Restarts"]) == ("COMPLETED", "1"), str(long)
    (record,) = long.records()
    assert is_done(record) and len(events(record, "resume")) == 1
    assert not long.trained_twice(finished)


def test_cancelled_it_leaves_nothing(case: MakeCase, slurm: Slurm) -> None:
    long = case(gpus=[4], budget=48, seconds=1.0)
    job = long.submit("ray-cluster.sbatch", "--array=0", "--nodes=2", *OPTIONS) + "_0"
    wait_for(lambda: len(long.steps()) > 2, "a few steps")
    assert slurm.processes("raylet") and not nothing_is_left(slurm)
    slurm.run("scancel", job)
    assert slurm.ended(job)["JobState"] == "CANCELLED", "and it stays so"
    wait_for(lambda: nothing_is_left(slurm), "Ray's end")
    assert not is_done(long.records()[0])
