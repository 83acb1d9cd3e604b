"""Tables of learning curves for tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STEPS = 4


def rows(count: int = 60, seeds: int = 1) -> list[dict[str, Any]]:
    """Trainings whose loss (lr - 0.3)² + n/10 + 1/step and whose seconds n are easily learned."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(count):
        configuration = {"lr": float(generator.uniform()), "n": int(generator.integers(1, 5))}
        for seed in range(seeds):
            noise = 1 + 0.02 * generator.normal()
            for step in range(1, STEPS + 1):
                loss = (configuration["lr"] - 0.3) ** 2 + configuration["n"] / 10 + 1 / step
                found.append(
                    {
                        "configuration": configuration,
                        "seed": seed,
                        "step": step,
                        "loss": loss * noise,
                        "accuracy": 1 / loss,
                        "step_seconds": 0.5 * configuration["n"],
                        "start_seconds": 0.25,
                    }
                )
    return found


def write(path: Path, of: list[dict[str, Any]], about: dict[str, Any] | None = None) -> Path:
    table = pa.Table.from_pylist(of)
    if about is not None:
        table = table.replace_schema_metadata({"searchbench": json.dumps(about)})
    pq.write_table(table, path)
    return path
