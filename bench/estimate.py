"""What a plan will cost: steps, and GPU-hours of training where journals say what a step takes.

The pilot of an objective are the journals found below the results folder, of whatever suite, that
trained the same objective with the same options on the same kind of device. Reading them is quick:
of many journals a fixed sample is read, and of long ones the beginning.
"""

import json
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from itertools import islice
from pathlib import Path
from typing import Any

from bench import machine, plugins
from bench.cell import Cell, PlugIn
from bench.results import cannot_run

UNKNOWN = "an unknown machine"

HEADERS, JOURNALS, REPORTS = 2_000, 30, 500
"""At most so many headers and journals are read for an objective, and reports of each."""


@dataclass(frozen=True)
class Pilot:
    """What training has taken, in seconds of a GPU (on "cpu": a core), set-up included."""

    journals: int
    trials: int
    gpu_seconds_per_step: float
    """Mean over all steps."""
    low: float
    high: float
    """Of ten trials, the mean of one is below `low`, and that of one above `high`."""
    elsewhere: str | None
    """The machines that it ran on, if not this one."""


@dataclass(frozen=True)
class Estimate:
    """The cells of one objective whose trials have as many GPUs."""

    objective: PlugIn
    device: str
    gpus_per_trial: float
    cells: int
    cells_not_here: int
    """Those that this machine cannot run; they are among `cells`."""
    steps: int
    first_index: int | None
    """The first cell in the plan that this machine can run."""
    pilot: Pilot | None

    @property
    def gpu_hours(self) -> float | None:
        """Of training: without waiting, and without the algorithms' thinking."""
        return None if self.pilot is None else self.steps * self.pilot.gpu_seconds_per_step / 3600


def estimate(cells: list[Cell], results: Path) -> list[Estimate]:
    """Estimate the cells of a plan, by objective; `results` holds a folder for each suite.

    Virtual cells cost nothing.
    """
    real = [
        (index, cell)
        for index, cell in enumerate(cells)
        if plugins.engine(cell.engine).clock == "wall"
    ]
    why_not = {_resources(cell): cannot_run(cell) for _, cell in real}
    groups: list[list[tuple[int, Cell]]] = []
    for index, cell in real:
        of_same = (group for group in groups if _same_work(group[0][1], cell))
        group = next(of_same, None)
        if group is None:
            groups.append(group := [])
        group.append((index, cell))
    estimates = []
    for group in groups:
        here = [index for index, cell in group if why_not[_resources(cell)] is None]
        first = group[0][1]
        estimates.append(
            Estimate(
                objective=first.objective,
                device=first.device,
                gpus_per_trial=first.gpus_per_trial,
                cells=len(group),
                cells_not_here=len(group) - len(here),
                steps=sum(cell.budget_steps for _, cell in group),
                first_index=here[0] if here else None,
                pilot=_pilot(first, results),
            )
        )
    return estimates


def _resources(cell: Cell) -> tuple[str, int, float]:
    return cell.device, cell.gpus, cell.gpus_per_trial


def _same_work(one: Cell, other: Cell) -> bool:
    """A step of both takes as long; identities are compared without the user's own paths."""
    return (one.device, one.gpus_per_trial, one.objective.identity) == (
        other.device,
        other.gpus_per_trial,
        other.objective.identity,
    )


def _pilot(cell: Cell, results: Path) -> Pilot | None:
    """From the journals of this machine if there are any, else from those of others."""
    this = _model(cell.device, {"provenance": {"machine": machine.describe()}})
    found: dict[str, list[Path]] = {}
    for path, header in islice(_journals(cell, results), HEADERS):
        if _is_pilot(header, cell):
            found.setdefault(_model(cell.device, header), []).append(path)
    at_home = this in found and this != UNKNOWN
    if at_home:
        found = {this: found[this]}
    used = [path for paths in found.values() for path in paths][:JOURNALS]
    read = [trials for trials in map(_trials, used) if trials]
    trials = [trial for each in read for trial in each]
    if not trials:
        return None
    means = [cell.gpus_per_trial * seconds / steps for seconds, steps in trials]
    tenths = statistics.quantiles(means * (2 if len(means) == 1 else 1), n=10, method="inclusive")
    seconds, steps = (sum(column) for column in zip(*trials, strict=True))
    return Pilot(
        journals=len(read),
        trials=len(trials),
        gpu_seconds_per_step=cell.gpus_per_trial * seconds / steps,
        low=tenths[0],
        high=tenths[-1],
        elsewhere=None if at_home else " and ".join(sorted(found)),
    )


def _journals(cell: Cell, results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Journals that by their names may be of this objective, in the order of the keys' hashes.

    That order is as good as random: the first few are of all algorithms, GPU counts and seeds.
    """
    pattern = f"*/{escape(cell.objective.name)}-*-{cell.device}-g*.jsonl"
    for path in sorted(results.glob(pattern), key=lambda path: path.stem[-10:]):
        try:
            with path.open("rb") as file:
                header = json.loads(file.readline())
        except (OSError, ValueError):
            continue  # the report names what cannot be read
        if isinstance(header, dict):
            yield path, header


def _is_pilot(header: dict[str, Any], cell: Cell) -> bool:
    """Real training (not a replay on the virtual clock) that does what the cell's will do."""
    try:
        return header["clock"] == "wall" and _same_work(Cell.from_json(header["cell"]), cell)
    except (KeyError, TypeError):
        return False


def _trials(path: Path) -> list[tuple[float, int]]:
    """Seconds and steps of each trial, from the first reports of a journal."""
    seconds: dict[int, float] = {}
    steps: dict[int, int] = {}
    with path.open("rb") as file:
        reports = (line for line in file if line.startswith(b'{"event":"report"'))
        for line in islice(reports, REPORTS):
            try:
                report = json.loads(line)
                trial, taken = int(report["trial"]), float(report["step_seconds"])
                taken += float(report.get("setup_seconds", 0))
            except (ValueError, KeyError, TypeError):
                continue  # torn or damaged: the report names it
            if 0 <= taken < math.inf:
                seconds[trial] = seconds.get(trial, 0.0) + taken
                steps[trial] = steps.get(trial, 0) + 1
    return [(seconds[trial], steps[trial]) for trial in seconds]


def _model(device: str, header: dict[str, Any]) -> str:
    """What a step's time depends on: the name of the CPU or the GPUs; safe to print."""
    try:
        described = header["provenance"]["machine"]
        gpus = {gpu["name"] for gpu in described["gpus"]}
        name = described["cpu_model"] if device == "cpu" else ", ".join(sorted(gpus))
    except (KeyError, TypeError):
        name = None
    return "".join(each for each in str(name or UNKNOWN)[:80] if each.isprintable())
