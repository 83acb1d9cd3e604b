"""What a cell asks of Ray, and what of it each of several nodes gives."""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from bench.cell import Cell


class Share(NamedTuple):
    """What Ray is told that a node has."""

    cpus: int
    gpus: int


def whole(cell: Cell) -> Share:
    """Exactly what the cell's slots take, so that no more trials than slots can run."""
    return Share(cell.gpus, 0) if cell.device == "cpu" else Share(cell.slots, cell.gpus)


def shares(cell: Cell, nodes: int) -> list[Share]:
    """Each node's part of the whole, as equal as they can be; no trial is on two nodes."""
    unit = max(1, int(cell.gpus_per_trial))  # GPUs that must be on one node
    units = cell.gpus // unit
    ends = [units * node // nodes * unit for node in range(nodes + 1)]
    return [whole(replace(cell, gpus=end - start)) for start, end in pairwise(ends)]
