"""What a report holds, for the page and the terminal to show."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bench.metrics._table import Table
from bench.report.answer import Given


@dataclass
class Report:
    """What has been written to `folder`."""

    folder: Path
    table: Table
    skipped: pd.DataFrame
    """key, gpus, why."""
    counts: dict[str, int]
    """Cells of the plan, by what became of them; they add up to the plan."""
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Each metric's small table."""
    answers: list[Given] = field(default_factory=list)
    audit: pd.DataFrame = field(default_factory=pd.DataFrame)
    """See bench.report.audit."""
    notes: list[str] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    """File name and how to read it."""
