"""How long a job array may run: from a pilot, with a margin, within what the site allows.

A cell of B full trainings on S slots is B / S rounds, rounded up, of a full training each. A pilot
(bench/estimate.py) says what a step takes; the longest cell of the array counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import duration
from bench.cell import Cell
from bench.estimate import Pilot, estimate
from bench.seeds import canonical
from bench.slurm.site import Site

MARGIN = 2
"""Trainings differ, so do nodes; a limit that is reached costs a requeue and a start."""

UTILISATION = 0.7
"""Share of a slot's time that trains; the rest is waiting at barriers, thinking, checkpoints."""

START_SECONDS = 120
"""Until the first step: the image, Ray, the data."""

LEAST_SECONDS, UNIT_SECONDS = 600, 300

Pilots = Mapping[str, Pilot | None]
"""By the identity of the objective."""


@dataclass(frozen=True)
class Limit:
    """The time limit of an array, and where it is from."""

    seconds: int
    remark: str
    has_pilot: bool
    """Whether pilots say how long all of its cells take."""


def pilots(cells: list[Cell], results: Path) -> Pilots:
    """What the journals below `results` say of the objectives of some real cells."""
    return {canonical(each.objective.identity): each.pilot for each in estimate(cells, results)}


def limit(cells: list[Cell], known: Pilots, site: Site) -> Limit:
    """The time limit of an array of these cells, whose objectives are all in `known`."""
    longest = 0.0
    unknown: dict[str, None] = {}
    for cell in cells:
        pilot = known[canonical(cell.objective.identity)]
        if pilot is None:
            unknown[cell.objective.name] = None
        else:
            longest = max(longest, _seconds(cell, pilot))
    wanted = _rounded(max(MARGIN * longest, LEAST_SECONDS))
    if unknown:
        wanted = max(wanted, site.default_time)
        remark = f"no pilot of {', '.join(unknown)}: the site's default"
    else:
        remark = f"{MARGIN} times what the pilot says of the longest cell"
    allowed = min(max(wanted, site.min_time), site.max_time)
    if allowed < wanted:
        remark += (
            f"; the site allows no more, wanted were {duration.text(wanted)}: a cell goes on in "
            "the next job where it was"
        )
    return Limit(allowed, remark, not unknown)


def _seconds(cell: Cell, pilot: Pilot) -> float:
    """What a cell will take, as far as a pilot can say; its own guard may end it earlier."""
    step_seconds = pilot.gpu_seconds_per_step / cell.gpus_per_trial
    rounds = math.ceil(cell.budget / cell.slots)
    training = rounds * cell.max_steps * step_seconds / UTILISATION
    return START_SECONDS + min(training, cell.max_seconds or math.inf)


def _rounded(seconds: float) -> int:
    return math.ceil(seconds / UNIT_SECONDS) * UNIT_SECONDS
