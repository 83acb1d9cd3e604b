"""Metrics: one file each; the file's name is the metric's name, names with `_` are shared parts.

A metric turns the table of all journals into a small table, and draws that small table.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.metrics._table import Table


class Metric(Protocol):
    """What a file in bench/metrics/ holds."""

    FIGURES: Sequence[str]
    """Columns of the small table: one figure for each combination of their values."""
    READING: str
    """How to read the figure, in a sentence."""
    # One that says something of a difference names its column of the table of cells, in
    # ONLY_IF_SEVERAL: it is in no report in which that column has one value.

    def compute(self, table: "Table") -> "pd.DataFrame":
        """The small table; pure. `n` says how many cells each row is made of."""

    def draw(self, frame: "pd.DataFrame") -> "Figure":
        """Draw the rows of one figure, from the small table alone."""

    def notes(self, frame: "pd.DataFrame") -> list[str]:
        """What a reader must know to trust the figures (e.g. the reference), in sentences."""
