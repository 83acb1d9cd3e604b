"""Prints, below pytest-benchmark's tables, what a benchmark derives from its times."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    for benchmark in config._benchmarksession.benchmarks:
        for name, value in benchmark.extra_info.items():
            terminalreporter.write_line(f"{benchmark.name}: {name} = {value:.4g}")
