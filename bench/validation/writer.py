"""Writes results/<suite>/validation/: errors pair by pair and summed up, and how they look."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench import known_error
from bench.cell import Cell
from bench.errors import UserError
from bench.results import Results
from bench.validation.errors import ERRORS, Pair, errors, pairs, targets
from bench.validation.figure import draw
from bench.validation.replay import PARTS
from bench.validation.summary import CHANCE, summary

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Validation:
    """Where it was written, the summary of each table, and how many cells are not complete."""

    folder: Path
    summaries: dict[str, pd.DataFrame]
    missing: int


def write(cells: list[Cell], results: Results) -> Validation:
    """Compare the complete ones of these cells with their replays.

    What it finds is kept beside the curves if all cells are complete.
    """
    found = pairs(cells, results)
    frame, goals = errors(found), targets(found)
    folder = results.folder / "validation"
    written = Validation(folder, {}, missing=len(cells) - len(found))
    try:
        folder.mkdir(exist_ok=True)
        _csv(frame, folder / "pairs.csv")
        for path, goal in goals.items():
            of_table = frame[frame["table"] == path.stem]
            table = written.summaries[path.stem] = summary(of_table)
            _csv(table, folder / f"errors-{path.stem}.csv")
            of = [pair for pair in found if pair.table == path]
            if not written.missing:
                known_error.keep(path, table, _cells(of), _machines(of))
            draw(of, goal["target"], known_error.sentence_of(path)).savefig(
                folder / f"{path.stem}.png"
            )
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from None
    return written


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def _cells(found: list[Pair]) -> str:
    """Which searches were compared."""
    algorithms = dict.fromkeys(pair.cell.algorithm.name for pair in found)
    counts = sorted({pair.cell.gpus for pair in found})
    seeds = {pair.cell.seed for pair in found}
    return (
        f"{', '.join(algorithms)} at {', '.join(map(str, counts))} on {found[0].cell.device}, "
        f"{len(seeds)} seeds, budget {found[0].cell.budget}"
    )


def _machines(found: list[Pair]) -> str:
    """Where the real ones ran."""
    return " and ".join(dict.fromkeys(pair.machine for pair in found))


def show(written: Validation, console: "Console") -> None:
    """The summary, on a terminal."""
    from rich.table import Table

    replayed = {CHANCE: "nothing: the real searches against real ones of other seeds", **PARTS}
    for name, frame in written.summaries.items():
        table = Table(title=f"{name}: virtual against real", title_justify="left")
        for head in ("what is replayed", "of", "median size", "95 % interval", "bias", "n"):
            table.add_column(head)
        for row in frame.to_dict("records"):
            missed = f" ({row['missed']} reached by one only)" if row["missed"] else ""
            table.add_row(
                replayed[row["part"]],
                ERRORS[row["error"]],
                _percent(row["median"]),
                f"{_percent(row['low'])} to {_percent(row['high'])}",
                _percent(row["bias"]),
                f"{row['n']}{missed}",
            )
        console.print(table)
    if written.missing:
        console.print(
            f"{written.missing} cells are not complete: what was found is not kept", highlight=False
        )
    console.print(f"plots and tables: {written.folder}", highlight=False)


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}" if math.isfinite(value) else "unbounded"
