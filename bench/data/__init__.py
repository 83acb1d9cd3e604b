"""Datasets: brought in place by `bench data NAME`, checked, and only read by trainings.

A dataset is one file in this folder. It names its files with the SHA-256 that each must have
(`FILES`) and the places to get them from, in order (`SOURCES`). A file whose name ends in .gz is
kept as it is published: of some, only the checksum of that is known.
"""

import importlib
import os
import pkgutil
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from bench.data._files import is_right, place
from bench.data._sources import Source
from bench.errors import UserError, one_of

_BROKEN = (OSError, EOFError, zlib.error, HTTPException)
"""What reading from a source may raise."""


class Dataset(Protocol):
    """What the module of a dataset defines."""

    FILES: dict[str, str]
    """File name -> SHA-256 of what lies under that name."""
    SOURCES: Sequence[Source]


def root() -> Path:
    """Name the folder that holds one folder for each dataset: $BENCH_DATA, else ./data."""
    return Path(os.environ.get("BENCH_DATA") or "data")


def names() -> list[str]:
    """List the datasets there are."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def verify(name: str) -> Path:
    """Check, without network, that a dataset is in place and unaltered; return its folder.

    Cheap enough to be called for every trial (see `is_right`).

    Raises UserError that names the files and says what to do.
    """
    folder = root() / name
    if wrong := _wrong(folder, _dataset(name).FILES):
        raise UserError(
            f"dataset {name} is not in place: {_list(wrong)} missing or altered in "
            f"{folder.absolute()}; run `bench data {name}` where there is internet, or set "
            f"BENCH_DATA to the folder that holds {name}/"
        )
    return folder


def fetch(name: str, progress: bool = True) -> Path:
    """Bring a dataset in place and return its folder; does nothing if it is there and right.

    A missing or altered file comes from the first source that has it right: a .gz that lies in
    the folder, then the dataset's sources in order. It takes its name only when complete, on
    disk and checked: two processes may fetch at once, and a killed one leaves nothing wrong.

    Raises UserError that says why each source failed and how to bring the files by hand.
    """
    dataset, folder = _dataset(name), root() / name
    missing = _wrong(folder, dataset.FILES)
    failures = [f"{each} there but altered" for each in missing if (folder / each).exists()]
    if missing:
        _check_writable(folder)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bars:

        def bring(file: str, content: BinaryIO, size: int | None) -> None:
            with content, bars.wrap_file(content, total=size or 0, description=file) as counted:
                place(folder / file, dataset.FILES[file], counted)
            missing.remove(file)

        for file in [each for each in missing if (folder / f"{each}.gz").exists()]:
            try:
                path = folder / f"{file}.gz"
                bring(file, path.open("rb"), path.stat().st_size)
            except _BROKEN as problem:
                failures.append(f"{file}.gz there but {_why(problem)}")
        for source in dataset.SOURCES if missing else ():
            task = bars.add_task(str(source), total=None)
            try:
                with source.files() as open_file:
                    bars.remove_task(task)
                    for file in list(missing):
                        bring(file, *open_file(file))
                break
            except _BROKEN as problem:
                failures.append(f"{source}: {_why(problem)}")

    if missing:
        plain = "" if all(file.endswith(".gz") for file in dataset.FILES) else " (plain or .gz)"
        raise UserError(
            f"cannot fetch {name} ({'; '.join(failures)}): from a machine with internet, copy "
            f"{_list(list(dataset.FILES))}{plain} into {folder.absolute()}, or set "
            f"BENCH_DATA to the folder that holds {name}/; then run `bench data {name}` again, "
            "which checks them"
        )
    return folder


def _dataset(name: str) -> Dataset:
    if name not in names():
        raise UserError(f"no dataset {name!r}; {one_of(names())}")
    return cast(Dataset, importlib.import_module(f"bench.data.{name}"))


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise UserError(f"cannot write to {folder.absolute()}; set BENCH_DATA to another folder")


def _wrong(folder: Path, files: dict[str, str]) -> list[str]:
    return [file for file, sha256 in files.items() if not is_right(folder / file, sha256)]


def _why(problem: BaseException) -> str:
    reason = getattr(problem, "reason", problem)
    return " ".join((getattr(reason, "strerror", None) or str(reason) or repr(reason)).split())


def _list(files: list[str]) -> str:
    return ", ".join(files)
