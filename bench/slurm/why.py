"""Why a job ended before its cell did: from SLURM's word for it, else from its log."""

import re
from pathlib import Path

from bench.slurm.queue import Task

LEFT = 75
"""`bench run` exits with it when it was told to stop: the same command goes on where it was."""

STATES = {
    "TIMEOUT": "time limit",
    "OUT_OF_MEMORY": "out of memory",
    "NODE_FAIL": "node failure",
    "BOOT_FAIL": "node failure",
    "CANCELLED": "cancelled",
    "PREEMPTED": "preempted",
    "DEADLINE": "deadline",
}

MARKS = [
    (r"oom[-_ ]kill|out[- ]of[- ]memory|exceeded (job )?memory limit", "out of memory"),
    (r"DUE TO TIME LIMIT", "time limit"),
    (r"DUE TO NODE FAIL|Node failure on", "node failure"),
    (r"DUE TO PREEMPTION", "preempted"),
    (r"\*\*\* (JOB|STEP) \S+ ON \S+ CANCELLED AT \S+ \*\*\*", "cancelled"),  # not to be requeued
]
"""What slurmstepd and srun write into a job's log, the more telling first."""

END_BYTES, READ_LINES, SHOWN_LINES, CHARACTERS = 16_384, 10, 3, 300


def why(task: Task | None, log: Path) -> str:
    """Why a task that is over did not finish its cell; `task` is what SLURM knows of it."""
    lines = last_lines(log)
    state = task.state if task else ""
    marked = _marked(lines)
    if state in STATES:
        told = STATES[state]
        if task and task.nodes and told == "node failure":
            told += f" ({task.nodes})"
        return told
    if marked == "out of memory" or (marked and task is None):  # some SLURMs call it FAILED
        return marked
    said = "; ".join([line for line in lines if not _from_slurm(line)][-SHOWN_LINES:])
    said = said[-CHARACTERS:]
    if task is None:
        return f"ended, and SLURM no longer knows how; its log ends: {said or '(nothing)'}"
    if task.status == LEFT:
        return f"left when it was told to end: {said or 'its log is empty'}"
    if task.state == "COMPLETED":
        return f"ended without finishing it: {said or 'its log is empty'}"
    if task.signal:
        return f"killed by signal {task.signal}; its log ends: {said or '(nothing)'}"
    return f"error, exit status {task.status}: {said or 'its log is empty'}"


def last_lines(log: Path) -> list[str]:
    """The last lines of a log, printable characters only; none if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - END_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    lines = ["".join(filter(str.isprintable, line)).strip() for line in text.splitlines()]
    own = [line for line in lines if line]
    return own[-READ_LINES:]


def _from_slurm(line: str) -> bool:
    return re.match(r"(slurmstepd|srun)\S*: ", line) is not None


def _marked(lines: list[str]) -> str | None:
    from_slurm = [line for line in lines if _from_slurm(line)]
    for pattern, meaning in MARKS:
        if any(re.search(pattern, line, re.IGNORECASE) for line in from_slurm):
            return meaning
    return None
