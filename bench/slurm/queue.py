"""What SLURM says of jobs: squeue while they wait or run, sacct and scontrol when they ended.

Of every version the same columns are asked for: `--json` came late and has changed since.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.errors import UserError

WAITING = {
    "PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT",
    "STOPPED", "SUSPENDED",
}  # fmt: skip
RUNNING = {"RUNNING", "CONFIGURING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT"}

SECONDS = 60
"""How long a busy SLURM may take to answer."""


@dataclass(frozen=True)
class Task:
    """One index of a job array, as SLURM tells of it."""

    job: str
    index: int
    state: str
    """SLURM's: PENDING, RUNNING, COMPLETED, TIMEOUT, …"""
    nodes: str = ""
    reason: str = ""
    """Why it waits, in SLURM's word."""
    status: int = 0
    """Exit status."""
    signal: int = 0
    """The signal that ended it."""

    @property
    def key(self) -> tuple[str, int]:
        return self.job, self.index

    @property
    def name(self) -> str:
        """As scancel takes it."""
        return f"{self.job}_{self.index}"

    @property
    def waits(self) -> bool:
        return self.state in WAITING

    @property
    def runs(self) -> bool:
        return self.state in RUNNING


Tasks = dict[tuple[str, int], Task]


def there() -> bool:
    """Whether this machine can ask SLURM."""
    return shutil.which("squeue") is not None


def alive(jobs: Iterable[str]) -> Tasks:
    """What waits or runs of these jobs. Raises UserError if SLURM does not answer."""
    asked = sorted(set(jobs))
    if not asked:
        return {}
    form = "--format=%F|%K|%T|%N|%r"
    ran = _run("squeue", "--noheader", "--array", form, f"--jobs={','.join(asked)}")
    if ran.returncode and "Invalid job id" not in ran.stderr:  # said of a single job that is over
        raise UserError(
            f"squeue does not say what is in the queue: {_last_line(ran.stderr)}; try again later"
        )
    return {task.key: task for task in parse_squeue(ran.stdout) if task.waits or task.runs}


def ended(jobs: Iterable[str]) -> Tasks:
    """How tasks of these jobs ended, as far as SLURM still knows: without accounting, not long."""
    asked = sorted(set(jobs))
    if not asked:
        return {}
    form = "--format=JobID,State,ExitCode,NodeList"
    options = ("--parsable2", "--noheader", form)
    found = [*parse_sacct(_text("sacct", f"--jobs={','.join(asked)}", *options))]
    for job in set(asked) - {task.job for task in found}:
        found += parse_scontrol(_text("scontrol", "--oneliner", "show", "job", job))
    return {task.key: task for task in found if not (task.waits or task.runs)}


def max_array_size() -> int | None:
    """SLURM's MaxArraySize, if scontrol says it."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _text("scontrol", "show", "config"), re.M)
    return int(found[1]) if found else None


def parse_squeue(text: str) -> Iterator[Task]:
    """Read `squeue --format=%F|%K|%T|%N|%r`; what is no task of an array is left out."""
    for line in text.splitlines():
        columns = line.split("|", 4)
        if len(columns) == 5:
            job, array, state, nodes, reason = (column.strip() for column in columns)
            for index in indices(array):
                yield Task(job, index, state, nodes, "" if reason == "None" else reason)


def parse_sacct(text: str) -> Iterator[Task]:
    """Read `sacct --parsable2 --format=JobID,State,ExitCode,NodeList`, of a task its worst line.

    A task has a line, and one for each of its steps: a step that ran out of memory may be all that
    says so.
    """
    tasks: dict[tuple[str, int], Task] = {}
    for line in text.splitlines():
        columns = line.split("|")
        found = re.fullmatch(r"(\d+)_(\d+|\[[^\]]*\])(\..+)?", columns[0])
        if len(columns) != 4 or found is None or not columns[1]:
            continue
        job, array, step = found.groups()
        state = columns[1].split()[0].rstrip("+")  # "CANCELLED by 1000"
        status, signal = _exit(columns[2])
        for index in indices(array):
            if step is None:
                tasks[job, index] = Task(job, index, state, columns[3], "", status, signal)
            elif state == "OUT_OF_MEMORY" and (known := tasks.get((job, index))):
                tasks[job, index] = Task(job, index, state, known.nodes, "", status, signal)
    yield from tasks.values()


def parse_scontrol(text: str) -> Iterator[Task]:
    """Read `scontrol --oneliner show job`."""
    for line in text.splitlines():
        fields = dict(re.findall(r"(?:^|(?<=\s))(\w+)=(\S*)", line))
        job, array, state = (fields.get(n) for n in ("ArrayJobId", "ArrayTaskId", "JobState"))
        if job and array and state:
            status, signal = _exit(fields.get("ExitCode", ""))
            nodes = fields.get("NodeList", "").replace("(null)", "")
            for index in indices(array):
                yield Task(job, index, state, nodes, "", status, signal)


def indices(text: str) -> Iterator[int]:
    """Indices of an array as SLURM writes them; what it left out ("…") is left out.

    >>> [*indices("[0-2,7-11:2%4]")]
    [0, 1, 2, 7, 9, 11]
    """
    for part in text.strip("[]").partition("%")[0].split(","):
        if found := re.fullmatch(r"(\d+)(?:-(\d+)(?::([1-9]\d*))?)?", part):
            first, last, step = found.groups()
            yield from range(int(first), int(last or first) + 1, int(step or 1))


def _exit(text: str) -> tuple[int, int]:
    """Exit status and signal, of "status:signal"."""
    found = re.fullmatch(r"(\d+):(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _text(*command: str) -> str:
    """What a command prints; nothing if it fails or is not there."""
    return _run(*command).stdout if shutil.which(command[0]) else ""


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "no answer"
