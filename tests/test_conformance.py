"""The loop makes the calls that Ray's controller makes, in the same order, at several slots too.

What is compared is every event of a search but its seconds: suggestions, reports, decisions, ends.
At several slots the order of Ray's events follows from how long its processes really take; here
a conductor fixes it. One thing stays undefined: which of two results comes first if both arrive
while the controller is busy. The conductor lets no two be on their way at the same time.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from conftest import PLUGINS, cell_of, records, run_bench

from bench import plugins
from bench.engines._search import build
from bench.engines._simulation import events_of

seconds = run_path(str(PLUGINS / "conducted.py"))["seconds"]


class Conductor(threading.Thread):
    """Lets waiting steps go on, the one that ends first in virtual time first.

    A step begins when the one before it, of whatever trial, has ended. The next is let go when all
    slots have a step that waits, or nothing new has come for `quiet_seconds`.
    """

    def __init__(self, folder: Path, slots: int, quiet_seconds: float) -> None:
        super().__init__(daemon=True)
        self.folder, self.slots, self.quiet_seconds = folder, slots, quiet_seconds
        self.now = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        ends: dict[str, float] = {}
        changed = time.monotonic()
        while not self.over.is_set():
            for path in self.folder.glob("*.waits"):
                ends[path.stem] = self.now + json.loads(path.read_text())
                path.unlink()
                changed = time.monotonic()
            quiet = time.monotonic() - changed > self.quiet_seconds
            if ends and (len(ends) == self.slots or quiet):
                first = min(ends, key=lambda name: ends[name])
                self.now = ends.pop(first)
                (self.folder / f"{first}.go").touch()
                changed = time.monotonic()
            time.sleep(0.002)


@contextmanager
def conducted(folder: Path, slots: int, quiet_seconds: float) -> Iterator[None]:
    folder.mkdir()
    conductor = Conductor(folder, slots, quiet_seconds)
    conductor.start()
    try:
        yield
    finally:
        conductor.over.set()
        conductor.join()


SUITE = """
budget = 7
seeds = 1
gpus = [1]
gpus_per_trial = {share}
[[objectives]]
path = "{plugin}"
folder = "{folder}"
fails_from = 0.75
[[algorithms]]
{algorithm}
"""

OPTIONS = {
    "grid": "resolution = 6",
    "tpe": "startup_trials = 3",
    "tpe_asha": "startup_trials = 3",
    "gp": "startup_trials = 3",
    "bayesopt": "startup_trials = 3",
    "hebo": "startup_trials = 3",
    "hebo_asha": "startup_trials = 3",
    "nsga2": "population_size = 3",
    "cmaes": "population_size = 3",
}
"""So that within the budget most suggestions come from the model."""
ALGORITHMS = {
    name: f'name = "{name}"\n{OPTIONS.get(name, "")}' for name in plugins.names("algorithms")
}
SLOW = {"hebo", "hebo_asha", "gp", "bayesopt"}
"""They think for seconds; all others are done long before the conductor takes it for the end."""


@pytest.mark.skip(reason="unfinished: the conductor does not wait for the process after a failure")
@pytest.mark.minutes
@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_events_are_those_of_ray(name: str, slots: int, tmp_path: Path) -> None:
    folder = tmp_path / "waiting"
    suite = SUITE.format(
        share=1 / slots,
        plugin=PLUGINS / "conducted.py",
        folder=folder,
        algorithm=ALGORITHMS[name],
    )
    (tmp_path / "suite.toml").write_text(suite)
    with conducted(folder, slots, 12.0 if name in SLOW else 1.5):
        printed = run_bench(tmp_path, "run", "suite.toml", "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    (record,) = records(tmp_path)
    search = build(cell_of(record), "virtual")
    search.objective = search.objective.model_copy(update={"folder": ""})
    events = events_of(search, seconds)
    if name == "random":
        assert any(each.get("status") == "failed" for each in events)
    assert [untimed(each) for each in events[:-1]] == [untimed(each) for each in record.events]


def untimed(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if "seconds" not in key}
