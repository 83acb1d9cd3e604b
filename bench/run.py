"""Run cells: each finished cell once, each unfinished one from where its journal ends.

Cells whose seconds are measured run one after the other; those on the virtual clock, whose seconds
are not, before them and side by side, a process on each core.
"""

import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from bench import plugins
from bench.cell import Cell
from bench.engine import Attempt, Engine
from bench.engines._past import Diverged, same_search
from bench.errors import UserError
from bench.journal import Journal
from bench.lock import Busy
from bench.process import pool
from bench.provenance import provenance
from bench.results import Results, State, cannot_run

Retry = Literal["no", "failed", "anew"]
"""What to run again: nothing; cells that failed; those, and unfinished ones from their start."""


class Watcher(Protocol):
    """Is told of what goes on; shows it."""

    def begin(self, cell: Cell) -> None: ...

    def event(self, event: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """What became of a cell, and why. `ran` is whether this run did it."""

    cell: Cell
    state: State
    reason: str
    ran: bool


def run_cells(
    cells: list[Cell], results: Results, watcher: Watcher, retry: Retry = "no"
) -> Iterator[Outcome]:
    """Run what is not finished, in order, and yield what became of each cell.

    Raises UserError where nothing more can be run (a full disk, missing data); all that is in the
    journals stays there.
    """
    results.create()
    virtual = [plugins.engine(cell.engine).clock == "virtual" for cell in cells]
    yield from _side_by_side(
        [cell for cell, is_virtual in zip(cells, virtual, strict=True) if is_virtual],
        results,
        retry,
    )
    engines: dict[str, Engine] = {}
    with ExitStack() as stack:
        for cell, is_virtual in zip(cells, virtual, strict=True):
            if is_virtual:
                continue
            if (outcome := _not_to_run(cell, results, retry)) is None:
                if cell.engine not in engines:
                    engines[cell.engine] = stack.enter_context(plugins.engine(cell.engine)())
                outcome = _run_cell(cell, results, engines[cell.engine], watcher, retry)
            yield outcome


def _side_by_side(cells: list[Cell], results: Results, retry: Retry) -> Iterator[Outcome]:
    """Run cells in as many processes as there are cores, none of them this one.

    They import Ray, and the engine `ray` must be there before that is.
    """
    waiting = []
    for cell in cells:
        if outcome := _not_to_run(cell, results, retry):
            yield outcome
        else:
            waiting.append(cell)
    if not waiting:
        return
    processes = pool(len(waiting))
    try:
        outcomes = [processes.submit(_run_alone, cell, results, retry) for cell in waiting]
        for done in as_completed(outcomes):
            yield _result(done)
    except BaseException:  # Ctrl-C, a full disk: the processes are not waited for
        processes.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    processes.shutdown()


def _result(done: "Future[Outcome]") -> Outcome:
    try:
        return done.result()
    except BrokenProcessPool:
        raise UserError(
            "a process that ran virtual cells was killed, perhaps for its memory; what is done is "
            "kept: run the same command again"
        ) from None


class _Nobody:
    """A Watcher that looks away."""

    def begin(self, cell: Cell) -> None: ...

    def event(self, event: dict[str, Any]) -> None: ...


def _run_alone(cell: Cell, results: Results, retry: Retry) -> Outcome:
    with plugins.engine(cell.engine)() as engine:
        return _run_cell(cell, results, engine, _Nobody(), retry)


def _not_to_run(cell: Cell, results: Results, retry: Retry) -> Outcome | None:
    """What is to say of a cell that needs no run, or cannot have one here; None of the others."""
    state, reason = results.state(cell)
    if state == "done" or (state == "failed" and retry == "no"):
        return Outcome(cell, state, reason, ran=False)
    if why_not := cannot_run(cell):
        return Outcome(cell, "skipped", why_not, ran=False)
    return None


def _run_cell(
    cell: Cell, results: Results, engine: Engine, watcher: Watcher, retry: Retry
) -> Outcome:
    try:
        with results.lock(cell) as lock:
            state, reason = results.state(cell)
            if state == "done" or (state == "failed" and retry == "no"):
                return Outcome(cell, state, reason, ran=False)  # by another, just now
            search = engine.prepare(cell)
            header = search.header()
            interrupted = results.interrupted(cell) if retry != "anew" else None
            here = {"provenance": provenance()}
            if interrupted is None:
                results.set_aside(cell)
                about = {"started": datetime.now(UTC).isoformat(timespec="seconds"), **here}
                header = {"key": cell.key, "cell": cell.as_json(), **header, **about}
                durable = engine.clock == "wall"
                journal = Journal.begin(results.journal(cell), header, lock.check, durable)
            else:
                same_search(interrupted.header, header)
                journal = Journal.go_on(results.journal(cell), lock.check)
            past = None if interrupted is None else interrupted.events
            attempt = Attempt(journal, watcher.event, results.states(cell), past, here)
            try:
                watcher.begin(cell)
                engine.run(search, attempt)
            except UserError:
                raise
            except Exception as error:  # a defect in an algorithm, an objective or Ray
                journal.write({"event": "end", "status": "failed", "reason": reason_of(error)})
            finally:
                journal.close()
        state, reason = results.state(cell)
        return Outcome(cell, state, reason, ran=True)
    except Busy as busy:
        return Outcome(cell, "running", str(busy), ran=False)
    except Diverged as diverged:
        return Outcome(cell, "unfinished", str(diverged), ran=False)
    except UserError:
        raise
    except Exception as error:  # the algorithm or the objective cannot be built: no journal
        return Outcome(cell, "failed", reason_of(error), ran=False)


def reason_of(error: Exception) -> str:
    """What an exception says, in one line; Ray wraps the cause's traceback into the message."""
    lines = str(error).strip().splitlines()
    what = lines[-1].strip() if lines else "(no message)"
    kind = type(error).__name__
    return what[:500] if re.match(r"[A-Za-z_][\w.]*: ", what) else f"{kind}: {what}"[:500]
