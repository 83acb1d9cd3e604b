"""Tables for the terminal: plain columns, which pipes and ten thousand cells bear, too."""

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from bench.cell import Cell, PlugIn
from bench.columns import aligned
from bench.estimate import Estimate, Pilot
from bench.overrides import in_words

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
    head = ("index", "key", unit, f"{unit} a trial", "slots", "seed", "steps")
    rows: list[tuple[str, ...]] = [head]
    for index, cell in enumerate(cells):
        numbers = (cell.gpus, f"{cell.gpus_per_trial:g}", cell.slots, cell.seed, cell.budget_steps)
        rows.append((str(index), cell.key, *map(str, numbers)))
    lines = [f"{len(cells)} cells", *share_lines(cells), *override_lines(cells)]
    return "\n".join([*aligned(rows), *lines])


def share_lines(cells: list[Cell]) -> list[str]:
    """What is to know of trials that share a GPU or a core, and of those that have no place."""
    lines = []
    if any(cell.gpus_per_trial < 1 for cell in cells):
        lines.append(
            "below 1 core a trial, trials share cores: fractions of cores, not of GPUs"
            if cells[0].device == "cpu"
            else "below 1 GPU a trial, trials share a GPU, and each may use its share of the memory"
        )
    if too_many := sum(cell.slots < 1 for cell in cells):
        unit = "cores" if cells[0].device == "cpu" else "GPUs"
        lines.append(f"{too_many:,} of the cells have fewer {unit} than a trial takes: skipped")
    return lines


def override_lines(cells: list[Cell]) -> list[str]:
    """What the suite changes of the objectives' search spaces, a line for each of them."""
    lines: dict[str, None] = {}
    for objective in (cell.objective for cell in cells if cell.objective.space):
        said = [f"{name} {in_words(each)}" for name, each in objective.space.items()]
        lines[f"  {objective.name}: {'; '.join(said)}"] = None
    return ["search spaces that this suite changes:", *lines] if lines else []


def estimate_table(estimates: list[Estimate], run: str) -> str:
    """What the cells of each objective will cost; `run` is the command that runs the plan."""
    unit = "core" if estimates[0].device == "cpu" else "GPU"
    head = ("objective", "cells", "steps", f"{unit}-hours", f"{unit}-seconds a step", "measured in")
    rows: list[tuple[str, ...]] = [head]
    names = _labels([each.objective for each in estimates])
    if len({each.gpus_per_trial for each in estimates}) > 1:
        names = [
            f"{name}, {each.gpus_per_trial:g} {unit} a trial"
            for name, each in zip(names, estimates, strict=True)
        ]
    for name, each in zip(names, estimates, strict=True):
        counts = f"{each.cells:,}", f"{each.steps:,}"
        rows.append((name, *counts, *_cost(each, run)))
    if len(estimates) > 1:
        hours = [each.gpu_hours for each in estimates]
        known = [each for each in hours if each is not None]
        total = _number(sum(known)) if len(known) == len(hours) else "-"
        cells, steps = (sum(getattr(e, name) for e in estimates) for name in ("cells", "steps"))
        rows.append(("all", f"{cells:,}", f"{steps:,}", total))
    lines = aligned([(*row, *[""] * (len(head) - len(row))) for row in rows])
    if any(each.pilot for each in estimates):
        lines.append(
            f"{unit}-hours are of training; waiting and the algorithms' thinking add to them"
        )
    if not_here := sum(each.cells_not_here for each in estimates):
        lines.append(f"{not_here:,} of the cells cannot run on this machine; they are counted too")
    return "\n".join(lines)


def _cost(of: Estimate, run: str) -> tuple[str, ...]:
    if of.pilot is not None and of.gpu_hours is not None:
        return _number(of.gpu_hours), _range(of.pilot), _source(of.pilot)
    if of.first_index is None:
        return "-", "-", "no pilot; none of the cells can run on this machine"
    return "-", "-", f"no pilot: {run} --index {of.first_index}"


def _range(pilot: Pilot) -> str:
    mean, low, high = map(_number, (pilot.gpu_seconds_per_step, pilot.low, pilot.high))
    return f"{mean} (8 of 10 trials: {low} to {high})"


def _source(pilot: Pilot) -> str:
    where = f" on {pilot.elsewhere}" if pilot.elsewhere else ""
    trials, journals = _plural(pilot.trials, "trial"), _plural(pilot.journals, "journal")
    return f"{trials} in {journals}{where}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _number(value: float) -> str:
    """Three digits that count, at most."""
    if value < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _labels(plugins: list[PlugIn]) -> list[str]:
    """Names, with the options and overrides that tell those of the same name apart."""
    labels = []
    for plugin in plugins:
        others = [each for each in plugins if each.name == plugin.name]
        differing = [
            f"{option}={value}"
            for option, value in plugin.options.items()
            if any(other.options.get(option) != value for other in others)
        ]
        differing += [
            f"{name} {in_words(said)}"
            for name, said in plugin.space.items()
            if any(other.space.get(name) != said for other in others)
        ]
        labels.append(" ".join([plugin.name, *differing]))
    return labels


def remark_lines(remarks: list[tuple[str, str, str]]) -> str:
    """What must be known of algorithms on objectives: (algorithm, objective, remark)."""
    objectives: dict[str, dict[str, dict[str, None]]] = {}
    for algorithm, objective, remark in remarks:
        objectives.setdefault(algorithm, {}).setdefault(remark, {})[objective] = None
    lines = ["what to know of the algorithms:"]
    for algorithm, by_remark in objectives.items():
        for remark, names in by_remark.items():
            text = f"{algorithm} on {', '.join(names)}: {remark}"
            lines.append(fill(text, 100, initial_indent="  ", subsequent_indent="      "))
    return "\n".join(lines)


def status_table(states: Sequence[tuple[Cell, str, str]], colour: bool) -> str:
    """The state of each cell, and why."""
    rows: list[tuple[str, ...]] = [("key", "state", "why")]
    rows += [(cell.key, state, why) for cell, state, why in states]
    lines = aligned(rows)
    if colour:
        for index, (_, state, _) in enumerate(states, start=1):
            painted = f"\x1b[{COLOURS[state]}m{state}\x1b[0m"
            key, _, rest = lines[index].partition(f"  {state}")
            lines[index] = f"{key}  {painted}{rest}"
    counts = Counter(state for _, state, _ in states)
    total = ", ".join(f"{count} {state}" for state, count in counts.items())
    return "\n".join([*lines, f"{len(states)} cells: {total}"])
