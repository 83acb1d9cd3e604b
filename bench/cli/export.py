"""The verbs that hand results on: export, best."""

from typing import Annotated

import typer

from bench.cli.cells import RESULTS, Device, Folder, Gpus, Suite, planned


def export(
    suite: Suite,
    to: Annotated[str, typer.Option(help="csv, mlflow, optuna or parquet.")],
    out: Annotated[
        str | None,
        typer.Option(
            help="A folder that is not there yet, or an MLflow server's URI. "
            "Default: RESULTS/SUITE/export/TO"
        ),
    ] = None,
    gpus: Gpus = None,
    device: Device = None,
    results: Folder = RESULTS,
) -> None:
    """Write what was found in the form of another tool: Optuna, MLflow, Parquet, CSV."""
    from bench.export import write

    name, cells = planned(suite, gpus, device, results)
    print(f"{name}: {write(to, results / name, cells, out)}")
