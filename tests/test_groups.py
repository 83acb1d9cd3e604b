"""Where a cell's GPUs are: the fewest nodes that share them evenly."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import cell

from bench.cell import Cell
from bench.slurm.groups import Need, group, need
from bench.slurm.site import Site


def site(gpus_per_node: int, max_nodes: int | None = None) -> Site:
    return Site(
        verified=False,
        gpus_per_node=gpus_per_node,
        max_nodes=max_nodes,
        default_time="1:00:00",  # type: ignore[arg-type]
        max_time="1:00:00",  # type: ignore[arg-type]
    )


def cuda(gpus: int, gpus_per_trial: float = 1) -> Cell:
    return cell(device="cuda", gpus=gpus, gpus_per_trial=gpus_per_trial)


@pytest.mark.parametrize(
    ("gpus", "per_trial", "per_node", "expected"),
    [
        (1, 1, 4, Need(1, 1, 1)),
        (4, 1, 4, Need(1, 4, 4)),
        (8, 1, 4, Need(2, 4, 4)),
        (6, 1, 4, Need(2, 3, 3)),
        (5, 1, 4, Need(5, 1, 1)),  # of 2 nodes one would hold a GPU that nobody uses
        (2, 0.5, 4, Need(1, 2, 4)),
        (8, 4, 4, Need(2, 4, 1)),
        (12, 3, 4, Need(4, 3, 1)),  # on 3 nodes of 4, one trial would lie on two
        (10, 4, 5, Need(2, 5, 1)),
        (4, 3, 4, Need(1, 4, 1)),
        (8, 8, 4, Need(2, 4, 1)),  # a trial larger than a node
        (12, 6, 4, Need(3, 4, 1)),
        (6, 2, 3, Need(3, 2, 1)),  # on 2 nodes of 3, one trial would lie on both
    ],
)
def test_the_fewest_nodes_with_whole_trials_on_each(
    gpus: int, per_trial: float, per_node: int, expected: Need
) -> None:
    assert need(cuda(gpus, per_trial), site(per_node)) == expected


def test_what_does_not_fit_has_no_place() -> None:
    optuna = replace(cuda(8, 8), engine="optuna")
    assert need(optuna, site(4)) is None, "its workers have no ranks on other nodes"
    sqlite = replace(cuda(8), engine="optuna", engine_settings={"storage": "sqlite"})
    assert need(sqlite, site(4)) is None, "it is for one node"
    assert need(sqlite, site(8)) == Need(1, 8, 8)
    assert need(cuda(8, 8), site(4, max_nodes=1)) is None
    assert need(cuda(16), site(4, max_nodes=3)) is None
    assert need(cuda(2, 4), site(4)) is None, "a cell without a slot"


@given(st.integers(1, 300), st.sampled_from([0.25, 0.5, 1, 2, 4]), st.integers(1, 8))
def test_nothing_is_lost_and_nothing_held_idle(gpus: int, share: float, per_node: int) -> None:
    one = cuda(gpus, share)
    if (found := need(one, site(per_node))) is not None:
        assert found.nodes * found.gpus == gpus and found.gpus <= per_node
        if share <= per_node:
            assert found.nodes * found.slots == one.slots and found.slots * share <= found.gpus


def test_on_several_nodes_each_engine_has_its_own_script() -> None:
    of_both = [cuda(count) for count in (2, 8)]
    of_both += [replace(each, engine="optuna") for each in of_both]
    groups = group(of_both, site(4), most=9)
    assert [(one.name, one.script, len(one.cells)) for one in groups] == [
        ("g2", "array", 2),
        ("g8", "ray-cluster", 1),
        ("g8-optuna", "optuna-workers", 1),
    ]


@given(st.lists(st.sampled_from([1, 2, 3, 8, 16]), max_size=40), st.integers(1, 7))
def test_each_cell_is_in_one_group_of_its_like_and_none_is_too_large(
    counts: list[int], most: int
) -> None:
    cells = [cell(device="cuda", gpus=count, seed=seed) for seed, count in enumerate(counts)]
    groups = group(cells, site(4, max_nodes=2), most)
    grouped = [each for one in groups for each in one.cells]
    assert sorted(each.seed for each in grouped) == [c.seed for c in cells if c.gpus <= 8]
    for one in groups:
        assert 1 <= len(one.cells) <= most
        assert {need(each, site(4)) for each in one.cells} == {one.need}
    assert len({one.name for one in groups}) == len(groups)
