"""The verbs about learning curves: record."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.cells import RESULTS, Device, Folder
from bench.cli.plugins import Options
from bench.errors import UserError

CURVES = Path("suites/curves")


def record(
    objective: Annotated[str, typer.Argument(help="Name of an objective, or path of a .py file.")],
    options: Options = None,
    configs: Annotated[
        int, typer.Option(min=1, help="Configurations to train, besides the space's corners.")
    ] = 400,
    gpus: Annotated[
        int | None, typer.Option(min=1, help="Trainings at once. Default: what this machine has.")
    ] = None,
    device: Device = None,
    results: Folder = RESULTS,
) -> None:
    """Train configurations all over an objective's space, and write their curves to a table.

    Killed, it goes on where it was with the same command.
    """
    from rich.console import Console

    from bench import machine, plugins
    from bench.objective import Objective
    from bench.progress import Display
    from bench.recording import record as recording
    from bench.results import Results
    from bench.run import run_cells

    made = plugins.of_user(objective, options or [])
    if not isinstance(made, Objective):
        raise UserError(f"{objective} is no objective")
    on = machine.default_device() if device is None else machine.check_device(device)
    path = Path(objective) if objective.endswith(".py") else None
    plugin = plugins.resolve("objectives", objective, path, made.model_dump(mode="json"))
    cells = recording.plan(plugin, configs, on, gpus or machine.count(on))
    folder = Results(results / f"curves-{plugin.name}")
    display = Display(Console(stderr=True), cells)
    with display.live():
        for outcome in run_cells(cells, folder, display):
            display.over(outcome)
    file = CURVES / f"{plugin.name}-{on}.parquet"
    recording.save(recording.table(cells, folder), file)
    print(f"{file}")
