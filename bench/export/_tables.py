"""The tables cells, reports and trials, as files of one kind."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from bench.export._source import Source, new_folder, trials_frame


def write(source: Source, out: str, kind: str, save: Callable[[pd.DataFrame, Path], None]) -> str:
    """One file for each table in the new folder `out`."""
    table = source.table
    tables = {"cells": table.cells, "reports": table.reports, "trials": trials_frame(source)}
    with new_folder(Path(out)) as folder:
        for name, frame in tables.items():
            save(frame, folder / f"{name}.{kind}")
    sizes = ", ".join(f"{name} ({len(frame):,} rows)" for name, frame in tables.items())
    return f"{sizes} in {out}"
