"""Reports a second of searches on the virtual clock, beside Syne Tune's simulator in the same run.

Four parameters, curves of nine steps from a formula, so that the engines are compared and not what
stands behind them; and mnist_cnn's recorded curves, with the surrogate. All with a journal on disk.
Syne Tune has an environment of its own, .venv/syne-tune, which `make microbench` builds.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bench import plugins
from bench.algorithm import Algorithm
from bench.engines._asked import Costs
from bench.engines._costs import costs
from bench.engines._loop import Loop
from bench.engines._simulation import search_of
from bench.journal import Journal
from bench.objective import Objective, Training

STEPS = 9
SLOTS = 64
TRAININGS = {"random": 2000, "asha": 2000, "hyperband": 1000, "grid": 1000}
"""Full trainings' worth of steps; of slower algorithms FEW."""
FEW = 60
SYNE_TUNE = Path(sys.prefix) / "syne-tune" / "bin" / "python"
SCRIPT = Path(__file__).parent / "syne_tune_speed.py"


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

    def start(self) -> float:
        return 0.0

    def seconds(self, step: int) -> float:
        return 1 + self._total / 7

    def step(self) -> dict[str, float]:
        self._steps += 1
        return {"loss": self._total + 1 / self._steps}


class InLibraries:
    """How long an algorithm's libraries take, at no virtual time."""

    def __init__(self, costs: Costs | None) -> None:
        self.seconds = 0.0

    def of(self, kind: Any, call: Any, *arguments: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        returned = call(*arguments)
        self.seconds += time.perf_counter() - began
        return returned, 0.0


def run(name: str, folder: Path, timed: bool) -> tuple[float, int, float]:
    """Seconds of a search, its reports, and the seconds in the algorithm's libraries."""
    options = {"resolution": 6} if name == "grid" else {}
    algorithm = plugins.load_class("algorithms", name)(**options)
    assert isinstance(algorithm, Algorithm)
    search = search_of(Formula(), algorithm, TRAININGS.get(name, FEW), SLOTS)
    journal = Journal(folder / f"{time.monotonic_ns()}.jsonl", {}, durable=False)
    libraries = InLibraries(None)
    began = time.perf_counter()
    Loop(search, journal, Rehearsed, libraries if timed else costs("charged", name)).run()
    journal.close()
    seconds = time.perf_counter() - began
    return seconds, search.cell.budget_steps, libraries.seconds


@pytest.mark.benchmark(group="virtual clock: a search at 64 slots, four parameters")
@pytest.mark.parametrize("name", plugins.names("algorithms"))
def test_loop(name: str, tmp_path: Path, benchmark: Any) -> None:
    run(name, tmp_path, timed=False)
    seconds, reports, _ = benchmark.pedantic(
        run, (name, tmp_path, False), rounds=5 if name in TRAININGS else 1
    )
    taken, _, in_libraries = run(name, tmp_path, timed=True)
    benchmark.extra_info["reports_per_second"] = reports / seconds
    benchmark.extra_info["share_outside_libraries"] = 1 - in_libraries / taken
    print(
        f"\n{name}: {reports / seconds:,.0f} reports/s; {1 - in_libraries / taken:.0%} of the time "
        "outside suggest, observe and decide"
    )


@pytest.mark.benchmark(group="Syne Tune's simulator: a search by 64 workers, four parameters")
@pytest.mark.parametrize("name", ["random", "asha"])
def test_syne_tune(name: str, benchmark: Any) -> None:
    if not SYNE_TUNE.exists():
        pytest.skip(f"{SYNE_TUNE} is not there: make microbench")
    trials = {"random": 1000, "asha": 2500}[name]

    def theirs() -> dict[str, Any]:
        command = [str(SYNE_TUNE), str(SCRIPT), name, str(SLOTS), str(trials)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return found

    found = benchmark.pedantic(theirs, rounds=3)
    benchmark.extra_info["reports_per_second"] = found["reports"] / found["seconds"]
    print(f"\nSyne Tune {name}: {found['reports'] / found['seconds']:,.0f} reports/s")
