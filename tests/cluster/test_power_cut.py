"""A node loses its power in mid-cell: SLURM starts the task elsewhere, and the cell goes on."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from processes import wait_for

from cluster.slurm import Case, Slurm, events, is_done
from cluster.timeline import Timeline, nodes_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MakeCase = Callable[..., Case]


@pytest.mark.parametrize("script", ["array.sbatch", "ray-cluster.sbatch"])
def test_after_a_power_cut_the_cell_is_resumed_elsewhere_and_nothing_is_trained_twice(
    case: MakeCase, slurm: Slurm, script: str
) -> None:
    nodes = 1 if script == "array.sbatch" else 2
    long = case(gpus=[2 * nodes], budget=12 * nodes, seconds=2.0)
    timeline = Timeline()
    options = [f"--nodes={nodes}", "--gres=gpu:2", "--cpus-per-task=2", "--time=15"]
    job = long.submit(script, "--array=0", *options) + "_0"
    timeline.add(f"submitted: a cell of 12 × {nodes} trials, {nodes} nodes with 2 slots each")
    wait_for(lambda: len(long.finished()) >= 4 or long.slurm.job(job)["JobState"] == "FAILED",
             "four finished trials")  # fmt: skip
    before = slurm.job(job)
    victim = node_to_cut(slurm, before)
    timeline.add(f"started on {before['NodeList']}", began(long.steps()))
    cut_at = time.time()
    assert slurm.script("node-fail", victim[-1]).returncode == 0
    finished = long.finished()
    timeline.add(f"power of {victim} cut; {len(finished)} trials have finished")
    try:
        wait_for(lambda: slurm.job(job)["Restarts"] == "1", "SLURM to see it")
        timeline.add("back in the queue")
        wait_for(lambda: slurm.job(job)["JobState"] == "RUNNING", "its second start")
        again = slurm.job(job)
        timeline.add(f"started on {again['NodeList']}")
        assert victim not in nodes_of(slurm, again)
        ended = slurm.ended(job)
        timeline.add("complete" if ended["JobState"] == "COMPLETED" else ended["JobState"])
        later = [step["time"] for step in long.steps() if step["time"] > cut_at + 10]
        if later:
            timeline.add(f"goes on with {len(finished)} finished trials", min(later))
    finally:
        print(f"\n{timeline}")
        (long.folder / "timeline.txt").write_text(f"{timeline}\n")
        assert slurm.script("node-restore", victim[-1]).returncode == 0

    assert ended["JobState"] == "COMPLETED", str(long)
    (record,) = long.records()
    assert is_done(record) and len(events(record, "resume")) >= 1
    assert {e["status"] for e in events(record, "finish")} <= {"completed", "cut"}, "none failed"
    assert not long.trained_twice(finished)


def node_to_cut(slurm: Slurm, job: dict[str, str]) -> str:
    """The last of a job's nodes: on the first one runs the batch script."""
    return nodes_of(slurm, job)[-1]


def began(steps: list[dict[str, Any]]) -> float:
    return float(steps[0]["time"])
