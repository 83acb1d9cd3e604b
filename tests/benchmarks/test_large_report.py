"""The report of ten million events, as a whole process: its seconds and its memory."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

BENCH = [sys.executable, "-m", "bench"]
SUITE = Path(__file__).with_name("ten_million.toml")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    subprocess.run([*BENCH, "run", SUITE, "--results", folder], check=True, capture_output=True)
    time.sleep(3)  # a journal that is a moment old is not kept
    return folder


@pytest.mark.benchmark(group="report of ten million events, whole process")
@pytest.mark.parametrize("first", [True, False], ids=["first time", "nothing new"])
def test_report(benchmark: Any, results: Path, first: bool) -> None:
    """Goal: 60 s the first time, 4 GB."""
    journals = results / SUITE.stem
    peak = 0

    def forget() -> None:
        if first:
            shutil.rmtree(journals / "cache", ignore_errors=True)

    def report() -> None:
        nonlocal peak
        command = [*BENCH, "report", str(SUITE), "--results", str(results)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
            while run.poll() is None:
                peak = max(peak, _memory_bytes(run.pid))
                time.sleep(0.2)
        assert run.returncode == 0

    benchmark.pedantic(report, setup=forget, rounds=1)
    events = sum(path.read_bytes().count(b"\n") for path in journals.glob("*.jsonl"))
    benchmark.extra_info |= {"millions of events": events / 1e6, "GB at most": peak / 1e9}


def _memory_bytes(pid: int) -> int:
    """Of the process and those that it started; what they share counts for each."""
    try:
        whole = psutil.Process(pid)
        return sum(each.memory_info().rss for each in [whole, *whole.children(recursive=True)])
    except psutil.Error:
        return 0
