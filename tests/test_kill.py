"""SIGKILL at random moments, more than a hundred times, on both clocks: `make test-kill`.

After each kill all journals are readable and the same command goes on; no finished trial is lost or
trained again; and what is deterministic comes out as if nothing had happened.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import of_kind, records, run_bench, suite_text
from processes import kill_all
from runs import start
from tables import rows, write

from bench.engines._past import comparable
from bench.journal import Record

KILLS = int(os.environ.get("KILLS", "21"))
"""Of each of the suites below."""

STUCK_SECONDS = 600.0

VIRTUAL = """
budget = 40
seeds = 12
gpus = [1, 8]
engines = ["virtual"]
[[objectives]]
path = "t.parquet"
[[algorithms]]
name = "tpe"
[[algorithms]]
name = "bohb"
"""

pytestmark = [pytest.mark.kill]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: Ray's sockets are in it."""
    path = Path(tempfile.mkdtemp(prefix="bk-", dir="/tmp"))
    yield path
    kill_all(path)
    shutil.rmtree(path, ignore_errors=True)


def bytes_written(folder: Path) -> int:
    """Into the journals; one that is just being set aside counts for nothing."""
    total = 0
    for path in folder.glob("results/suite/*.jsonl"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def killed(folder: Path, chance: random.Random) -> bool:
    """Run, and kill at a random moment: of the start, or after so much more was written.

    False if the run came to its end before that. One kill in two leaves Ray's processes to find out
    by themselves.
    """
    run, began = start(folder), time.monotonic()
    enough = bytes_written(folder) + chance.choice([0, 1, 1500, 5000])
    latest = time.monotonic() + (chance.uniform(0, 8) if chance.random() < 0.3 else STUCK_SECONDS)
    while run.poll() is None and time.monotonic() < latest and bytes_written(folder) < enough:
        time.sleep(0.01)
    assert time.monotonic() < began + STUCK_SECONDS, "it neither writes nor ends"
    time.sleep(chance.uniform(0, 0.2))
    if run.poll() is not None:
        assert run.returncode == 0, (folder / "stderr").read_text()
        return False
    run.kill()
    if chance.random() < 0.5:
        kill_all(folder)
    run.wait()
    return True


def finished(found: list[Record]) -> dict[tuple[str, int], float]:
    """The trials that are over, and their x."""
    return {
        (record.path.stem, end["trial"]): of_kind(record, "suggest")[end["trial"]]["configuration"][
            "x"
        ]
        for record in found
        for end in of_kind(record, "finish")
        if end["status"] != "cut"
    }


def trained(log: Path) -> list[float]:
    return [float(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("gpus", [1, 2])
@pytest.mark.parametrize(
    ("engine", "algorithm"), [("ray", "random"), ("ray", "bohb"), ("optuna", "tpe")]
)
def test_on_the_wall_clock(folder: Path, engine: str, algorithm: str, gpus: int) -> None:
    chance = random.Random(f"{engine} {algorithm} {gpus}")
    log = folder / "log"
    toy = {"max_steps": 9, "seconds": 0.02, "fault": "raise", "from_x": 0.8, "log": str(log)}
    text = suite_text([algorithm], [toy], budget=7, seeds=3, gpus=[gpus], engines=[engine])
    (folder / "suite.toml").write_text(text)
    whole = folder / "whole"
    whole.mkdir()
    shutil.copy(folder / "suite.toml", whole)
    assert run_bench(whole, "run", "suite.toml", "--device", "cpu").returncode == 0
    undisturbed = records(whole)
    kill_all(folder)

    deterministic = engine == "ray" and gpus == 1  # else the order is a race
    kills = 0
    while kills < KILLS:
        before, lines = finished(records(folder)), len(trained(log))
        if not killed(folder, chance):
            compare(records(folder), undisturbed, deterministic)
            shutil.rmtree(folder / "results")
            continue
        kills += 1
        found = records(folder)
        assert all(record.problem is None for record in found), "a journal is unreadable"
        assert before.items() <= finished(found).items(), "a finished trial is lost"
        again = set(before.values()) & set(trained(log)[lines:])
        assert not again, f"finished trials are trained again: x = {again}"
    wait_for_the_end(folder)
    compare(records(folder), undisturbed, deterministic)
    assert not list(folder.glob("results/suite/attempts/*")), "nothing was begun anew"


def compare(found: list[Record], undisturbed: list[Record], deterministic: bool) -> None:
    """Equal event for event, or at least each step once."""
    for after, before in zip(found, undisturbed, strict=True):
        assert after.finished and after.path.name == before.path.name
        steps = [(e["trial"], e["step"]) for e in of_kind(after, "report")]
        assert len(steps) == len(set(steps))
        if deterministic:
            events = [each for each in after.events if each["event"] != "resume"]
            assert [*map(comparable, events)] == [*map(comparable, before.events)]


def test_on_the_virtual_clock(folder: Path) -> None:
    chance = random.Random("virtual")
    write(folder / "t.parquet", rows(60, seeds=2))
    (folder / "suite.toml").write_text(VIRTUAL)
    whole = folder / "whole"
    whole.mkdir()
    for name in ("suite.toml", "t.parquet"):
        shutil.copy(folder / name, whole)
    ran = run_bench(whole, "run", "suite.toml", "--device", "cpu")
    assert ran.returncode == 0, ran.stderr
    undisturbed = {path.name: timeless(path) for path in whole.glob("results/suite/*.jsonl")}
    kills = 0
    while kills < KILLS:
        if not killed(folder, chance):
            shutil.rmtree(folder / "results")
            continue
        kills += 1
        assert all(record.problem is None for record in records(folder)), "a journal is unreadable"
        for record in records(folder):
            assert not record.finished or timeless(record.path) == undisturbed[record.path.name]
    wait_for_the_end(folder)
    assert {p.name: timeless(p) for p in folder.glob("results/suite/*.jsonl")} == undisturbed


def timeless(path: Path) -> bytes:
    """A journal without its header, which says when and where."""
    return path.read_bytes().partition(b"\n")[2]


def wait_for_the_end(folder: Path) -> None:
    run = start(folder)
    assert run.wait(timeout=600) == 0, (folder / "stderr").read_text()
