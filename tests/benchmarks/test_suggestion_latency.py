"""How long each algorithm takes to suggest and to observe, on the sixteen parameters of mnist_cnn.

Each algorithm is measured in a process of its own (see _latency.py); when it is done, its rows in
bench/engines/suggestion-latency.csv are replaced. An algorithm that asks another's searcher, and
differs from it in the scheduler only, is not measured: the other's rows name it.
"""

import json
import statistics
import subprocess
import sys
from functools import cache
from typing import Any

import pandas as pd
import pytest

from bench import plugins
from bench.algorithm import effective_settings
from bench.audit.landscape import MnistSpace
from bench.provenance import provenance
from benchmarks._latency import OBSERVATIONS, OPTIONS, Pair, built, problem
from benchmarks.plot_suggestion_latency import FIGURES

LIBRARIES = ("ray", "optuna", "cmaes", "HEBO", "hpbandster", "bayesian-optimization", "torch")
GROUP = f"suggestion latency: all measurements of an algorithm; the figures are in {FIGURES.name}"


@cache
def measured_as() -> dict[str, str]:
    """The algorithm that is measured for each: itself, or one that asks the same searcher.

    The same is one of the same class with the same effective settings; the one that is measured is
    that whose scheduler only lets trials run, or else the first.
    """
    found: dict[str, str] = {}
    searchers: list[tuple[str, dict[str, Any]]] = []
    built_all = {
        name: built(name, **OPTIONS.get(name, {})).ray(problem(MnistSpace()))
        for name in plugins.names("algorithms")
    }
    first_in_first_out = {
        name: type(scheduler).__name__ == "FIFOScheduler"
        for name, (_, scheduler) in built_all.items()
    }
    for name in sorted(built_all, key=lambda name: not first_in_first_out[name]):
        settings = effective_settings(built_all[name][0])
        same = (other for other, its in searchers if its == settings)
        found[name] = next(same, name)
        searchers.append((name, settings))
    return found


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("name", plugins.names("algorithms"))
def test_suggestion_latency(name: str, benchmark: Any) -> None:
    if reason := built(name, **OPTIONS.get(name, {})).refuse(MnistSpace(), 2 * max(OBSERVATIONS)):
        pytest.skip(f"{name}: {reason}")
    if (same := measured_as()[name]) != name:
        pytest.skip(f"{name} asks the searcher of {same}, with the same settings")
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks._latency", name]
    command += map(str, OBSERVATIONS)
    printed = benchmark.pedantic(
        lambda: subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True), rounds=1
    )
    others = [other for other, its in measured_as().items() if its == name and other != name]
    lines = [json.loads(line) for line in printed.stdout.splitlines() if line.startswith("{")]
    assert [line["observations"] for line in lines] == list(OBSERVATIONS)
    rows = [row(name, others, line["observations"], line["pairs"]) for line in lines]
    save(name, rows)
    for each in rows:
        benchmark.extra_info[f"suggest_ms_at_{each['observations']}"] = each["suggest_median_ms"]


def row(name: str, others: list[str], observations: int, pairs: list[Pair]) -> dict[str, Any]:
    made = provenance()
    versions = [f"{library} {made['packages'][library]}" for library in LIBRARIES]
    suggest, observe = ([1000 * seconds for seconds in each] for each in zip(*pairs, strict=True))
    return {
        "algorithm": name,
        "also": " ".join(others),
        "observations": observations,
        "measurements": len(pairs),
        "suggest_median_ms": statistics.median(suggest),
        "suggest_p95_ms": p95(suggest),
        "observe_median_ms": statistics.median(observe),
        "observe_p95_ms": p95(observe),
        "machine": f"{made['machine']['cpu_model']}, cores: {made['machine']['cores']}",
        "versions": ", ".join([f"Python {made['python']}", *versions]),
    }


def p95(values: list[float]) -> float:
    """The least value that 95 % of the values do not exceed; of fewer than 20 the greatest."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]


def save(name: str, rows: list[dict[str, Any]]) -> None:
    """Replace the rows of an algorithm."""
    table = pd.DataFrame(rows)
    if FIGURES.exists():
        before = pd.read_csv(FIGURES, keep_default_na=False)
        table = pd.concat([before[before["algorithm"] != name], table])
    table = table.sort_values(["algorithm", "observations"])
    table.to_csv(FIGURES, index=False, float_format="%.4g")
