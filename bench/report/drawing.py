"""Draws a report's figures: those of a large suite in other processes, beside the computing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pandas as pd

from bench import machine, plugins
from bench.metrics import Metric
from bench.metrics._table import Table
from bench.process import pool

LARGE = 1_000_000
"""Reports, from which on computing the metrics takes longer than starting the processes."""

Draw = Callable[[str, pd.DataFrame, Path], object]


@contextmanager
def drawing(table: Table) -> Iterator[Draw]:
    """A function that draws rows of a metric's small table as a PNG: all are there at the end."""
    if len(table.reports) < LARGE or machine.cores() == 1:
        yield _draw
        return
    with pool(machine.cores()) as processes:
        begun = []
        yield lambda name, rows, path: begun.append(processes.submit(_draw, name, rows, path))
        for each in begun:
            each.result()


def _draw(name: str, rows: pd.DataFrame, path: Path) -> None:
    from bench.metrics._style import side_by_side

    metric = cast(Metric, plugins.load_module("metrics", name))
    metric.draw(side_by_side(rows)).savefig(path, metadata={"Software": None})
