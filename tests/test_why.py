"""Why a job ended before its cell: SLURM's word, else what its log ends with."""

from pathlib import Path

import pytest

from bench.slurm.queue import Task
from bench.slurm.why import why

WORDS = "my model: 3 oom-kill events, CANCELLED AT DUE TO TIME LIMIT"

LOGS = {
    "nothing": "",
    "limit": "task 2 starts\n"
    "slurmstepd-node1: error: *** JOB 5 ON node1 CANCELLED AT 2026-11-27T20:29:59 "
    "DUE TO TIME LIMIT ***\n",
    "cancelled": "slurmstepd-node2: error: *** JOB 7 ON node2 CANCELLED AT "
    "2026-11-27T20:29:24 ***\n",
    "requeued": "restart 0\nslurmstepd-node2: error: *** JOB 14 ON node2 CANCELLED AT "
    "2026-11-27T20:31:43 DUE TO JOB REQUEUE ***\n",
    "memory": "task 3 starts\n"
    "slurmstepd-node1: error: StepId=6.batch exceeded memory limit (431656960 > 314572800), "
    "being killed\n"
    "slurmstepd-node1: error: Exceeded job memory limit\n"
    "slurmstepd-node1: error: *** JOB 6 ON node1 CANCELLED AT 2026-11-27T20:28:47 ***\n",
    "oom": "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=9.batch. Some of your "
    "processes may have been killed by the cgroup out-of-memory handler.\n",
    "new oom": "slurmstepd: error: Detected 1 oom_kill event in StepId=9.batch. Some of the step "
    "tasks have been OOM Killed.\n",
    "node": "srun: error: Node failure on node3\nslurmstepd: error: *** STEP 9.0 ON node3 "
    "CANCELLED AT 2026-11-27T20:29:24 DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***\n",
    "preempted": "slurmstepd: error: *** JOB 9 ON n CANCELLED AT 2026-11-27T20:29:24 DUE TO "
    "PREEMPTION ***\n",
    "error": "starts\n\n\x1b[31mbench: cannot write results: \x1b[0mNo space left on device\x07\n",
    "three": "one\ntwo\nthree\nfour\n",
    "a model's words": f"{WORDS}\n",
}


def ended(state: str, status: int = 0, signal: int = 0) -> Task:
    return Task("9", 0, state, "node3", "", status, signal)


@pytest.mark.parametrize(
    ("task", "log", "expected"),
    [
        (ended("TIMEOUT"), "nothing", "time limit"),
        (ended("OUT_OF_MEMORY", 0, 125), "nothing", "out of memory"),
        (ended("NODE_FAIL"), "nothing", "node failure (node3)"),
        (ended("BOOT_FAIL"), "nothing", "node failure (node3)"),
        (ended("CANCELLED"), "cancelled", "cancelled"),
        (ended("PREEMPTED"), "nothing", "preempted"),
        (ended("DEADLINE"), "nothing", "deadline"),
        (ended("FAILED", 0, 9), "memory", "out of memory"),
        (ended("FAILED", 0, 9), "three", "killed by signal 9; its log ends: two; three; four"),
        (
            ended("FAILED", 2),
            "error",
            "error, exit status 2: starts; bench: cannot write results: No space left on device",
        ),
        (ended("FAILED", 2), "nothing", "error, exit status 2: its log is empty"),
        (ended("FAILED", 75), "three", "left when it was told to end: two; three; four"),
        (ended("COMPLETED"), "three", "ended without finishing it: two; three; four"),
        (ended("FAILED", 1), "a model's words", f"error, exit status 1: {WORDS}"),
        (None, "limit", "time limit"),
        (None, "memory", "out of memory"),
        (None, "oom", "out of memory"),
        (None, "new oom", "out of memory"),
        (None, "node", "node failure"),
        (None, "preempted", "preempted"),
        (None, "cancelled", "cancelled"),
        (None, "requeued", "ended, and SLURM no longer knows how; its log ends: restart 0"),
        (None, "nothing", "ended, and SLURM no longer knows how; its log ends: (nothing)"),
    ],
)
def test_why(tmp_path: Path, task: Task | None, log: str, expected: str) -> None:
    file = tmp_path / "9_0.out"
    file.write_text(LOGS[log])
    assert why(task, file) == expected


def test_no_log_is_no_error(tmp_path: Path) -> None:
    assert why(ended("FAILED", 1), tmp_path / "none") == "error, exit status 1: its log is empty"


def test_of_a_huge_log_only_the_end_is_read_and_only_what_can_be_printed(tmp_path: Path) -> None:
    file = tmp_path / "9_0.out"
    file.write_bytes(b"x" * 10**6 + b"\n\xff\xfe\x00\x1b]0;title\x07last\rline\n")
    told = why(ended("FAILED", 1), file)
    assert told.isprintable() and told.endswith("line") and len(told) < 350
