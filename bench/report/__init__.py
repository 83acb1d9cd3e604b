"""The report: reads journals, never changes one, and writes results/<suite>/report/."""

from bench.report.writer import Report, write

__all__ = ["Report", "write"]
