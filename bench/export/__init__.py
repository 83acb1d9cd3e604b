"""What was found, for other tools: one file for each, and its name is the target's.

Reads the journals of a suite's own cells, never changes one, and writes only what is not there yet:
a new folder, or a new experiment of a tracking server. Search spaces come from the suite, never
from a journal: reading a stranger's runs no code.
"""

import importlib
from pathlib import Path

from bench.cell import Cell
from bench.errors import UserError, one_of

TARGETS = ["csv", "mlflow", "optuna", "parquet"]


def write(target: str, folder: Path, cells: list[Cell], out: str | None = None) -> str:
    """Export the cells that have ended; says what was written, and where.

    `folder` is results/<suite>/, `out` a folder that is not there yet (by default
    results/<suite>/export/<target>) or, for MLflow, a tracking server's URI. Raises UserError for
    an unknown target, where no cell has ended, and where something is there already.
    """
    if target not in TARGETS:
        raise UserError(f"--to {target}: {one_of(TARGETS)}")
    from bench.export._source import Source

    source = Source.of(folder, cells)
    module = importlib.import_module(f"bench.export.{target}")
    where = out or str(folder / "export" / target)
    try:
        written: str = module.write(source, where)
    except OSError as error:
        raise UserError(f"cannot write {where}: {error.strerror or error}") from None
    unused = len(source.unused)
    return written + (f"; not exported: {unused} cells ({source.why_unused()})" if unused else "")
