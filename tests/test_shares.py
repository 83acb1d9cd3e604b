"""What each node of a Ray cluster gives, such that together it is what a cell asks for."""

from itertools import product
from typing import Any

import pytest

from bench.cell import Cell, PlugIn
from bench.engines._shares import shares, whole


def cell(gpus: int, gpus_per_trial: float = 1, device: str = "cuda") -> Cell:
    plugin = PlugIn("any")
    settings: dict[str, Any] = {"seed": 0, "budget": 1, "max_steps": 1, "engine": "ray"}
    return Cell(plugin, plugin, device=device, gpus=gpus, gpus_per_trial=gpus_per_trial, **settings)


@pytest.mark.parametrize(
    ("asked", "nodes", "expected"),
    [
        (cell(8), 4, [(2, 2), (2, 2), (2, 2), (2, 2)]),
        (cell(8, device="cpu"), 4, [(2, 0), (2, 0), (2, 0), (2, 0)]),
        (cell(7), 2, [(3, 3), (4, 4)]),
        (cell(12, gpus_per_trial=2), 4, [(2, 2), (4, 4), (2, 2), (4, 4)]),
        (cell(4, gpus_per_trial=0.5), 2, [(4, 2), (4, 2)]),
        (cell(8, gpus_per_trial=8), 1, [(8, 8)]),
        (cell(8, gpus_per_trial=8), 2, [(4, 4), (4, 4)]),
        (cell(2, gpus_per_trial=2, device="cpu"), 2, [(1, 0), (1, 0)]),
        (cell(5, gpus_per_trial=2), 2, [(2, 2), (2, 2)]),
    ],
    ids=[
        *("equal", "cores", "the rest", "trials of two GPUs", "two trials a GPU", "one node"),
        *("a trial larger than a node", "than a core", "a GPU that no trial can have"),
    ],
)
def test_each_node_gives_as_many_cpus_and_gpus(
    asked: Cell, nodes: int, expected: list[tuple[int, int]]
) -> None:
    assert shares(asked, nodes) == expected


def test_together_they_give_the_whole() -> None:
    for gpus, share, nodes in product(range(1, 20), (0.5, 1, 2, 3), range(1, 6)):
        found = shares(asked := cell(gpus, share), nodes)
        assert (sum(s.cpus for s in found), sum(s.gpus for s in found)) == whole(asked)
