"""Runs of `bench run`, whose journals a module's tests look at, and how they are disturbed."""

import subprocess
from pathlib import Path
from typing import Any

from conftest import cell_of, command, in_folder, records, run_bench, suite_text
from processes import none_left

from bench.journal import Record


class Run:
    """One of a suite, in `folder`; `engine` are the keys of the suite's engine."""

    def __init__(self, folder: Path, engine: dict[str, str], *arguments: Any, **keys: Any) -> None:
        environment = keys.pop("environment", {})
        lines = [f'{name} = "{value}"' for name, value in engine.items()]
        text = [suite_text(*arguments, **keys), "[[engines]]", *lines]
        (folder / "suite.toml").write_text("\n".join(text))
        self.folder = folder
        self.printed = self.again(**environment)
        self.records = records(folder)

    def again(self, **environment: str) -> Any:
        """Run the suite again."""
        command = ("run", "suite.toml", "--device", "cpu")
        return run_bench(self.folder, *command, TMPDIR=str(self.folder), **environment)

    def of(self, algorithm: str, fault: str = "") -> Record:
        """The only journal of an algorithm and a fault."""
        (record,) = [
            record
            for record in self.records
            if cell_of(record).algorithm.name == algorithm
            and cell_of(record).objective.options["fault"] == fault
        ]
        return record

    def leaves_nothing(self) -> None:
        """No process, and no file but those of the results."""
        assert none_left(self.folder)
        assert not list(self.folder.glob("bench-*")), "temporary folders"
        left = {path.name for path in (self.folder / "results/suite").iterdir()}
        assert left == {"attempts", "locks", *(record.path.name for record in self.records)}


def most_at_once(record: Record) -> int:
    """The most trials that ran at a time, of a search that pauses none."""
    running = most = 0
    for event in record.events:
        running += (event["event"] == "suggest") - (event["event"] == "finish")
        most = max(most, running)
    return most


def start(folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Begin a run of suite.toml, to be disturbed; what it says goes to `stderr` there."""
    return subprocess.Popen(
        command("run", "suite.toml", "--device", "cpu"),
        cwd=folder,
        env={**in_folder(), "TMPDIR": str(folder), **environment},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"),
        start_new_session=True,
    )


def cut(path: Path, events: int, torn: bytes = b"") -> None:
    """Leave a journal's header and so many events, and the beginning of another."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: 1 + events]) + torn)
