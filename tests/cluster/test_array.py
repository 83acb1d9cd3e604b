"""slurm/array.sbatch: cells of a plan as tasks of an array, each on one node."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import wait_for

from cluster.slurm import Case, Slurm, events, is_done

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MakeCase = Callable[..., Case]


def test_the_cells_of_a_plan_run_in_the_image_on_all_nodes(
    case: MakeCase, slurm: Slurm, image: dict[str, str]
) -> None:
    small = case(seeds=8, gpus=[2], budget=8, seconds=0.2)
    job = small.submit(
        "array.sbatch", "--array=0-7", "--gres=gpu:2", "--cpus-per-task=2", "--time=10", **image
    )
    hosts = {slurm.ended(f"{job}_{index}")["BatchHost"] for index in range(8)}
    assert hosts == {"node1", "node2", "node3", "node4"}, str(small)
    records = small.records()
    assert len(records) == 8 and all(map(is_done, records)), str(small)
    assert all(record.header["provenance"]["image"] for record in records), "its digest"
    assert {step["host"] for step in small.steps()} == hosts


def test_a_task_that_is_near_its_time_limit_goes_back_into_the_queue_and_on_with_its_cell(
    case: MakeCase, slurm: Slurm
) -> None:
    long = case(seeds=2, budget=16, seconds=1.0)
    array = long.submit("array.sbatch", "--array=0-1", "--gres=gpu:1", "--time=10")
    last = f"{array}_1"  # its own number is the array's
    wait_for(lambda: len(long.steps(array)) > 4, "a few steps of it")
    slurm.let_time_run_out(last)
    wait_for(lambda: "goes back into the queue" in long.log(1), "the signal")
    finished = long.finished()
    slurm.give_time(last, minutes=10)
    restarted, other = slurm.ended(last), slurm.ended(f"{array}_0")
    assert (restarted["JobState"], restarted["Restarts"]) == ("COMPLETED", "1"), str(long)
    assert (other["JobState"], other["Restarts"]) == ("COMPLETED", "0"), "others are left alone"
    assert all(map(is_done, long.records()))
    assert sorted(len(events(each, "resume")) for each in long.records()) == [0, 1]
    assert not long.trained_twice(finished)


def test_a_task_that_gets_nothing_done_is_not_requeued_for_ever(
    case: MakeCase, slurm: Slurm
) -> None:
    hopeless = case(seconds=300.0)
    job = hopeless.submit("array.sbatch", "--array=0", "--time=1", "--signal=B:USR1@60")
    ended = slurm.ended(f"{job}_0")
    assert (ended["JobState"], ended["ExitCode"], ended["Restarts"]) == ("FAILED", "75:0", "0"), (
        str(hopeless)
    )
    assert "is not requeued: no step of it was done since this start" in hopeless.log()


def test_a_failed_cell_fails_its_task(case: MakeCase, slurm: Slurm) -> None:
    few = case(seeds=2, max_seconds=2.0, seconds=60.0)
    job = few.submit("array.sbatch", "--array=0-1", "--time=5")
    for index in (0, 1):
        assert slurm.ended(f"{job}_{index}")["ExitCode"] == "1:0", str(few)
    nothing = few.submit("array.sbatch", "--array=7", "--time=5")
    assert slurm.ended(f"{nothing}_7")["ExitCode"] == "2:0"
    assert "has the indices 0 to 1" in few.log(7)


def test_a_cancelled_task_stays_so_and_submitting_again_submits_just_that(
    case: MakeCase, slurm: Slurm, site: Path
) -> None:
    few = case(seeds=3, budget=6, seconds=0.5)
    submit = ("submit", few.suite, "--site", site, "--gpus", "1")
    few.bench(*submit)
    (job,) = slurm.run("squeue", "-h", "-o", "%F").split()[:1]
    wait_for(lambda: slurm.job(f"{job}_1")["JobState"] == "RUNNING", "its start")
    wait_for(lambda: len(few.steps()) > 3, "a few steps")
    slurm.run("scancel", f"{job}_1")
    ended = [slurm.ended(f"{job}_{index}") for index in range(3)]
    assert [each["JobState"] for each in ended] == ["COMPLETED", "CANCELLED", "COMPLETED"]
    assert sum(map(is_done, few.records())) == 2
    finished = few.finished()

    assert "1 to submit" in few.bench(*submit, "--dry-run")
    few.bench(*submit)
    wait_for(lambda: not slurm.run("squeue", "-h"), "the end of what was submitted again")
    assert all(map(is_done, few.records())) and not few.trained_twice(finished)
    assert "0 to submit" in few.bench(*submit, "--dry-run")


def test_of_two_tasks_with_one_cell_one_runs_it_and_the_other_says_who(
    case: MakeCase, slurm: Slurm
) -> None:
    few = case(budget=15, seconds=1.0)
    twice = few.plan.read_text() * 2
    few.plan.write_text(twice)
    job = few.submit("array.sbatch", "--array=0-1", "--time=5", "--ntasks=1")
    assert {slurm.ended(f"{job}_{index}")["JobState"] for index in (0, 1)} == {"COMPLETED"}
    (record,) = few.records()
    assert is_done(record) and len(few.steps()) == 60
    said = [log for log in map(few.log, (0, 1)) if "is being run by process" in log]
    assert len(said) == 1 and f"(SLURM job {job}" in said[0].replace(str(int(job) + 1), job)


def test_more_cells_than_an_array_may_have_become_several_arrays(
    case: MakeCase, slurm: Slurm, site: Path
) -> None:
    assert slurm.script("up", CLUSTER_MAX_ARRAY=4).returncode == 0
    try:
        few = case(seeds=10, budget=1, max_steps=1)
        few.bench("submit", few.suite, "--site", site, "--gpus", "1")
        jobs = set(slurm.run("squeue", "-h", "-r", "-o", "%F").split())
        assert len(jobs) == 3, "4 + 4 + 2, for the greatest index is below MaxArraySize"
        wait_for(lambda: not slurm.run("squeue", "-h"), "ten cells")
        assert len(few.records()) == 10 and all(map(is_done, few.records()))
    finally:
        assert slurm.script("up").returncode == 0


def test_the_scripts_say_what_they_need(slurm: Slurm) -> None:
    ran = subprocess.run(
        ["bash", "slurm/array.sbatch"], cwd=slurm.checkout, capture_output=True, text=True
    )
    assert ran.returncode != 0 and "the plan is missing: sbatch --array=0-N" in ran.stderr
