"""Which of a suite's cells are to be submitted, and what is to be said of the others."""

from collections import Counter
from collections.abc import Sequence

from bench import plugins
from bench.cell import Cell
from bench.results import Results
from bench.slurm.groups import need
from bench.slurm.site import Site
from bench.slurm.states import Standing, standings


def missing(
    cells: Sequence[Cell], results: Results, site: Site, retry_failed: bool, run_virtual: str
) -> tuple[list[Cell], list[str]]:
    """The cells that are neither finished nor in the queue and have a place; remarks on the rest.

    `run_virtual` is the command for the virtual ones, which need no cluster.
    Raises UserError if SLURM is there and does not answer.
    """
    real = [cell for cell in cells if plugins.engine(cell.engine).clock == "wall"]
    found = standings(real, results)
    wanted = [each.cell for each in found if each.open or (retry_failed and _failed(each))]
    remarks = _virtual(len(cells) - len(real), run_virtual)
    remarks += [] if retry_failed else _failures(sum(_failed(each) for each in found))
    placed = [cell for cell in wanted if need(cell, site)]
    remarks += _without_place([cell for cell in wanted if not need(cell, site)], site)
    if site.max_jobs is not None:
        room = max(0, site.max_jobs - sum(each.task is not None for each in found))
        if len(placed) > room:
            remarks.append(
                f"a user may have {site.max_jobs} jobs there: {len(placed) - room} cells are left "
                "for the same command later"
            )
            placed = placed[:room]
    return placed, [_counts(found, len(placed)), *remarks]


def _failed(standing: Standing) -> bool:
    """Whether its journal says that it failed; a job that died left no such word."""
    return standing.state == "failed" and not standing.lost and standing.task is None


def _counts(found: list[Standing], to_submit: int) -> str:
    waiting = "in the queue"
    states = Counter(
        waiting if each.task and each.task.waits else each.state for each in found if not each.open
    )
    others = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{len(found)} cells: {f'{others}, ' if others else ''}{to_submit} to submit"


def _virtual(count: int, run: str) -> list[str]:
    return [f"{count} cells are virtual, for any machine with a few cores: {run}"] if count else []


def _failures(count: int) -> list[str]:
    if not count:
        return []
    return [f"{count} cells ended as failed (bench status says why): --retry-failed submits them"]


def _without_place(cells: list[Cell], site: Site) -> list[str]:
    """A remark for each reason."""
    nodes = f"at most {site.max_nodes} nodes of {site.gpus_per_node}"
    if site.max_nodes is None:
        nodes = f"nodes of {site.gpus_per_node}"
    by_reason: dict[str, list[Cell]] = {}
    for cell in cells:
        why = plugins.engine(cell.engine).keeps_to_one_node(cell)
        reason = f"one node of {site.gpus_per_node} GPUs: {why}" if why else f"{nodes} GPUs"
        by_reason.setdefault(reason, []).append(cell)
    return [f"{_sizes(each)} find no place on {reason}" for reason, each in by_reason.items()]


def _sizes(cells: list[Cell]) -> str:
    counts = ", ".join(map(str, sorted({cell.gpus for cell in cells})))
    shares = " or ".join(f"{each:g}" for each in sorted({cell.gpus_per_trial for cell in cells}))
    return f"{len(cells)} cells (of {counts} GPUs, {shares} for each trial)"
