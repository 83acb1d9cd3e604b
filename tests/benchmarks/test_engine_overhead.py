"""64 trials of exactly 1 s on 2 slots: ideally 32 s. Ours against a plain Tuner, in one run.

The plain one is what Ray Tune's guide shows: a function trainable, default settings, no journal.
Ray runs already in both; start-up and end of the trials' processes count.
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bench import machine, plugins
from bench.cell import Cell
from bench.engine import Attempt
from bench.journal import Journal, read

SLOTS, TRIALS, SECONDS = 2, 64, 1.0
PLUGINS = Path(__file__).parent.parent / "plugins"
GROUP = f"{TRIALS} trials of {SECONDS:g} s on {SLOTS} slots (ideal: {TRIALS * SECONDS / SLOTS:g} s)"

pytestmark = [
    pytest.mark.benchmark(group=GROUP),
    pytest.mark.skipif(machine.cores() < SLOTS, reason=f"needs {SLOTS} cores"),
]


def cell(budget: int, seed: int) -> Cell:
    toy = plugins.resolve(
        "objectives", None, PLUGINS / "toy.py", {"max_steps": 1, "seconds": SECONDS}
    )
    random = plugins.resolve("algorithms", "random", None, {})
    return Cell(toy, random, "ray", "cpu", SLOTS, 1.0, seed, budget, max_steps=1)


def efficiency(benchmark: Any) -> None:
    wall = benchmark.stats.stats.max
    benchmark.extra_info["efficiency"] = TRIALS * SECONDS / SLOTS / wall


def test_bench_run(benchmark: Any, tmp_path: Path) -> None:
    engine_class = plugins.load_module("engines", "ray").Engine
    with engine_class() as engine:

        def run(budget: int, seed: int) -> None:
            this = cell(budget, seed)
            search = engine.prepare(this)
            header = {"key": this.key, "cell": this.as_json(), **search.header()}
            journal = Journal.begin(tmp_path / f"{this.key}.jsonl", header)
            engine.run(search, Attempt(journal, lambda event: None, tmp_path / "states"))
            journal.close()

        run(2, 1)  # starts Ray
        benchmark.pedantic(run, args=(TRIALS, 0), rounds=1)
    record = read(tmp_path / f"{cell(TRIALS, 0).key}.jsonl")
    reports = [event for event in record.events if event["event"] == "report"]
    assert len(reports) == TRIALS
    efficiency(benchmark)
    up = reports[0]["seconds"] - reports[0]["step_seconds"] - reports[0]["setup_seconds"]
    steady = TRIALS * SECONDS / SLOTS / (reports[-1]["seconds"] - up)
    benchmark.extra_info |= {"processes_up_after_seconds": up, "efficiency_once_up": steady}


@pytest.mark.parametrize("reuse_actors", [False, True])
def test_plain_tuner(benchmark: Any, tmp_path: Path, reuse_actors: bool) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import tune

    def trainable(config: dict[str, Any]) -> None:
        time.sleep(SECONDS)
        tune.report({"loss": (config["x"] - 0.3) ** 2})

    def run(samples: int) -> None:
        results = tune.Tuner(
            trainable,
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(
                metric="loss", mode="min", num_samples=samples, reuse_actors=reuse_actors
            ),
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        ).fit()
        assert len(results) == samples and not results.num_errors

    ray.init(
        address="local",
        num_cpus=SLOTS,
        num_gpus=0,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _node_ip_address="127.0.0.1",
    )
    try:
        run(2)
        benchmark.pedantic(run, args=(TRIALS,), rounds=1)
    finally:
        ray.shutdown()
    efficiency(benchmark)
