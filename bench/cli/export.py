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


def best(
    suite: Suite,
    by_algorithm: Annotated[
        bool, typer.Option("--by-algorithm", help="The best of each algorithm, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of TOML.")] = False,
    gpus: Gpus = None,
    device: Device = None,
    results: Folder = RESULTS,
) -> None:
    """Print the best configuration found for each objective, and where it is from.

    What was found on the virtual clock was never trained, and is shown apart.
    """
    import json

    from bench.export._source import Source
    from bench.export.best import as_toml
    from bench.export.best import best as find

    name, cells = planned(suite, gpus, device, results)
    found = find(Source.of(results / name, cells), by_algorithm)
    print(json.dumps(found, indent=2, ensure_ascii=False) if as_json else as_toml(found))
