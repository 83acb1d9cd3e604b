"""The states of a suite's cells: their journals, joined with the queue.

A journal's end decides, whatever the queue says; the queue says what becomes of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench import plugins
from bench.cell import Cell
from bench.results import Results, State
from bench.slurm import jobs, queue
from bench.slurm.jobs import Submitted
from bench.slurm.queue import Task, Tasks
from bench.slurm.why import why


@dataclass(frozen=True)
class Standing:
    """How a cell stands."""

    cell: Cell
    state: State
    why: str
    task: Task | None = None
    """The task in the queue that has it, running or waiting."""
    lost: bool = False
    """Whether its last task ended without finishing it."""

    @property
    def open(self) -> bool:
        """Whether nobody runs it or is about to, and it is not finished."""
        return self.task is None and (self.lost or self.state not in ("done", "failed", "running"))


def standings(cells: Sequence[Cell], results: Results) -> list[Standing]:
    """How each cell stands.

    Without SLURM on this machine, or if nothing was submitted, by the journals alone. Raises
    UserError if SLURM is there and does not answer.
    """
    found = [Standing(cell, *results.state(cell)) for cell in cells]
    submitted = jobs.submitted(results.folder)
    if not submitted or not queue.there():
        return found
    places = {
        each.cell.key: submitted[each.cell.key]
        for each in found
        if each.state != "done" and each.cell.key in submitted
    }
    alive = queue.alive(place.job for each in places.values() for place in each)
    tasks = {key: _in_queue(each, alive) for key, each in places.items()}
    ended = queue.ended(places[key][0].job for key, task in tasks.items() if task is None)
    joined = []
    for each in found:
        if (task := tasks.get(each.cell.key)) is not None:
            joined.append(_queued(each, task))
        elif each.cell.key in places and each.state not in ("running", "failed"):
            joined.append(_lost(each, places[each.cell.key][0], ended))
        elif each.state == "skipped" and plugins.engine(each.cell.engine).clock == "wall":
            joined.append(replace(each, state="pending", why="not submitted"))
        else:
            joined.append(each)
    return joined


def _in_queue(places: list[Submitted], alive: Tasks) -> Task | None:
    """The task in the queue that has the cell: one that runs before one that waits."""
    found = [task for each in places if (task := alive.get((each.job, each.index)))]
    return min(found, key=lambda task: task.waits, default=None)


def _queued(standing: Standing, task: Task) -> Standing:
    if task.runs:
        where = f"job {task.name} on {task.nodes or 'nodes not known yet'}"
        return replace(standing, state="running", why=where, task=task)
    if standing.state == "running":  # by somebody else
        return replace(standing, task=task)
    why = f"job {task.name} waits: {task.reason or task.state}{_so_far(standing)}"
    return replace(standing, state="pending", why=why, task=task)


def _lost(standing: Standing, place: Submitted, ended: Tasks) -> Standing:
    told = why(ended.get((place.job, place.index)), place.log)
    where = f"job {place.job}_{place.index}, {place.log}"
    return replace(standing, state="failed", why=f"{told} ({where}){_so_far(standing)}", lost=True)


def _so_far(standing: Standing) -> str:
    return f"; {standing.why}" if standing.state == "unfinished" else ""
