"""Shows a run as it goes: a live line on a terminal, one line per cell in a file."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from bench.cell import Cell
from bench.run import Outcome


class Display:
    """A Watcher that knows the whole plan: cells done, trials, best loss, time left.

    `check` is called at each event; it may raise.
    """

    def __init__(self, console: Console, cells: list[Cell], check: Callable[[], None]) -> None:
        self._console, self._check = console, check
        self._cells = cells
        self._left = {cell.key: cell for cell in cells}
        self._every = max(1, len(cells) // 20)
        """Of cells that run side by side, one in so many gets a line."""
        self._cell: Cell | None = None
        self._began = time.monotonic()
        self._gpu_seconds_per_step: list[float] = []
        self._trials = self._steps = 0
        self._best: float | None = None
        self._progress = Progress(
            MofNCompleteColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=len(cells))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the live line while inside, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._progress:
            yield

    def begin(self, cell: Cell) -> None:
        self._cell, self._began = cell, time.monotonic()
        self._trials = self._steps = 0
        self._best = None
        self._show()

    def event(self, event: dict[str, Any]) -> None:
        self._check()
        self._trials += event["event"] == "suggest"
        if event["event"] == "report":
            self._steps += 1
            self._best = event["loss"] if self._best is None else min(self._best, event["loss"])
            self._show()

    def over(self, outcome: Outcome) -> None:
        """Print one line for a cell that ran, failed, is skipped or is another's."""
        cell = outcome.cell
        del self._left[cell.key]
        done = len(self._cells) - len(self._left)
        self._progress.update(self._task, completed=done)
        if outcome.ran and self._cell is not None:
            seconds = time.monotonic() - self._began
            self._gpu_seconds_per_step.append(seconds * cell.gpus / max(self._steps, 1))
        if outcome.state == "done" and not outcome.ran:
            return
        if outcome.state == "done" and self._cell is None and done % self._every:
            return  # of many that run side by side
        count = f"[{done:>{len(str(len(self._cells)))}}/{len(self._cells)}]"
        text = f"{count} {cell.key}: {outcome.state}"
        if outcome.ran and outcome.state == "done" and self._cell is not None:
            left = f", about {duration(self._seconds_left())} left" if self._left else ""
            text += f", {self._trials} trials, best loss {self._best_text}, {seconds:.0f} s{left}"
        elif outcome.reason:
            text += f": {outcome.reason}"
        self._console.print(escape(text), soft_wrap=True, highlight=False)

    def _show(self) -> None:
        """Cell, share of its budget, trials, best loss, time left: within 80 columns."""
        assert self._cell is not None
        share = self._steps / self._cell.budget_steps
        left = f", {duration(self._seconds_left(share))} left" if self._gpu_seconds_per_step else ""
        name = self._cell.key.rpartition("-")[0]
        text = f"{name} {share:.0%}: {self._trials} trials, best {self._best_text}{left}"
        self._progress.update(self._task, description=escape(text))

    @property
    def _best_text(self) -> str:
        return "–" if self._best is None else f"{self._best:.4g}"

    def _seconds_left(self, share_done: float = 0.0) -> float:
        """Of the cells left (the first of them partly done), at the pace of those that ran."""
        pace = sum(self._gpu_seconds_per_step) / max(len(self._gpu_seconds_per_step), 1)
        seconds = [pace * cell.budget_steps / cell.gpus for cell in self._left.values()]
        return sum(seconds) - share_done * (seconds[0] if seconds else 0)


def duration(seconds: float) -> str:
    """A duration for people.

    >>> duration(5), duration(130), duration(7300)
    ('5 s', '2 min', '2.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
