"""The loop makes the calls that Ray's controller makes, in the same order, at several slots too.

What is compared is every event of a search but its seconds: suggestions, reports, decisions, ends.
At several slots the order of Ray's events follows from how long its processes really take; here
each step of the real search waits until all that ended before it in virtual time are in the
journal. One thing stays undefined: which of two results comes first if both arrive while the
controller is busy. Here no two are on their way at the same time.
"""

import subprocess
import threading
import time
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from conftest import PLUGINS, command, in_folder, records

from bench import plugins
from bench.engines._search import build
from bench.engines._simulation import events_of
from bench.suite import plan

conducted = run_path(str(PLUGINS / "conducted.py"))

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
ALGORITHMS["pausing"] = f'path = "{PLUGINS / "pausing.py"}"'

PATIENCE_SECONDS = 240.0


@pytest.mark.minutes
@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_events_are_those_of_ray(name: str, slots: int, tmp_path: Path) -> None:
    folder = tmp_path / "waiting"
    folder.mkdir()
    suite = SUITE.format(
        share=1 / slots,
        plugin=PLUGINS / "conducted.py",
        folder=folder,
        algorithm=ALGORITHMS[name],
    )
    (tmp_path / "suite.toml").write_text(suite)
    (cell,) = plan(tmp_path / "suite.toml", [1], "cpu")
    search = build(cell, "virtual")
    search.objective = search.objective.model_copy(update={"folder": ""})
    events = events_of(search, conducted["seconds"])[:-1]
    if name == "random":
        assert any(each.get("status") == "failed" for each in events)

    conductor = Conductor(folder, tmp_path, events)
    conductor.start()
    printed = subprocess.run(
        command("run", "suite.toml", "--device", "cpu"),
        cwd=tmp_path,
        env=in_folder(),
        capture_output=True,
        text=True,
        timeout=1800,
    )
    conductor.over.set()
    conductor.join()
    assert printed.returncode == 0, printed.stderr
    (record,) = records(tmp_path)
    assert [untimed(each) for each in record.events] == [untimed(each) for each in events]
    assert not conductor.missed, "a step was let go before it was its turn"


class Conductor(threading.Thread):
    """Lets the waiting steps of a real search go on, one after the other, as these events say.

    The next is let go when the journal has all that came before its end. If that does not happen
    within PATIENCE_SECONDS, the search has taken another course: then all steps go on as they come.
    """

    def __init__(self, folder: Path, tmp_path: Path, events: list[dict[str, Any]]) -> None:
        super().__init__(daemon=True)
        self.folder, self.tmp_path = folder, tmp_path
        configurations = {e["trial"]: e["configuration"] for e in events if "configuration" in e}
        times = [event["seconds"] for event in events]
        self.steps = [
            (
                times.index(event["seconds"]),
                conducted["waiting"](folder, configurations[event["trial"]], step),
            )
            for event in events
            if (step := ended(event)) is not None
        ]
        """How many events come before a step's end, and where it waits. (That a trial has failed is
        written last of what follows from it.)"""
        self.over = threading.Event()
        self.missed = False
        self.size = self.count = 0

    def run(self) -> None:
        for index, step in self.steps:
            if not self.waits_for(step, index):
                self.missed = True
                break
            step.unlink()
        while self.missed and not self.over.wait(0.01):
            for step in self.folder.iterdir():
                step.unlink()

    def waits_for(self, step: Path, index: int) -> bool:
        """Whether it is this step's turn before patience or the search is at its end."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (step.exists() and self.happened() >= index):
            if self.over.wait(0.005) or time.monotonic() > until:
                return False
        return True

    def happened(self) -> int:
        """Events in the journal, which is read again when it has grown."""
        size = sum(path.stat().st_size for path in self.tmp_path.glob("results/suite/*.jsonl"))
        if size != self.size:
            self.size, self.count = size, sum(len(each.events) for each in records(self.tmp_path))
        return self.count


def ended(event: dict[str, Any]) -> int | None:
    """The step of which this is the result or the failure, if it is of one."""
    if event["event"] == "report":
        return int(event["step"])
    if event["event"] == "finish" and event["status"] == "failed":
        return int(event["step"]) + 1
    return None


def untimed(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if "seconds" not in key}
