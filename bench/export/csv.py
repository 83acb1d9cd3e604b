"""Target `csv`: the tables cells, reports and trials; text that is a formula is quoted."""

from functools import partial

from bench.export import _tables
from bench.export._source import Source
from bench.report.spreadsheet import to_csv


def write(source: Source, out: str) -> str:
    """Write cells.csv, reports.csv and trials.csv into the new folder `out`."""
    return _tables.write(source, out, "csv", partial(to_csv, digits=None))
