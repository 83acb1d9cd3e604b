"""Tables for the terminal: plain columns, which pipes and ten thousand cells bear, too."""

from collections import Counter
from collections.abc import Sequence

from bench.cell import Cell

COLOURS = {
    "done": "32",
    "failed": "31",
    "running": "36",
    "unfinished": "33",
    "skipped": "35",
    "pending": "2",
}
"""ANSI codes, used on a terminal only."""


def plan_table(cells: list[Cell]) -> str:
    """The cells in the order of their indices."""
    unit = "cores" if cells[0].device == "cpu" else "GPUs"
    rows: list[tuple[str, ...]] = [("index", "key", unit, "slots", "seed", "steps")]
    for index, cell in enumerate(cells):
        numbers = (cell.gpus, cell.slots, cell.seed, cell.budget_steps)
        rows.append((str(index), cell.key, *map(str, numbers)))
    return "\n".join([*_aligned(rows), f"{len(cells)} cells"])


def status_table(states: Sequence[tuple[Cell, str, str]], colour: bool) -> str:
    """The state of each cell, and why."""
    rows: list[tuple[str, ...]] = [("key", "state", "why")]
    rows += [(cell.key, state, why) for cell, state, why in states]
    lines = _aligned(rows)
    if colour:
        for index, (_, state, _) in enumerate(states, start=1):
            painted = f"\x1b[{COLOURS[state]}m{state}\x1b[0m"
            key, _, rest = lines[index].partition(f"  {state}")
            lines[index] = f"{key}  {painted}{rest}"
    counts = Counter(state for _, state, _ in states)
    total = ", ".join(f"{count} {state}" for state, count in counts.items())
    return "\n".join([*lines, f"{len(states)} cells: {total}"])


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
