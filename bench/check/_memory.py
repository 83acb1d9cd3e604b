"""How much memory a repeated action keeps."""

import ctypes
import gc
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import psutil

ROUNDS = 3


def growth(action: Callable[[], object]) -> tuple[int, int]:
    """Bytes by which Python's objects and the whole process grow whenever `action` is repeated.

    The least of the growths from round to round, after one round that may load things: what is
    kept grows in all of them, chance does not. Memory that was freed is given back to the system
    first (malloc_trim), without which the size of a process says little.
    """
    process, trim = psutil.Process(), ctypes.CDLL(None).malloc_trim
    action()
    sizes = []
    tracemalloc.start()
    try:
        for _ in range(ROUNDS):
            action()
            gc.collect()
            trim(0)
            sizes.append((tracemalloc.get_traced_memory()[0], process.memory_info().rss))
    finally:
        tracemalloc.stop()
    python, whole = (
        min(after - before for before, after in pairwise(column))
        for column in zip(*sizes, strict=True)
    )
    return python, whole
