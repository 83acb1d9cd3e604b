"""The verbs that work on a suite's cells: plan, run, status, report."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError

if TYPE_CHECKING:
    from bench import machine
    from bench.cell import Cell
    from bench.results import Results
    from bench.run import Outcome, Retry

SUITE_HELP = "Name of a suite in suites/, or path of a .toml file."
Suite = Annotated[str, typer.Argument(help=SUITE_HELP)]
Gpus = Annotated[
    str | None,
    typer.Option(help="GPU counts: N for 1, 2, 4, … up to N, or a list like 1,3. On CPU: cores."),
]
Device = Annotated[str | None, typer.Option(help="cpu or cuda. Default: what this machine has.")]
Folder = Annotated[
    Path, typer.Option("--results", envvar="BENCH_RESULTS", help="Where the results are.")
]
RESULTS = Path("results")


def plan(
    suite: Suite,
    gpus: Gpus = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per cell.")] = False,
    results: Folder = RESULTS,
) -> None:
    """Print a suite's cells in the order of their indices, and what they will cost.

    GPU-hours come from a pilot: the journals of the same objectives that are in the results.
    """
    name, cells = planned(suite, gpus, device)
    if as_json:
        from bench.slurm import plans

        for line in plans.lines(cells, name):
            print(line)
        return
    from bench import plugins
    from bench.estimate import estimate
    from bench.suite import remarks
    from bench.tables import estimate_table, plan_table, remark_lines

    options = [("--gpus", gpus), ("--device", device)]
    given = [part for name, value in options if value is not None for part in (name, value)]
    print(plan_table(cells))
    print()
    virtual = sum(plugins.engine(cell.engine).clock == "virtual" for cell in cells)
    if virtual < len(cells):
        print(estimate_table(estimate(cells, results), shlex.join(["bench", "run", suite, *given])))
    if virtual:
        print(f"{virtual:,} cells are virtual: they need no GPU, but seconds of these cores")
    if known := remarks(cells):
        print()
        print(remark_lines(known))


def run(
    suite: Annotated[str | None, typer.Argument(help=f"{SUITE_HELP} None with --plan.")] = None,
    gpus: Gpus = None,
    device: Device = None,
    index: Annotated[
        int | None, typer.Option(min=0, help="Run only the cell of this index in the plan.")
    ] = None,
    cells: Annotated[
        str | None, typer.Option(help="Run only cells whose key matches, e.g. '*-tpe-*-s0-*'.")
    ] = None,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            envvar="BENCH_RETRY_FAILED",
            help="Run cells that ended as failed again.",
        ),
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Run unfinished and failed cells from their start.")
    ] = False,
    plan: Annotated[
        Path | None,
        typer.Option(help="Run line --index of a frozen plan, as a job of a SLURM array does."),
    ] = None,
    results: Folder = RESULTS,
) -> None:
    """Run the cells of a suite that are not finished; those that were begun go on."""
    if plan is not None:
        name, chosen = _of_plan(plan, index, [suite, gpus, device, cells])
    elif suite is None:
        raise UserError("run what? bench run SUITE, or bench run --plan FILE --index I")
    else:
        name, all_cells = planned(suite, gpus, device)
        chosen = choose(all_cells, index, cells)
    folder = _results(results, name)
    retry: Retry = "anew" if anew else "failed" if retry_failed else "no"
    outcomes = run_all(chosen, folder, retry)
    states = [outcome.state for outcome in outcomes]
    ran = sum(outcome.ran for outcome in outcomes)
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    print(f"{name}: {len(chosen)} cells: {counts}; {ran} ran now; journals in {folder.folder}")
    if "failed" in states or not {"done", "running"} & set(states):
        raise SystemExit(1)


def run_all(cells: "list[Cell]", folder: "Results", retry: "Retry" = "no") -> "list[Outcome]":
    """Run cells and show how they go on; Ctrl-C ends the program, and says how to go on.

    So does a signal to leave, with an exit status of its own.
    """
    from rich.console import Console

    from bench.progress import Display
    from bench.run import run_cells
    from bench.signals import EXIT_STATUS, Leaving

    leaving, outcomes = Leaving(), []
    display = Display(Console(stderr=True), cells, leaving.check)
    try:
        with leaving, display.live():
            for outcome in run_cells(cells, folder, display, retry):
                display.over(outcome)
                outcomes.append(outcome)
                leaving.check()
    except KeyboardInterrupt:
        done = sum(folder.state(cell)[0] == "done" for cell in cells)
        again = shlex.join(sys.argv)
        how = f"left for {leaving.asked}" if leaving.asked else "interrupted"
        print(f"{how}: {done} of {len(cells)} cells are done; go on with: {again}")
        raise SystemExit(EXIT_STATUS if leaving.asked else 130) from None
    return outcomes


def status(
    suite: Suite, gpus: Gpus = None, device: Device = None, results: Folder = RESULTS
) -> None:
    """Say which cells are done, unfinished, failed, running, skipped or pending, and why.

    Where there is SLURM, what was submitted is looked up in its queue.
    """
    from bench.slurm import jobs
    from bench.slurm.states import standings
    from bench.tables import status_table

    name, cells = planned(suite, gpus, device, results)
    folder = _results(results, name)
    found = standings(cells, folder)
    table = [(each.cell, each.state, each.why) for each in found]
    print(status_table(table, colour=sys.stdout.isatty()))
    site = jobs.last_site(folder.folder)
    if site is not None and (missing := sum(each.open for each in found)):
        again = shlex.join(["bench", "submit", suite, "--site", site])
        print(f"{missing} are neither finished nor in the queue: {again}")


def report(
    suite: Suite, gpus: Gpus = None, device: Device = None, results: Folder = RESULTS
) -> None:
    """Read the journals and write tables and plots to results/SUITE/report/."""
    from bench.report import write
    from bench.report.terminal import show
    from bench.slurm import jobs

    name, cells = planned(suite, gpus, device, results)
    folder = _results(results, name)
    states = [(cell, *folder.state(cell)) for cell in cells]
    elsewhere = jobs.resources(folder.folder)  # what is submitted need not fit this machine
    skipped = [
        (cell, reason)
        for cell, state, reason in states
        if state == "skipped" and (cell.device, cell.gpus) not in elsewhere
    ]
    written = write(folder.folder, cells, skipped, suite)
    from rich.console import Console

    show(written, Console())


def planned(
    name: str,
    gpus: str | None,
    device: str | None = None,
    results: Path | None = None,
    most: int | None = None,
) -> "tuple[str, list[Cell]]":
    """The suite's name and its cells for the GPU counts asked for, the suite's or the machine's.

    With `most`, that many instead of what the machine has. With `results`, and unless the user
    said which, those that were submitted instead of the machine's, and all that have a journal.
    """
    from bench import machine, suite

    path = suite.find(name)
    on = machine.default_device() if device is None else machine.check_device(device)
    if gpus is not None:
        counts = counts_of(gpus)
    else:
        counts = suite.load(path).gpus or suite.doubling(most or max(machine.count(on), 1))
    if results is None or gpus is not None:
        return path.stem, suite.plan(path, counts, on)
    return path.stem, _there_or_planned(path, counts, on, device, results)


def _there_or_planned(
    path: Path, counts: list[int], on: "machine.Device", device: str | None, results: Path
) -> "list[Cell]":
    from bench import machine, suite
    from bench.slurm import jobs

    folder = _results(results, path.stem)
    expected = {str(on): counts}
    submitted = {each for each in jobs.resources(folder.folder) if device in (None, each[0])}
    if submitted:
        own = suite.load(path).gpus or []
        expected = {
            each: [*dict.fromkeys([*own, *sorted(n for d, n in submitted if d == each)])]
            for each, _ in submitted
        }
    cells = []
    for each, numbers in sorted(expected.items()):
        cells += suite.plan(path, numbers, machine.check_device(each))
    for other, count in sorted(folder.resources()):
        if device in (None, other) and count not in expected.get(other, []):
            more = suite.plan(path, [count], machine.check_device(other))
            cells += [cell for cell in more if folder.journal(cell).exists()]
    return cells


def counts_of(text: str) -> list[int]:
    from bench.suite import doubling

    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--gpus {text}: legal: a count like 8 (1, 2, 4, 8), or a list like 1,3")
    return [int(part) for part in parts] if len(parts) > 1 else doubling(int(text))


def choose(cells: "list[Cell]", index: int | None, pattern: str | None) -> "list[Cell]":
    from fnmatch import fnmatchcase

    if index is not None:
        if index >= len(cells):
            raise UserError(f"--index {index}: the plan has the indices 0 to {len(cells) - 1}")
        cells = [cells[index]]
    if pattern is not None:
        cells = [cell for cell in cells if fnmatchcase(cell.key, pattern)]
        if not cells:
            raise UserError(f"--cells {pattern}: matches no key; see: bench plan SUITE --json")
    return cells


def _of_plan(plan: Path, index: int | None, others: list[str | None]) -> "tuple[str, list[Cell]]":
    """The suite and the cell of a line of a frozen plan, which says all that others might."""
    from bench.slurm import plans

    if index is None:
        raise UserError(f"--plan {plan}: give the line to run, counted from 0: --index I")
    if any(other is not None for other in others):
        raise UserError("--plan says which cells: give --index with it, but no SUITE, --gpus, …")
    name, cell = plans.read_line(plan, index)
    return name, [cell]


def _results(folder: Path, suite: str) -> "Results":
    from bench.results import Results

    return Results(folder / suite)
