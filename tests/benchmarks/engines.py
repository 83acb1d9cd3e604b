"""Ray Tune and Optuna's workers, on each storage, on the same cells: what a trial costs.

    python tests/benchmarks/engines.py FOLDER [OPTION of bench run...]

Journals go to FOLDER; an interrupted run goes on. The figures go to docs/engines.csv, a line for
each cell; plot_engines.py draws them. A PostgreSQL is started for it.
"""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

from postgresql import server  # noqa: E402

from bench.cell import Cell  # noqa: E402
from bench.journal import Record, read  # noqa: E402

BENCH = [sys.executable, "-m", "bench"]
FIGURES = TESTS.parent / "docs" / "engines.csv"
TRIALS = {0.0: 400, 0.1: 120, 1.0: 24}
"""By their length in seconds."""

SLOTS = {"1": "gpus = [1]", "2-8": "gpus = [2]\ngpus_per_trial = [1, 0.5, 0.25]"}
"""On two cores, which is enough for trials that sleep."""

SUITE = """
budget = {trials}
seeds = 2
{slots}

[[objectives]]
path = "{objective}"
seconds = {seconds}

[[algorithms]]
name = "random"

[[algorithms]]
name = "tpe"
seeds = 1

[[engines]]
name = "ray"

[[engines]]
name = "optuna"

[[engines]]
name = "optuna"
storage = "sqlite"

[[engines]]
name = "optuna"
storage = "postgresql"
"""


def figures(record: Record) -> dict[str, Any]:
    """Of one cell. Times are the slots', in seconds.

    Once every slot's process has come to its first trial the slots are *up*; from then to the last
    report but as many as there are slots (near the end some wait for nothing), what is not training
    is overhead. It is none where the trials were over before all were up.
    """
    cell, events = record.header["cell"], record.events
    reports = [event for event in events if event["event"] == "report"]
    end = record.end or {}
    slots = Cell.from_json(cell).slots
    ends = [event["seconds"] for event in reports]
    begins = [
        event["seconds"] - event["step_seconds"] - event.get("setup_seconds", 0.0)
        for event in reports
    ]
    first: dict[float, float] = {}
    for begin, event in zip(begins, reports, strict=True):
        first.setdefault(event["process"], begin)
    up = max(first.values())
    last = ends[-slots - 1] if len(ends) > slots else up
    inside = [min(e, last) - max(b, up) for b, e in zip(begins, ends, strict=True)]
    counted = sum(up < e <= last for e in ends)
    training = sum(each for each in inside if each > 0)
    wall = events[-1]["seconds"]
    whole = sum(e - b for b, e in zip(begins, ends, strict=True))
    is_up = len(first) == slots and counted >= slots
    return {
        "engine": cell["engine"],
        "storage": cell["engine_settings"].get("storage", ""),
        "algorithm": cell["algorithm"]["name"],
        "trial_seconds": cell["objective"]["options"]["seconds"],
        "slots": slots,
        "seed": cell["seed"],
        "trials": len(reports),
        "failed_trials": sum(e["event"] == "finish" and e["status"] == "failed" for e in events),
        "status": end.get("status", "not finished"),
        "wall_seconds": wall,
        "up_after_seconds": up,
        "processes": len(first),
        "overhead_ms_per_trial": 1000 * (slots * (last - up) - training) / counted
        if is_up
        else None,
        "whole_overhead_ms_per_trial": 1000 * (slots * wall - whole) / len(reports),
        "utilisation": whole / (slots * wall),
        "suggest_ms": 1000 * _mean(events, "suggest_seconds"),
        "observe_ms": 1000 * _mean(events, "observe_seconds"),
    }


def _mean(events: list[dict[str, Any]], name: str) -> float:
    found = [event[name] for event in events if name in event]
    return sum(found) / len(found)


def main(folder: Path, options: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    objective = TESTS / "benchmarks" / "fixed.py"
    with server() as url:
        for (seconds, trials), (slots, keys) in product(TRIALS.items(), SLOTS.items()):
            suite = folder / f"engines-{seconds:g}s-{slots}.toml"
            suite.write_text(
                SUITE.format(trials=trials, slots=keys, seconds=seconds, objective=objective)
            )
            subprocess.run(
                [*BENCH, "run", suite, "--results", folder, "--device", "cpu", *options],
                env={**os.environ, "BENCH_OPTUNA_POSTGRESQL": url},
                check=False,  # what failed is in the figures
            )
    found = [read(path) for path in sorted(folder.glob("engines-*/*.jsonl"))]
    rows = [figures(record) for record in found if record.finished]
    pd.DataFrame(rows).to_csv(FIGURES, index=False, float_format="%.4g")
    print(FIGURES)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
