"""The report: reads journals, never changes one, and writes results/<suite>/report/."""

from bench.report.contents import Report
from bench.report.writer import write

__all__ = ["Report", "write"]
