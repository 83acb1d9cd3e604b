"""The verbs about learning curves: record, validate."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.cells import RESULTS, Device, Folder, Gpus, planned, run_all
from bench.cli.plugins import Options
from bench.errors import UserError


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
    to: Annotated[
        Path | None, typer.Option(help="The table. Default: suites/curves/OBJECTIVE-DEVICE.parquet")
    ] = None,
    results: Folder = RESULTS,
) -> None:
    """Train configurations all over an objective's space, and write their curves to a table.

    Killed, it goes on where it was with the same command.
    """
    from bench import curve_table, curves, machine, plugins, quality
    from bench.objective import Objective
    from bench.recording import record as recording
    from bench.results import Results
    from bench.surrogate import Surrogate

    made = plugins.of_user(objective, options or [])
    if not isinstance(made, Objective):
        raise UserError(f"{objective} is no objective")
    on = machine.default_device() if device is None else machine.check_device(device)
    path = Path(objective) if objective.endswith(".py") else None
    options_in_full = made.model_dump(mode="json")
    plugin = plugins.resolve("objectives", objective, path, options_in_full, made.overrides)
    file = to or curves.FOLDERS[0] / f"{plugin.name}-{on}.parquet"
    if file.exists() and not curves.is_of(file, plugin, on):
        raise UserError(f"{file} is of another objective or other options: give another file, --to")
    made.prepare()
    cells = recording.plan(plugin, configs, on, gpus or machine.count(on))
    planned_trainings = sum(cell.budget for cell in cells)
    there = len(curve_table.read(file).seeds) if file.exists() else 0
    if there > planned_trainings:
        raise UserError(
            f"{file} has {there} trainings, this would leave {planned_trainings}: more --configs, "
            "or another file, --to"
        )
    folder = Results(results / f"curves-{plugin.name}")
    run_all(cells, folder)
    recording.save(recording.table(cells, folder), file, at_least=there)
    recorded = curve_table.read(file)
    surrogate = Surrogate(recorded, plugin.name, made.worst_loss)
    print(f"{file}: {quality.quality(recorded, surrogate)}")
    recording.keep_kernels(file, surrogate.kernels())
    if missing := recording.missing(cells, folder):
        print(
            f"{missing} of {planned_trainings} trainings are missing: their cells did not end well"
        )
        raise SystemExit(1)


def validate(
    suite: Annotated[
        str, typer.Argument(help="Name of a suite in suites/, or path of a .toml file.")
    ] = "validate",
    gpus: Gpus = None,
    device: Device = None,
    results: Folder = RESULTS,
) -> None:
    """Run a suite's cells for real, replay them on the virtual clock, and say how far off that is.

    What it finds is kept beside the curves; every report of virtual cells shows it.
    """
    from rich.console import Console

    from bench import plugins
    from bench.results import Results

    name, cells = planned(suite, gpus, device)
    real = [cell for cell in cells if plugins.engine(cell.engine).clock == "wall"]
    if not real:
        raise UserError(f'{name} has no cell that runs for real: engines = ["ray"]')
    folder = Results(results / name)
    run_all(real, folder)
    from bench import validation  # which imports Ray: not before its engine is there

    written = validation.write(real, folder)
    validation.show(written, Console())
    if written.missing:
        raise SystemExit(1)
