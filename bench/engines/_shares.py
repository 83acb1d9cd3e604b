"""What a cell asks of Ray, and what of it each of several nodes gives."""

from dataclasses import replace
from itertools import pairwise
from math import floor
from typing import NamedTuple

from bench.cell import Cell

PARTS = 10_000
"""Of a GPU or a core, as Ray counts."""


class Share(NamedTuple):
    """What Ray is told that a node has."""

    cpus: int
    gpus: int


def whole(cell: Cell) -> Share:
    """Exactly what the cell's slots take, so that no more trials than slots can run."""
    return Share(cell.gpus, 0) if cell.device == "cpu" else Share(cell.slots, cell.gpus)


def bundle(cell: Cell) -> dict[str, float]:
    """What a trial takes. A part of a GPU is of one GPU: Ray never makes it up of two.

    Ray counts in ten-thousandths and rounds to the nearest: of 1/6 the sixth would find no room.
    """
    share = floor(cell.gpus_per_trial * PARTS + 1e-6) / PARTS
    return {"CPU": share} if cell.device == "cpu" else {"CPU": 1, "GPU": share}


def shares(cell: Cell, nodes: int) -> list[Share]:
    """Each node's part of the whole, as equal as they can be; no trial is on two nodes."""
    unit = max(1, int(cell.gpus_per_trial))  # GPUs that must be on one node
    units = cell.gpus // unit
    ends = [units * node // nodes * unit for node in range(nodes + 1)]
    return [whole(replace(cell, gpus=end - start)) for start, end in pairwise(ends)]
