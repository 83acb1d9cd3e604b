"""The audit of one algorithm as text."""

import json
from collections.abc import Iterator
from typing import Any

from bench.algorithm import Algorithm
from bench.audit.landscape import Landscape, MnistSpace, SmallSpace
from bench.audit.models import ModelFigures, look
from bench.audit.rungs import climb
from bench.columns import aligned
from bench.engines._simulation import search_of

NEEDED: dict[str, dict[str, Any]] = {"grid": {"resolution": 6}}
"""Options without which an algorithm refuses spaces of numbers."""

LEGEND = """\
Cheap functions, virtual time, the calls of Ray's controller. repeated: suggestions made before;
first of model: its number, from 1 on; random after: share of random ones from there on; unseen:
parameters that the model never draws; model lacks: trials begun before whose results the model did
not have, in the mean (those that still run are slots - 1). paper: what it says of the same column.
"""
SUGGESTIONS = 40
SLOTS = (1, 4, 16)


def audit(name: str, algorithm: Algorithm) -> Iterator[str]:
    """Run an algorithm on cheap objectives and say what it did, part by part."""
    if reason := algorithm.refuse(SmallSpace(), SUGGESTIONS):
        yield f"{name}: refuses the space of the audit: {reason}"
        return
    yield f"{name}: where its suggestions come from"
    figures = [("4", look(algorithm, SmallSpace(), slots, SUGGESTIONS)) for slots in SLOTS]
    figures.append(("16", look(algorithm, MnistSpace(), 1, SUGGESTIONS)))
    yield suggestion_table(figures)
    if unseen := sorted({parameter for _, each in figures for parameter in each.unseen}):
        yield f"  drawn without the model: {', '.join(unseen)}"
    if rungs := rung_table(algorithm):
        yield f"{name}: what happens at its rungs, R = 81"
        yield rungs
    yield f"{name}: effective settings, R = 9"
    yield settings(algorithm, SmallSpace())


def suggestion_table(figures: list[tuple[str, ModelFigures]]) -> str:
    rows: list[tuple[str, ...]] = [
        (
            "parameters",
            "slots",
            "suggestions",
            "repeated",
            "first of model",
            "random after",
            "unseen",
            "model lacks",
        )
    ]
    for parameters, each in figures:
        rows.append(
            (
                parameters,
                str(each.slots),
                str(each.suggestions),
                str(each.duplicates),
                "no model" if not each.has_model else str(each.first or "none yet"),
                "" if each.random_after is None else f"{each.random_after:.0%}",
                "" if each.first is None else str(len(each.unseen)),
                "" if each.lacking is None else f"{each.lacking:.1f} trials",
            )
        )
    return indented(aligned(rows))


class Long(SmallSpace):
    """Trainings of 81 steps, for the rungs of Hyperband's Table 1."""

    max_steps: int = 81


def rung_table(algorithm: Algorithm) -> str:
    """Empty if it has none."""
    rows: list[tuple[str, ...]] = [
        ("slots", "bracket", "steps", "arrived", "paper", "went on", "paper", "stopped")
    ]
    for slots in SLOTS:
        for rung in climb(algorithm, Long(), slots):
            paper = "" if rung.paper_arrived is None else str(rung.paper_arrived)
            numbers = (slots, rung.bracket, rung.steps, rung.arrived, paper, rung.went_on)
            stopped = f"{rung.stopped_share:.0%}"
            rows.append((*map(str, numbers), str(rung.paper_went_on), stopped))
    return indented(aligned(rows)) if len(rows) > 1 else ""


def settings(algorithm: Algorithm, objective: Landscape) -> str:
    """What the journal's header says of the objects that would run."""
    effective = search_of(objective, algorithm, budget=1).header()["effective"]
    return indented([line for part, each in effective.items() for line in _flat(part, each)])


def _flat(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(f"{path}.{name}", each)
    else:
        yield f"{path} = {json.dumps(value)}"


def indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
