"""What SLURM's commands print is read as it is meant: outputs of SLURM 22.05, and any others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.slurm.queue import RUNNING, WAITING, Task, indices, parse_sacct, parse_scontrol
from bench.slurm.queue import parse_squeue as squeue

SQUEUE = """\
2|0|PENDING||JobHeldUser
1|9|RUNNING|node1|None
5|3|PENDING||launch failed requeued held
1|4|COMPLETING|node[1-2]|None
7|N/A|RUNNING|node1|None
"""

SACCT = """\
1_0|COMPLETED|0:0|node1
1_0.batch|COMPLETED|0:0|node1
1_1|FAILED|2:0|node1
1_1.batch|FAILED|2:0|node1
1_2|TIMEOUT|0:0|node1
1_2.batch|CANCELLED|0:15|node1
1_4|CANCELLED by 0|0:0|node2
1_4.batch|CANCELLED|0:15|node2
1_6|FAILED|0:9|node1
1_8|FAILED|1:0|node2
1_8.0|OUT_OF_MEMORY|0:125|node2
13_0|NODE_FAIL|0:0|node3
13_0.batch|CANCELLED||node3
14_0|REQUEUED|0:0|node2
2_[0,2-3%4]|PENDING|0:0|None assigned
15|COMPLETED|0:0|node1
"""

SCONTROL = (
    "JobId=2 ArrayJobId=2 ArrayTaskId=0,2 JobName=task.sh UserId=root(0) JobState=PENDING "
    "Reason=JobHeldUser Dependency=(null) ExitCode=0:0 NodeList= NumNodes=1 Command=/a b/c.sh\n"
    "JobId=12 ArrayJobId=1 ArrayTaskId=9 ArrayTaskThrottle=6 JobName=quick-a JobState=TIMEOUT "
    "Reason=TimeLimit ExitCode=0:15 ReqNodeList=(null) NodeList=node1 BatchHost=node1\n"
    "JobId=30 JobName=alone JobState=FAILED ExitCode=1:0 NodeList=node1\n"
    "slurm_load_jobs error: Invalid job id specified\n"
)


def test_squeue_tells_what_waits_and_runs_and_why() -> None:
    assert [*squeue(SQUEUE)] == [
        Task("2", 0, "PENDING", "", "JobHeldUser"),
        Task("1", 9, "RUNNING", "node1", ""),
        Task("5", 3, "PENDING", "", "launch failed requeued held"),
        Task("1", 4, "COMPLETING", "node[1-2]", ""),
    ]


def test_sacct_tells_how_tasks_ended() -> None:
    tasks = {task.name: task for task in parse_sacct(SACCT)}
    assert {name: task.state for name, task in tasks.items()} == {
        "1_0": "COMPLETED",
        "1_1": "FAILED",
        "1_2": "TIMEOUT",
        "1_4": "CANCELLED",
        "1_6": "FAILED",
        "1_8": "OUT_OF_MEMORY",  # which the step alone says
        "13_0": "NODE_FAIL",
        "14_0": "REQUEUED",
        "2_0": "PENDING",
        "2_2": "PENDING",
        "2_3": "PENDING",
    }
    assert (tasks["1_1"].status, tasks["1_1"].signal) == (2, 0)
    assert (tasks["1_6"].status, tasks["1_6"].signal) == (0, 9)
    assert tasks["13_0"].nodes == "node3"


def test_scontrol_tells_it_for_a_while() -> None:
    assert [*parse_scontrol(SCONTROL)] == [
        Task("2", 0, "PENDING"),
        Task("2", 2, "PENDING"),
        Task("1", 9, "TIMEOUT", "node1", "", 0, 15),
    ]


def test_a_task_waits_runs_or_has_ended_but_never_two_of_them() -> None:
    assert not WAITING & RUNNING
    assert Task("1", 0, "REQUEUED").waits and Task("1", 0, "CONFIGURING").runs
    ended = Task("1", 0, "A_STATE_OF_A_LATER_VERSION")
    assert not ended.waits and not ended.runs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", [7]),
        ("0-3", [0, 1, 2, 3]),
        ("[0-1,5%3]", [0, 1, 5]),
        ("0-9:4", [0, 4, 8]),
        ("0-2,4,...", [0, 1, 2, 4]),
        ("N/A", []),
        ("", []),
        ("3-1", []),
        ("0-4:0", []),
    ],
)
def test_indices_are_read_as_slurm_writes_them(text: str, expected: list[int]) -> None:
    assert [*indices(text)] == expected


INDICES = st.lists(st.integers(0, 5000), min_size=1, max_size=50, unique=True).map(sorted)
WORD = st.text(st.characters(codec="ascii", categories=["Lu", "Nd"]), min_size=1, max_size=20)


def written(numbers: list[int]) -> str:
    """Write indices as SLURM does: runs as ranges."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


@given(INDICES, st.sampled_from(["", "%1", "%16"]))
def test_any_set_of_indices_reads_back(numbers: list[int], throttle: str) -> None:
    assert [*indices(f"[{written(numbers)}{throttle}]")] == numbers


@given(st.integers(1, 10**9), INDICES, WORD, st.text(st.characters(exclude_characters="\n\r|")))
def test_what_squeue_prints_reads_back(
    job: int, numbers: list[int], state: str, reason: str
) -> None:
    reason = " ".join(reason.split())  # one line, as SLURM has it
    text = "".join(f"{job}|{number}|{state}|n[1-2]|{reason}\n" for number in numbers)
    told = "" if reason == "None" else reason
    assert [*squeue(text)] == [Task(str(job), n, state, "n[1-2]", told) for n in numbers]


@given(INDICES, WORD, st.integers(0, 255), st.integers(0, 64))
def test_what_sacct_prints_reads_back(
    numbers: list[int], state: str, status: int, signal: int
) -> None:
    text = f"8_[{written(numbers)}]|{state} by 1000|{status}:{signal}|node1\n"
    expected = [Task("8", n, state, "node1", "", status, signal) for n in numbers]
    assert [*parse_sacct(text)] == expected


@given(st.text())
def test_nothing_that_is_printed_is_an_error(text: str) -> None:
    for parse in (squeue, parse_sacct, parse_scontrol):
        assert all(isinstance(task, Task) for task in parse(text))
    assert all(isinstance(index, int) for index in indices(text))
