"""What Optuna's workers share, and what each of them has for its own."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from processes import WAIT_SECONDS

from bench import plugins
from bench.algorithm import Problem
from bench.audit.landscape import SmallSpace
from bench.cell import Cell, PlugIn
from bench.check._searches import Tried, drawn
from bench.engines._slots import environment
from bench.engines._storage import NamedLock
from bench.engines._study import made, rebuild, tell
from bench.seeds import search_seed


def cell(**fields: Any) -> Cell:
    plugin = PlugIn("any")
    known = {"engine": "optuna", "device": "cuda", "gpus": 2, "gpus_per_trial": 1.0, "seed": 0}
    return Cell(plugin, plugin, **{**known, "budget": 1, "max_steps": 1, **fields})


@pytest.mark.parametrize(
    ("visible", "fields", "seen"),
    [
        (None, {}, ["0", "1"]),
        ("5,7", {}, ["5", "7"]),
        ("GPU-a,GPU-b", {}, ["GPU-a", "GPU-b"]),
        (None, {"gpus_per_trial": 0.5}, ["0", "0", "1", "1"]),
        (None, {"gpus_per_trial": 0.4}, ["0", "0", "1", "1"]),
        (None, {"gpus": 4, "gpus_per_trial": 2.0}, ["0,1", "2,3"]),
    ],
)
def test_a_slot_sees_its_gpus_alone(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, fields: dict[str, Any], seen: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    one = cell(**fields)
    of_slots = [environment(one, slot) for slot in range(one.slots)]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in of_slots] == seen
    assert {each["OMP_NUM_THREADS"] for each in of_slots} == {"1"}


def test_on_cpu_a_process_has_one_thread() -> None:
    for share in (0.5, 1.0, 2.0):
        found = environment(cell(device="cpu", gpus_per_trial=share), 0)
        assert found == {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def test_one_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    """Two processes that count to 200 each; without the lock they lose some."""
    (tmp_path / "count").write_text("0")
    code = """
import sys
from pathlib import Path
from bench.engines._storage import NamedLock
file = Path(sys.argv[1])
lock = NamedLock(file, sys.argv[2], lambda holder: False)
for _ in range(200):
    lock.acquire()
    file.write_text(str(int(file.read_text()) + 1))
    lock.release()
"""
    command = [sys.executable, "-c", code, str(tmp_path / "count")]
    both = [subprocess.Popen([*command, name], env={**os.environ}) for name in ("a", "b")]
    try:
        assert [each.wait(WAIT_SECONDS) for each in both] == [0, 0]
    finally:
        for each in both:
            each.kill()
    assert (tmp_path / "count").read_text() == "400"


def test_the_lock_of_a_dead_holder_is_taken_and_that_of_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    file = tmp_path / "study"
    dead: set[str] = set()
    NamedLock(file, "worker-1", lambda holder: False).acquire()
    parent = NamedLock(file, "parent", dead.__contains__)
    has_it = threading.Event()

    def wait() -> None:
        parent.acquire()
        has_it.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert not has_it.wait(0.2)
    dead.add("worker-1")
    assert has_it.wait(WAIT_SECONDS)
    waiting.join()
    parent.break_if_of("worker-1")  # no longer
    parent.acquire()  # its own: a link whose answer was lost
    parent.release()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["tpe", "cmaes", "gp", "nsga2"])
def test_at_one_slot_the_sampler_suggests_what_it_does_under_ray(name: str) -> None:
    """The form of Optuna's own, with a study in memory, against that of Ray in the loop."""
    options = {"population_size": 3} if name in ("cmaes", "nsga2") else {"startup_trials": 3}
    algorithm: Any = plugins.load_class("algorithms", name)(**options)
    objective = SmallSpace()
    seed = search_seed("SmallSpace", 0)
    events = Tried(algorithm).search(objective, budget=9)
    problem = Problem(objective.space(), objective.max_steps, 1, seed)
    assert drawn(events) == suggested(algorithm, problem, events), name


def suggested(algorithm: Any, problem: Problem, events: list[dict[str, Any]]) -> list[Any]:
    """What a worker alone is given when each trial ends with the loss that those events have."""
    from optuna.storages import InMemoryStorage

    from bench.space import Active, to_optuna

    study = made("one", InMemoryStorage(), *algorithm.optuna(problem, problem.seed))
    losses = {e["trial"]: e["loss"] for e in events if e["event"] == "report"}
    found = []
    for number in sorted(losses):
        trial = study.ask()
        to_optuna(problem.space)(trial)
        found.append(Active(problem.space)(trial.params))
        tell(study, trial.number, "completed", losses[number], worst_loss=10.0)
    return found


@pytest.mark.parametrize("name", ["cmaes", "nsga2", "asha"])
def test_a_study_that_is_made_again_has_what_sampler_and_pruner_keep_in_it(name: str) -> None:
    """CMA-ES its distribution, NSGA-II its generations, successive halving its rungs."""
    from optuna.storages import InMemoryStorage

    options = {"population_size": 3} if name in ("cmaes", "nsga2") else {}
    algorithm: Any = plugins.load_class("algorithms", name)(**options)
    objective = SmallSpace()
    events = Tried(algorithm).search(objective, budget=9)
    problem = Problem(objective.space(), objective.max_steps, 1, 0)
    study = made("again", InMemoryStorage(), *algorithm.optuna(problem, 0))
    rebuild(study, problem.space, events[:-1], worst_loss=10.0)
    kept = {"cmaes": "cma:", "nsga2": "NSGAIISampler:generation", "asha": "completed_rung_0"}
    having = [t for t in study.trials if any(kept[name] in key for key in t.system_attrs)]
    assert having
    if name == "nsga2":
        generations = [t.system_attrs[kept[name]] for t in study.trials]
        assert generations == sorted(generations) and generations[-1] >= 1
    drawn_again = [t.params for t in study.trials]
    assert len(drawn_again) == len(drawn(events))
