"""What a user waits for before anything happens, as whole processes; and the journal's pace."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.journal import Journal

BENCH = [sys.executable, "-m", "bench"]

SUITE = """
budget = 8
seeds = 1250
gpus = [1, 2, 4, 8]
[[objectives]]
name = "mnist_cnn"
[[algorithms]]
name = "random"
[[algorithms]]
name = "asha"
"""


@pytest.mark.benchmark(group="start-up, whole process")
def test_help(benchmark: Any) -> None:
    """Goal: 0.3 s."""
    benchmark.pedantic(
        lambda: subprocess.run([*BENCH, "--help"], check=True, capture_output=True),
        rounds=10,
        warmup_rounds=1,
    )


@pytest.mark.benchmark(group="start-up, whole process")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_plan_of_10000_cells(benchmark: Any, tmp_path: Path, form: list[str]) -> None:
    """Goal: 2 s."""
    path = tmp_path / "many.toml"
    path.write_text(SUITE)
    command = [*BENCH, "plan", str(path), *form]
    printed = benchmark.pedantic(
        lambda: subprocess.run(command, check=True, capture_output=True, text=True),
        rounds=5,
        warmup_rounds=1,
    )
    assert "10000 cells" in printed.stdout or printed.stdout.count("\n") == 10_000


@pytest.mark.benchmark(group="journal, 1,000 events, each on disk before the next")
def test_journal(benchmark: Any, tmp_path: Path) -> None:
    event = {"event": "report", "seconds": 1.25, "trial": 3, "step": 2, "loss": 0.25}
    made = iter(range(1_000_000))

    def write() -> None:
        journal = Journal.begin(tmp_path / f"{next(made)}.jsonl", {"key": "k", "cell": {}})
        for _ in range(1000):
            journal.write(event)
        journal.close()

    benchmark.pedantic(write, rounds=5, warmup_rounds=1)
    benchmark.extra_info["events_per_second"] = round(1000 / benchmark.stats.stats.median)
