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
    return _share(cell, _taken(cell))


def bundles(cell: Cell) -> list[dict[str, float]]:
    """What a trial takes, for each of its ranks. A part of a GPU is of one: Ray makes up none.

    Ray counts in ten-thousandths and rounds to the nearest: of 1/6 the sixth would find no room.
    """
    share = floor(cell.gpus_per_trial / cell.ranks * PARTS + 1e-6) / PARTS
    return [{"CPU": share} if cell.device == "cpu" else {"CPU": 1, "GPU": share}] * cell.ranks


def shares(cell: Cell, nodes: int) -> list[Share]:
    """Each node's part of the whole, as equal as they can be.

    No trial is on two nodes, unless there are fewer trials than nodes.
    """
    unit = cell.ranks if cell.slots >= nodes else 1  # GPUs that must be on one node
    units = _taken(cell) // unit
    ends = [units * node // nodes * unit for node in range(nodes + 1)]
    return [_share(cell, end - start) for start, end in pairwise(ends)]


def _taken(cell: Cell) -> int:
    """GPUs (or cores): of those that are not enough for one more trial of several, none."""
    return cell.slots * cell.ranks if cell.ranks > 1 else cell.gpus


def _share(cell: Cell, gpus: int) -> Share:
    """Each process of a trial has a CPU."""
    if cell.device == "cpu":
        return Share(gpus, 0)
    return Share(gpus if cell.ranks > 1 else replace(cell, gpus=gpus).slots, gpus)
