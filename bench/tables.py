"""Tables for the terminal; in a file or a pipe, lines are as long as they need."""

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.cell import Cell

COLOURS = {
    "done": "green",
    "failed": "red",
    "running": "cyan",
    "unfinished": "yellow",
    "skipped": "magenta",
    "pending": "dim",
}


def plan_table(cells: list[Cell]) -> Table:
    """The cells in the order of their indices."""
    unit = "cores" if cells[0].device == "cpu" else "GPUs"
    table = Table("index", "key", unit, "slots", "seed", "budget in steps", box=None)
    for index, cell in enumerate(cells):
        numbers = (cell.gpus, cell.slots, cell.seed, cell.budget_steps)
        table.add_row(str(index), escape(cell.key), *map(str, numbers))
    table.caption = f"{len(cells)} cells"
    return table


def status_table(states: list[tuple[Cell, str, str]]) -> Table:
    """The state of each cell, and why."""
    table = Table("key", "state", "why", box=None)
    for cell, state, reason in states:
        table.add_row(escape(cell.key), f"[{COLOURS[state]}]{state}[/]", escape(reason))
    counts = Counter(state for _, state, _ in states)
    table.caption = f"{len(states)} cells: " + ", ".join(f"{n} {s}" for s, n in counts.items())
    return table


def show(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=240)
    console.print(table)
