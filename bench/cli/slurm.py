"""The verb that submits a suite to a cluster."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.cells import RESULTS, Folder, Gpus, Suite, choose, planned

if TYPE_CHECKING:
    from bench.slurm.site import Site


def submit(
    suite: Suite,
    site: Annotated[
        str, typer.Option(help="Name of a site in slurm/sites/, or path of a .toml file.")
    ],
    gpus: Gpus = None,
    cells: Annotated[
        str | None, typer.Option(help="Submit only cells whose key matches, e.g. '*-s0-*'.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="The account to charge. Default: the site's.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Submit cells that ended as failed again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be submitted; do and write nothing.")
    ] = False,
    results: Folder = RESULTS,
) -> None:
    """Submit the cells that are neither finished nor in the queue, as SLURM job arrays."""
    from contextlib import ExitStack

    from bench.results import Results
    from bench.slurm import site as sites
    from bench.slurm import submission
    from bench.slurm.missing import missing

    where = sites.load(site)
    name, all_cells = planned(suite, gpus, where.device, most=where.gpus_per_node)
    folder = Results(results / name)
    chosen = choose(all_cells, None, cells)
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(submission.alone(chosen, folder))
        wanted, remarks = missing(
            chosen, folder, where, retry_failed, _run_virtual(suite, gpus, where)
        )
        made = submission.submissions(wanted, folder, name, where, account, retry_failed)
        for line in [*remarks, *submission.remarks(made, where)]:
            print(f"# {line}")
        for each in made:
            if dry_run:
                print(f"# {each.described}")
                print(each)
            else:
                job = submission.submit(each, name, site)
                print(f"job {job}: {each.described}")
    if made and not dry_run:
        print(f"how they stand: {shlex.join(['bench', 'status', suite])}")


def _run_virtual(suite: str, gpus: str | None, site: "Site") -> str:
    """The command that runs the virtual cells of the same plan here."""
    from bench import suite as suites

    if gpus is None and suites.load(suites.find(suite)).gpus is None:
        gpus = str(site.gpus_per_node)
    counts = [] if gpus is None else ["--gpus", gpus]
    chosen = ["--device", site.device, "--cells", "*-virtual-*"]
    return shlex.join(["bench", "run", suite, *counts, *chosen])
