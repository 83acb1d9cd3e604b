"""Target `parquet`: the tables cells, reports and trials, typed."""

from bench.export import _tables
from bench.export._source import Source


def write(source: Source, out: str) -> str:
    """Write cells.parquet, reports.parquet and trials.parquet into the new folder `out`."""
    save = lambda frame, path: frame.to_parquet(path, index=False)  # noqa: E731
    return _tables.write(source, out, "parquet", save)
