"""Suites of the toy objective, and the command line as users call it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from pictures import idx, write_cifar10, write_fashion_mnist

from bench.cell import Cell
from bench.data import cifar10, fashion_mnist, mnist
from bench.journal import Record, read

HERE = Path(__file__).parent
PLUGINS = HERE / "plugins"

# Hypothesis' own, but that a busy machine is slow and not wrong.
settings.register_profile(
    "patient", settings.get_profile("ci" if "CI" in os.environ else "default"), deadline=None
)
settings.load_profile("patient")

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
        timeout=880,
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


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 5,200 noisy images in MNIST's format: the digit d is a bright bar at column 2 d."""
    folder = tmp_path_factory.mktemp("data") / "mnist"
    folder.mkdir()
    generator = np.random.RandomState(0)
    for prefix, count in (("train", 5_200), ("t10k", 10)):
        labels = generator.randint(0, 10, count)
        images = generator.randint(0, 100, (count, 28, 28))
        images[np.arange(count), :, 2 * labels] = 255
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


@pytest.fixture
def checksums(digits: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let the synthetic digits be the data set `mnist`; give their checksums."""
    sums = {name: hashlib.sha256((digits / name).read_bytes()).hexdigest() for name in mnist.FILES}
    monkeypatch.setattr(mnist, "FILES", sums)
    monkeypatch.setenv("BENCH_DATA", str(digits.parent))
    return sums


@pytest.fixture(scope="session")
def clothes(digits: Path) -> Path:
    """Fashion-MNIST, tiny, beside the synthetic digits."""
    return write_fashion_mnist(digits.parent / "fashion_mnist")


@pytest.fixture(scope="session")
def things(digits: Path) -> Path:
    """CIFAR-10, tiny, beside the synthetic digits."""
    return write_cifar10(digits.parent / "cifar10")


@pytest.fixture
def pictures(
    checksums: dict[str, str], clothes: Path, things: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, str]]:
    """Let the tiny data sets be the real ones; give the checksums of each."""
    found = {"mnist": checksums}
    for module, folder in ((fashion_mnist, clothes), (cifar10, things)):
        sums = {f: hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in module.FILES}
        monkeypatch.setattr(module, "FILES", sums)
        found[folder.name] = sums
    return found


@pytest.fixture
def everywhere(
    pictures: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put the tiny data sets in the real ones' place, in this process and those that it starts."""
    patch = "\n".join(
        f"from bench.data import {name}\n{name}.FILES = {json.dumps(sums)}"
        for name, sums in pictures.items()
    )
    (tmp_path / "sitecustomize.py").write_text(patch)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(HERE.parent)]))
