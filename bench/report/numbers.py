"""The summary as rows of text, for the terminal and for report.md."""

import math
from typing import Any

import pandas as pd

from bench.metrics._table import SETTING


def summary_rows(summary: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Head and rows; the columns of a setting are there only where they differ between rows."""
    shown = [column for column in SETTING if column != "error"]
    varying = [column for column in shown if summary[column].nunique() > 1]
    devices = set(summary["device"])
    unit = "cores" if devices == {"cpu"} else "GPUs" if "cpu" not in devices else "GPUs/cores"
    clock = (
        "" if set(summary["clock"]) == {"wall"} else f" ({'/'.join(sorted(set(summary['clock'])))})"
    )
    head = [
        *[*varying, "algorithm", unit, "n", "final loss", "95 % interval", "accuracy", "trials"],
        *["steps", f"seconds{clock}", "to target", "utilisation", "optimiser", "failed trials"],
    ]
    return head, [
        [*(str(getattr(row, column)) for column in varying), *_row(row)]
        for row in summary.itertuples()
    ]


def _row(row: Any) -> list[str]:
    n = f"{row.n}" if row.complete == row.n else f"{row.complete} of {row.n}"
    missing = math.isinf(row.seconds_to_target)
    return [
        str(row.algorithm),
        str(row.gpus),
        n,
        _number(row.final_loss),
        "-" if math.isnan(row.low) else f"{_number(row.low)} to {_number(row.high)}",
        _percent(row.accuracy),
        _number(row.trials),
        _number(row.steps),
        _number(row.wall_seconds),
        f"{row.reached_target} of {row.n} did" if missing else _number(row.seconds_to_target),
        _percent(row.utilisation),
        _percent(row.optimiser_share),
        str(row.failed_trials),
    ]


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"
