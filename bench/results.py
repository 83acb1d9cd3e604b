"""A suite's folder of journals: where each is, and the state of each cell."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.journal import FORMAT, Record, end_of, read
from bench.lock import CellLock

State = Literal["done", "failed", "running", "unfinished", "skipped", "pending"]


@dataclass(frozen=True)
class Results:
    """The folder results/<suite>/: a journal per cell.

    Below it are locks, attempts that were set aside, and the states of trials in flight.
    """

    folder: Path

    def create(self) -> None:
        try:
            for folder in (self.folder, self.folder / "locks", self.folder / "attempts"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot write {self.folder}: {error.strerror}; choose another folder with "
                "--results"
            ) from None

    def journal(self, cell: Cell) -> Path:
        return self.folder / f"{cell.key}.jsonl"

    def resources(self) -> set[tuple[str, int]]:
        """The (device, GPU count) of the cells that have a journal here, by their headers."""
        found = set()
        for path in self.folder.glob("*.jsonl"):
            try:
                with path.open("rb") as file:
                    cell = json.loads(file.readline())["cell"]
                found.add((str(cell["device"]), int(cell["gpus"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # the report names what cannot be read
        return {each for each in found if each[0] in ("cpu", "cuda") and each[1] > 0}

    def lock(self, cell: Cell) -> CellLock:
        return CellLock(self.folder / "locks" / cell.key)

    def states(self, cell: Cell) -> Path:
        """Where the trials of a cell keep their states while they are in flight."""
        return self.folder / "states" / cell.key

    def interrupted(self, cell: Cell) -> Record | None:
        """The journal of a cell that was begun and can be resumed, if there is one."""
        path = self.journal(cell)
        if not plugins.engine(cell.engine).resumes or not path.exists():
            return None
        record = read(path)
        whole = record.problem is None and record.end is None
        return record if whole and record.header["format"] == FORMAT else None

    def set_aside(self, cell: Cell) -> None:
        """Move an unfinished or failed journal to attempts/, where nothing overwrites it."""
        path = self.journal(cell)
        shutil.rmtree(self.states(cell), ignore_errors=True)
        if not path.exists():
            return
        number = 1
        while (aside := self.folder / "attempts" / f"{cell.key}.{number}.jsonl").exists():
            number += 1
        try:
            path.rename(aside)
        except OSError as error:
            raise UserError(f"cannot move {path} to attempts/: {error.strerror}") from None

    def state(self, cell: Cell) -> tuple[State, str]:
        """How a cell stands, and why."""
        path = self.journal(cell)
        if (end := end_of(path)) is not None:
            reason = str(end.get("reason", ""))
            return ("done" if end.get("status") == "completed" else "failed"), reason
        holder = self.lock(cell).held_by()
        if holder is not None:
            return "running", str(holder)
        if path.exists():
            record = read(path)
            steps = sum(event["event"] == "report" for event in record.events)
            found = record.problem or f"{steps} of {cell.budget_steps} steps are in its journal"
            how = "starts it anew" if self.interrupted(cell) is None else "goes on with it"
            return "unfinished", f"{found}; the next `bench run` {how}"
        why_not = cannot_run(cell)
        return ("skipped", why_not) if why_not else ("pending", "")


def cannot_run(cell: Cell) -> str | None:
    """Why a cell cannot run on this machine, or None."""
    if cell.slots < 1:
        return f"gpus_per_trial = {cell.gpus_per_trial:g} is more than the cell's {cell.gpus}"
    return plugins.engine(cell.engine).why_not(cell)
