"""Journals for tests: written by hand, or of a search that is made up but consistent."""

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.cell import Cell, PlugIn
from bench.journal import Journal

SMALL: dict[str, Any] = {"budget": 3, "max_steps": 3}
HOUR = 3600.0
MACHINE = {"cpu_model": "Test CPU", "cores": 8, "gpus": []}


def cell(algorithm: str | PlugIn = "random", gpus: int = 1, seed: int = 0, **changes: Any) -> Cell:
    """A cell with a budget of 3 full trainings of 1 step."""
    made = Cell(
        objective=PlugIn("bowl", {"max_steps": 1}),
        algorithm=PlugIn(algorithm) if isinstance(algorithm, str) else algorithm,
        engine="ray",
        device="cpu",
        gpus=gpus,
        gpus_per_trial=1.0,
        seed=seed,
        budget=3,
        max_steps=1,
    )
    return replace(made, **changes)


def report(trial: int, seconds: float, loss: float, step: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "event": "report",
        "seconds": seconds,
        "trial": trial,
        "step": step,
        "loss": loss,
        **more,
    }


def suggest(trial: int, seconds: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"event": "suggest", "seconds": seconds, "trial": trial, "configuration": {}, **more}


def finish(trial: int, seconds: float, status: str, **more: Any) -> dict[str, Any]:
    return {"event": "finish", "seconds": seconds, "trial": trial, "status": status, **more}


def end(seconds: float, status: str = "completed", reason: str = "budget spent") -> dict[str, Any]:
    return {"event": "end", "seconds": seconds, "status": status, "reason": reason}


def write(folder: Path, of: Cell, events: Iterable[dict[str, Any]], **header: Any) -> Path:
    """Write a cell's journal with these events; `header` overrides its fields."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "key": of.key,
        "cell": of.as_json(),
        "clock": "wall",
        "optimum": None,
        "worst_loss": 2.0,
        "started": "2026-01-02T03:04:05+00:00",
        "provenance": {
            "machine": MACHINE,
            "packages": {"ray": "2.0"},
            "python": "3.11.7",
            "commit": "c0ffee",
            "dirty": False,
        },
        **header,
    }
    journal = Journal.begin(folder / f"{of.key}.jsonl", whole)
    for event in events:
        journal.write(event)
    journal.close()
    return journal.path


def results(
    folder: Path, of: Cell, *found: tuple[float, float], wall: float, **header: Any
) -> Path:
    """Write a complete journal whose trials report once each: (seconds, loss) in order."""
    events = [suggest(trial) for trial in range(len(found))]
    events += [report(trial, seconds, loss) for trial, (seconds, loss) in enumerate(found)]
    return write(folder, of, [*events, end(wall)], **header)


def search(folder: Path, of: Cell, stops: bool = False, skill: float = 1.0, **header: Any) -> Path:
    """Write the journal of a made-up search: learning curves, parallel slots, thinking time.

    `stops`: poor trials end early. `skill`: how fast suggestions get better; 0 is random search.
    """
    chance = random.Random(f"{of.seed} {of.algorithm.name} {of.gpus}")
    free_at = [0.0] * of.slots
    events: list[dict[str, Any]] = []
    spent = trial = 0
    while spent < of.budget_steps:
        slot = min(range(of.slots), key=lambda each: free_at[each])
        now = free_at[slot]
        thinking = 0.002 + 0.05 * skill * chance.random()
        events.append(suggest(trial, now + thinking, suggest_seconds=thinking))
        now += thinking
        known = trial - of.slots if trial > of.slots else 0
        quality = chance.random() / (1 + 0.15 * skill * known)
        for step in range(1, of.max_steps + 1):
            now += (seconds := 0.5 + 0.5 * chance.random())
            loss = 0.08 + quality + 1.4 * 0.55**step + 0.02 * chance.random()
            extra = {"setup_seconds": 0.3} if step == 1 else {}
            now += extra.get("setup_seconds", 0.0)
            extra |= {"accuracy": 1 - loss / 2.4, "step_seconds": seconds}
            events.append(report(trial, now, min(loss, 2.0), step, **extra))
            spent += 1
            if stops and step in (1, 3) and quality > 0.25 and step < of.max_steps:
                break
        events.append(finish(trial, now, "completed", step=step, observe_seconds=0.001))
        free_at[slot] = now
        trial += 1
    events.sort(key=lambda event: event["seconds"])
    left, kept = of.budget_steps, []
    for event in events:
        kept.append(event)
        left -= event["event"] == "report"
        if left == 0:
            break
    return write(folder, of, [*kept, end(kept[-1]["seconds"] + 0.2)], **header)


def two_counts(folder: Path) -> Path:
    """Two seeds each of random on 1 and 2 GPUs; the optimum is 0.

    | gpus, seed | (seconds, loss) as they arrive          | end | final |
    | 1, 0       | (10, 0.9) (20, 0.5) (30, 0.7)           | 32  | 0.5   |
    | 1, 1       | (12, 0.8) (22, 0.8) (36, 0.3)           | 40  | 0.3   |
    | 2, 0       | (5, 0.6) (6, 0.4) (9, 0.4)              | 10  | 0.4   |
    | 2, 1       | (8, 0.9) (9, 0.8) (16, 0.7)             | 20  | 0.7   |
    """
    given_ = {"optimum": 0.0}
    results(folder, cell(gpus=1, seed=0), (10, 0.9), (20, 0.5), (30, 0.7), wall=32, **given_)
    results(folder, cell(gpus=1, seed=1), (12, 0.8), (22, 0.8), (36, 0.3), wall=40, **given_)
    results(folder, cell(gpus=2, seed=0), (5, 0.6), (6, 0.4), (9, 0.4), wall=10, **given_)
    results(folder, cell(gpus=2, seed=1), (8, 0.9), (9, 0.8), (16, 0.7), wall=20, **given_)
    return folder


def two_algorithms(folder: Path) -> Path:
    """Two seeds each; losses as they arrive, in hours.

    | algorithm, GPUs, seed | (hours, loss)               | end |
    | random, 1, 0          | (1, 0.8) (2, 0.6) (4, 0.4)  | 4   |
    | random, 1, 1          | (1, 0.6) (3, 0.4) (4, 0.4)  | 5   |
    | tpe, 2, 0             | (1, 0.4) (2, 0.3) (3, 0.3)  | 3   |
    | tpe, 2, 1             | (1, 0.8) (2, 0.5) (3, 0.3)  | 3   |
    """
    for name, gpus, seed, wall, found in [
        ("random", 1, 0, 4, [(1, 0.8), (2, 0.6), (4, 0.4)]),
        ("random", 1, 1, 5, [(1, 0.6), (3, 0.4), (4, 0.4)]),
        ("tpe", 2, 0, 3, [(1, 0.4), (2, 0.3), (3, 0.3)]),
        ("tpe", 2, 1, 3, [(1, 0.8), (2, 0.5), (3, 0.3)]),
    ]:
        in_seconds = [(hours * HOUR, loss) for hours, loss in found]
        results(folder, cell(name, gpus, seed), *in_seconds, wall=wall * HOUR)
    return folder


def at(frame: pd.DataFrame, **where: object) -> pd.Series:
    """The one row of the frame that has these values."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def plan_of(folder: Path, **changes: Any) -> list[Cell]:
    """Three algorithms, two GPU counts, three seeds; all have finished."""
    fields = {**SMALL, **changes}
    cells = [
        cell(name, gpus, seed, **fields)
        for name in ("random", "asha", "tpe")
        for gpus in (1, 2)
        for seed in range(3)
    ]
    for each in cells:
        search(folder, each, stops=each.algorithm.name == "asha")
    return cells
