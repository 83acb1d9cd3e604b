"""Reports a second of searches on the virtual clock, beside Syne Tune's simulator in the same run.

Two problems: four parameters, curves of nine steps from a formula, so that the engines are compared
and not what stands behind them; and mnist_cnn's sixteen parameters on its recorded curves, with the
surrogate. Ours write a journal to disk. Syne Tune has an environment of its own, .venv/syne-tune,
which `make microbench` builds. The goals: 100,000 reports/s for random and ASHA, ten times Syne
Tune's, and no algorithm with more than a fifth of its time outside its own suggest and observe.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bench import plugins
from bench.algorithm import Algorithm
from bench.cell import PlugIn
from bench.engines._asked import Kind
from bench.engines._costs import costs
from bench.engines._loop import Loop, Rehearsal
from bench.engines._replay import recorded
from bench.engines._search import Search
from bench.engines._simulation import search_of
from bench.engines.virtual import recorded_at
from bench.journal import Journal
from bench.objective import Objective, Training
from bench.objectives.mnist_cnn import MnistCnn

STEPS = 9
SLOTS = 64
TRAININGS = {"random": 2000, "asha": 2000, "hyperband": 1000, "grid": 1000}
"""Full trainings' worth of steps; of slower algorithms FEW."""
FEW = 60
SYNE_TUNE = Path(sys.prefix) / "syne-tune" / "bin" / "python"
SCRIPT = Path(__file__).parent / "syne_tune_speed.py"

Rehearse = Callable[[dict[str, Any]], Rehearsal]


class Formula(Objective):
    """What syne_tune_speed.py has, too."""

    max_steps: int = STEPS
    worst_loss: ClassVar[float] = 10.0

    def space(self) -> Any:
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        space.add(*[cs.Float(f"x{index}", (0.0, 1.0)) for index in range(4)])
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        raise NotImplementedError


class Rehearsed:
    def __init__(self, configuration: dict[str, Any]) -> None:
        self._total, self._steps = sum(configuration.values()), 0

    def start(self) -> tuple[float, float]:
        return 0.0, 0.0

    def seconds(self, step: int) -> float:
        return 1 + self._total / 7

    def step(self) -> dict[str, float]:
        self._steps += 1
        return {"loss": self._total + 1 / self._steps}


class Watch:
    """How long an algorithm takes to suggest and to observe, and its scheduler to decide."""

    free: Collection[Kind] = ()

    def __init__(self) -> None:
        self.searcher = self.scheduler = 0.0

    def of(self, kind: Any, call: Any, *arguments: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        returned = call(*arguments)
        taken = time.perf_counter() - began
        if kind == "decide":
            self.scheduler += taken
        else:
            self.searcher += taken
        return returned, 0.0


def formula(algorithm: Algorithm, budget: int) -> tuple[Search, Rehearse]:
    return search_of(Formula(), algorithm, budget, SLOTS), Rehearsed


def mnist(algorithm: Algorithm, budget: int) -> tuple[Search, Rehearse]:
    objective = MnistCnn(train_images=500, validation_images=500, max_channels=16)
    plugin = plugins.resolve("objectives", "mnist_cnn", None, objective.model_dump(mode="json"))
    path = recorded_at(plugin, "cpu")
    assert path is not None
    search = search_of(objective, algorithm, budget, SLOTS)
    return search, recorded(path, objective.worst_loss).rehearsals(search.cell)


PROBLEMS = {"formula": formula, "mnist_cnn": mnist}


def run(name: str, problem: str, folder: Path, watch: Watch | None) -> tuple[float, int]:
    """Seconds of a search, and its reports."""
    options = {"resolution": 6} if name == "grid" else {}
    algorithm = plugins.load_class("algorithms", name)(**options)
    assert isinstance(algorithm, Algorithm)
    search, rehearse = PROBLEMS[problem](algorithm, TRAININGS.get(name, FEW))
    journal = Journal.begin(folder / f"{time.monotonic_ns()}.jsonl", {}, durable=False)
    thinking = costs("charged", PlugIn(name)) if watch is None else watch
    began = time.perf_counter()
    Loop(search, journal, rehearse, thinking).run()
    journal.close()
    return time.perf_counter() - began, search.cell.budget_steps


CASES = [
    (name, problem)
    for problem in PROBLEMS
    for name in plugins.names("algorithms")
    if (name, problem) != ("grid", "mnist_cnn")  # which has too many parameters for it
]


@pytest.mark.benchmark(group="virtual clock: a search at 64 slots")
@pytest.mark.parametrize(("name", "problem"), CASES)
def test_loop(name: str, problem: str, tmp_path: Path, benchmark: Any) -> None:
    quick = name in TRAININGS
    if quick:
        run(name, problem, tmp_path, None)
    benchmark.pedantic(run, (name, problem, tmp_path, None), rounds=5 if quick else 1)
    reports = TRAININGS.get(name, FEW) * STEPS
    watch = Watch()
    seconds, _ = run(name, problem, tmp_path, watch)
    outside = 1 - watch.searcher / seconds
    print(
        f"\n{name} on {problem}: {reports / benchmark.stats['median']:,.0f} reports/s; outside "
        f"suggest and observe {outside:.0%} of the time, {watch.scheduler / seconds:.0%} of it in "
        "the scheduler"
    )


@pytest.mark.benchmark(group="Syne Tune's simulator: a search by 64 workers")
@pytest.mark.parametrize("name", ["random", "asha"])
def test_syne_tune(name: str, benchmark: Any) -> None:
    if not SYNE_TUNE.exists():
        pytest.skip(f"{SYNE_TUNE} is not there: make microbench")
    trials = {"random": 1000, "asha": 2500}[name]
    speeds = []

    def theirs() -> None:
        command = [str(SYNE_TUNE), str(SCRIPT), name, str(SLOTS), str(trials)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = json.loads(printed.splitlines()[-1])
        speeds.append(found["reports"] / found["seconds"])

    benchmark.pedantic(theirs, rounds=3)
    print(f"\nSyne Tune {name} on formula: {sorted(speeds)[1]:,.0f} reports/s")
