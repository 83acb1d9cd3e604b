"""What there is to export: the cells that have ended, their reports, and their trials."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bench.cell import Cell
from bench.errors import UserError
from bench.export._trial import Trial, trials
from bench.journal import read
from bench.metrics._table import Table
from bench.report.table import load


@dataclass
class Source:
    """A suite's results, as the report uses them."""

    folder: Path
    table: Table
    cells: dict[str, Cell]
    """The plan's, by key: these are the user's own, a journal's header is a stranger's."""
    unused: dict[str, str] = field(default_factory=dict)
    """Files of planned cells that are not exported, and why."""

    @classmethod
    def of(cls, folder: Path, cells: list[Cell]) -> "Source":
        """Raises UserError where no cell has ended."""
        by_key = {cell.key: cell for cell in cells}
        table = load(folder, list(by_key))
        if table.cells.empty:
            raise UserError(
                f"no cell in {folder} has ended yet; `bench run SUITE` runs them, "
                "`bench status SUITE` says how each stands"
            )
        used = set(table.cells["file"])
        unused = {
            str(row.file): str(row.why)
            for row in table.problems.itertuples()
            if row.file not in used and row.what != "not in the plan"
        }
        return cls(folder, table, by_key, unused)

    @property
    def suite(self) -> str:
        return self.folder.name

    def why_unused(self) -> str:
        """The first reason, and how to see the others."""
        file, why = next(iter(self.unused.items()))
        return f"{file}: {why}" + ("; …: bench report" if len(self.unused) > 1 else "")

    def searches(self, keys: Collection[str] | None = None) -> Iterator[tuple[Any, list[Trial]]]:
        """Each row of `table.cells` (of `keys`) with its trials, one journal in memory at a time.

        One whose trials are not as they must be goes to `unused`.
        """
        for row in self.table.cells.itertuples():
            if keys is not None and row.key not in keys:
                continue
            try:
                found = trials(read(self.folder / f"{row.key}.jsonl"))
            except (KeyError, TypeError, ValueError) as error:
                self.unused[str(row.file)] = str(error)
                continue
            yield row, found


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that appears as `path` when it is complete, and else not at all.

    Raises UserError where something is there already: it may have been changed since by others.
    """
    refusal = UserError(
        f"{path} is there already, and nothing in it is touched: remove it, "
        "or give another folder with --out"
    )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise refusal
    import shutil
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    draft.chmod(0o755)
    try:
        yield draft
        try:
            draft.rename(path)  # refused where there are files by now
        except OSError:
            if path.exists():
                raise refusal from None
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def cell_facts(row: Any) -> dict[str, Any]:
    """What a cell is and how it ended: plain values, for the tags of another tool."""
    names = ["key", "objective", "algorithm", "engine", "clock", "device", "gpus", "gpus_per_trial"]
    names += ["seed", "budget", "max_steps", "status", "reason", "started", "machine", "commit"]
    facts = {name: _plain(getattr(row, name)) for name in names}
    if row.clock == "virtual":
        facts["virtual"] = f"simulated, never trained: {row.surrogate}; {row.error}"
    return facts


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def trials_frame(source: Source) -> pd.DataFrame:
    """One row per trial; a column `configuration.NAME` per parameter, empty where inactive."""
    rows = []
    for row, found in source.searches():
        for each in found:
            fixed = {"key": row.key, "trial": each.trial, "status": each.status}
            fixed |= {"steps": len(each.reports), "loss": each.loss}
            fixed |= {"started_seconds": each.started, "ended_seconds": each.ended}
            values = {f"configuration.{name}": value for name, value in each.configuration.items()}
            rows.append({**fixed, "error": each.error, **values})
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        frame[name] = _one_type(frame[name])
    return frame


def _one_type(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers stay numbers; a parameter that is a number here and text there is text."""
    kinds = set(map(type, column.dropna()))
    if kinds == {bool}:
        return column.astype("boolean")
    if kinds == {int}:
        return column.astype("Int64")
    if kinds <= {int, float}:
        return column.astype(float)
    return column.map(str, na_action="ignore").astype("string")
