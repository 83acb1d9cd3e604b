"""Run cells one after the other: each finished cell once, each unfinished one from its start."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bench import plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.journal import Journal
from bench.lock import Busy
from bench.provenance import provenance
from bench.results import Results, State, cannot_run


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
    cells: list[Cell], results: Results, watcher: Watcher, retry_failed: bool = False
) -> Iterator[Outcome]:
    """Run what is not finished, in order, and yield what became of each cell.

    Raises UserError where nothing more can be run (a full disk, missing data); all that is in the
    journals stays there.
    """
    results.create()
    engines: dict[str, Any] = {}
    with ExitStack() as stack:
        for cell in cells:
            state, reason = results.state(cell)
            if state == "done" or (state == "failed" and not retry_failed):
                yield Outcome(cell, state, reason, ran=False)
            elif why_not := cannot_run(cell):
                yield Outcome(cell, "skipped", why_not, ran=False)
            else:
                if cell.engine not in engines:
                    engine = plugins.load_module("engines", cell.engine).Engine()
                    engines[cell.engine] = stack.enter_context(engine)
                yield _run_cell(cell, results, engines[cell.engine], watcher, retry_failed)


def _run_cell(
    cell: Cell, results: Results, engine: Any, watcher: Watcher, retry_failed: bool
) -> Outcome:
    try:
        with results.lock(cell) as lock:
            state, reason = results.state(cell)
            if state == "done" or (state == "failed" and not retry_failed):
                return Outcome(cell, state, reason, ran=False)  # by another, just now
            search = engine.prepare(cell)
            header = {
                "key": cell.key,
                "cell": cell.as_json(),
                **search.header(),
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "provenance": provenance(),
            }
            results.set_aside(cell)
            journal = Journal(results.journal(cell), header, check=lock.check)
            try:
                watcher.begin(cell)
                engine.run(search, journal, watcher.event)
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
