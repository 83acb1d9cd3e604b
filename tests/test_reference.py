"""The published runs are what this version finds."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.report.table import load

Bench = Callable[..., subprocess.CompletedProcess[str]]

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
FOUND = ["status", "steps", "trials", "failed_trials", "final_loss", "final_accuracy"]
SIMULATED = ["wall", "training_seconds", "utilisation"]


@pytest.mark.parametrize(
    ("suite", "gpus", "cells", "columns"),
    [
        ("scaling", 256, "*-asha-virtual-*-g32-s3-*", FOUND + SIMULATED),
        ("scaling", 256, "mnist_cnn-tpe-virtual-*-g4-s1-*", FOUND + SIMULATED),
        ("quick", 8, "*-random-virtual-*-g4-s1-*", FOUND + SIMULATED),
    ],
)
def test_a_published_search_finds_the_same_again(
    tmp_path: Path, bench: Bench, suite: str, gpus: int, cells: str, columns: list[str]
) -> None:
    ran = bench("run", suite, "--gpus", gpus, "--device", "cpu", "--cells", cells)
    assert ran.returncode == 0, ran.stderr
    again = load(tmp_path / "results" / suite).cells.set_index("key")
    published = pd.read_csv(REFERENCE / suite / "cells.csv").set_index("key")
    assert len(again)
    pd.testing.assert_frame_equal(
        again[columns], published.loc[again.index, columns], check_dtype=False, rtol=1e-6
    )
