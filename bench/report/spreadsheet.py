"""Tables as CSV that a spreadsheet can open without running what a stranger wrote."""

from pathlib import Path

import pandas as pd


def to_csv(frame: pd.DataFrame, path: Path, digits: str | None = "%.10g") -> None:
    """Text that a spreadsheet would take for a formula is quoted; digits None: all there are."""
    shown = frame.copy()
    for column in shown.columns[[not pd.api.types.is_numeric_dtype(t) for t in shown.dtypes]]:
        quoted = shown[column].astype(str).str.replace(r"^(?=[=+@-])", "'", regex=True)
        shown[column] = quoted.where(shown[column].notna(), "")
    shown.to_csv(path, index=False, float_format=digits, lineterminator="\n")
