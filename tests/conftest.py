"""Suites of the toy objective, and the command line as users call it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.cell import Cell
from bench.journal import Record, read

HERE = Path(__file__).parent
PLUGINS = HERE / "plugins"

WriteSuite = Callable[..., Path]


def suite_text(
    algorithms: Sequence[str | dict[str, Any]] = ("random",),
    toys: Sequence[dict[str, Any]] = ({},),
    **keys: Any,
) -> str:
    """A suite of toy objectives with these options; keywords replace its keys."""
    keys = {"budget": 3, "seeds": 1, "gpus": [1], **keys}
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    tables = [("objectives", {"path": str(PLUGINS / "toy.py"), **toy}) for toy in toys]
    tables += [
        ("algorithms", {"name": each} if isinstance(each, str) else each) for each in algorithms
    ]
    for kind, table in tables:
        lines += [f"[[{kind}]]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    return "\n".join(lines)


@pytest.fixture
def write_suite(tmp_path: Path) -> WriteSuite:
    """Write suite.toml with `suite_text`'s arguments."""

    def write(*arguments: Any, **keys: Any) -> Path:
        path = tmp_path / "suite.toml"
        path.write_text(suite_text(*arguments, **keys))
        return path

    return write


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `bench ARGUMENTS` in a process of its own, in the test's folder."""
    return partial(run_bench, tmp_path)


def run_bench(
    folder: Path, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env={**in_folder(), **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "bench", *map(str, arguments)]


def in_folder() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE.parent), "BENCH_RESULTS": "results"}


def records(tmp_path: Path) -> list[Record]:
    """The suite's journals, in the order of their names."""
    return [read(path) for path in sorted((tmp_path / "results" / "suite").glob("*.jsonl"))]


def cell_of(record: Record) -> Cell:
    return Cell.from_json(record.header["cell"])


def of_kind(record: Record, event: str) -> list[dict[str, Any]]:
    return [each for each in record.events if each["event"] == event]
