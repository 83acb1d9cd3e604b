"""Trials that share a GPU or a core: what keeps one from taking what is the others'."""

import os
import re
from pathlib import Path

from bench.cell import Cell

OUT_OF_GPU_MEMORY = re.compile(
    r"OutOfMemoryError: CUDA|CUDA error: out of memory|(CUBLAS|CUDNN)_STATUS_ALLOC_FAILED"
)
"""What torch says of it; of the first it says at length how it came about."""

ADVICE = re.compile(r"\s*(Of the allocated memory|If reserved but unallocated|CUDA kernel err).*")
"""What torch adds for the author of the program."""


def keep_to_share(cell: Cell) -> None:
    """Bind this process, a trial's, to its share; where a trial has a device of its own, nothing.

    On a GPU torch may allocate the trial's share of its memory, and raises OutOfMemoryError beyond.
    On "cpu" all trials of a cell are on as many cores as the cell holds: the first of those that
    this process may use. Else trials of half a core each would have a core each.
    """
    if cell.gpus_per_trial >= 1:
        return
    if cell.device == "cpu":
        _use_cores(cell.gpus)
    else:
        from bench.objectives._gpu_memory import allow

        allow(cell.gpus_per_trial)


def _use_cores(count: int) -> None:
    """Threads that are there already keep their own; those to come have their maker's."""
    cores = set(sorted(os.sched_getaffinity(0))[:count])
    for thread in os.listdir("/proc/self/task"):
        try:
            os.sched_setaffinity(int(thread), cores)
        except ProcessLookupError:  # a thread that has ended meanwhile
            continue


def in_plain_words(error: str) -> str:
    """The line that says why a trial failed; where that was a GPU's memory, it says so first.

    >>> in_plain_words("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. "
    ...     "GPU 0 has a total capacity of 15.77 GiB of which 9.00 GiB is free. 1.58 GiB allowed; "
    ...     "Of the allocated memory 1.20 GiB is allocated by PyTorch, and ...")
    'out of GPU memory: tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB of \
which 9.00 GiB is free. 1.58 GiB allowed'
    """
    if not OUT_OF_GPU_MEMORY.search(error):
        return error
    said = ADVICE.sub("", error).rstrip("; .")
    said = re.sub(r"^[\w.]*OutOfMemoryError: CUDA out of memory\. Tried", "tried", said)
    return f"out of GPU memory: {said}"


def kills_for_memory() -> int:
    """Processes that the kernel has killed on this machine for want of memory, since it started."""
    try:
        found = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def with_kills(died: str, kills: int) -> str:
    """How a process died; and whether the kernel has killed more than so many by then."""
    if kills_for_memory() <= kills:
        return died
    why = "by then the kernel had killed a process of this machine for its memory"
    return f"{died.rstrip('.')}; {why}"
