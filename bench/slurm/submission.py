"""From a suite's cells to job arrays: made, described, submitted."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import duration, plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.lock import CellLock
from bench.results import Results
from bench.seeds import canonical
from bench.slurm import jobs, plans, queue, sbatch
from bench.slurm.groups import Group, group
from bench.slurm.site import Site
from bench.slurm.wall_time import Limit, limit, pilots

USUAL_MAX_ARRAY_SIZE = 1001
"""SLURM's own default."""

STAMP = "%Y%m%d-%H%M%S"


@dataclass(frozen=True)
class Submission:
    """One job array to be submitted."""

    group: Group
    plan: Path
    limit: Limit
    environment: dict[str, str]
    """What the batch script reads, set around sbatch: --export would cut values at commas."""
    command: list[str]

    @property
    def described(self) -> str:
        """What it is, in a line."""
        need, cells = self.group.need, self.group.cells
        unit = "core" if cells[0].device == "cpu" else "GPU"
        nodes = "" if need.nodes == 1 else f" on {need.nodes} nodes"
        return (
            f"{plural(len(cells), 'cell')} of {plural(need.nodes * need.gpus, unit)}{nodes}, "
            f"{duration.text(self.limit.seconds)} ({self.limit.remark}); plan {self.plan}"
        )

    def __str__(self) -> str:
        """The command line, for a shell."""
        variables = (f"{name}={shlex.quote(value)}" for name, value in self.environment.items())
        return " ".join([*variables, shlex.join(self.command)])


def submissions(
    cells: list[Cell],
    results: Results,
    suite: str,
    site: Site,
    account: str | None = None,
    retry_failed: bool = False,
) -> list[Submission]:
    """The job arrays that run these cells; those that the site has no place for are in none.

    Raises UserError where the site needs what is missing: an account, a variable.
    """
    if account is None:
        account = site.account or os.environ.get("SBATCH_ACCOUNT")
    if account is None and site.account_required:
        raise UserError("the site wants an account: --account NAME, or `account` in its file")
    size = site.max_array_size or queue.max_array_size() or USUAL_MAX_ARRAY_SIZE
    known = pilots(cells, results.folder.parent)
    stamp = _stamp(jobs.plans_folder(results.folder))
    variables = sbatch.environment(results.folder.parent, site, retry_failed)
    made = []
    for each in group(cells, site, size):
        plan = sbatch.absolute(jobs.plans_folder(results.folder) / f"{stamp}-{each.name}.jsonl")
        within = limit(each.cells, known, site)
        command = sbatch.command(each, plan, within, site, suite, account)
        made.append(Submission(each, plan, within, variables, command))
    return made


def remarks(made: list[Submission], site: Site) -> list[str]:
    """What must be known before these are submitted."""
    said = []
    if made and not site.verified:
        said.append("no job was ever submitted with this site's file: look at the options below")
    least = min((each.group.need.gpus for each in made), default=site.gpus_per_node)
    if site.whole_nodes and least < site.gpus_per_node:
        said.append(
            f"the site gives whole nodes: cells that need {plural(least, 'GPU')} of a node are "
            f"charged for {site.gpus_per_node}"
        )
    if made and (without := sbatch.missing_image(made[0].environment)):
        said.append(without)
    if unknown := next((each for each in made if not each.limit.has_pilot), None):
        said.append(
            f"for a time limit that fits, run a pilot first: --cells {unknown.group.cells[0].key}"
        )
    return said


@contextmanager
def alone(cells: list[Cell], results: Results) -> Iterator[None]:
    """Be the one that submits to these results; two at once would submit everything twice.

    Raises UserError where there is no sbatch, or not the data, which compute nodes cannot fetch.
    """
    if shutil.which("sbatch") is None:
        raise UserError("no sbatch here: submit on a login node, or see what would be: --dry-run")
    for objective in {
        canonical(cell.objective.identity): cell.objective for cell in cells
    }.values():
        plugins.make("objectives", objective).prepare()
    results.create()
    with CellLock(results.folder / "locks" / "submit"):
        yield


def _stamp(plans: Path) -> str:
    """Now, or as soon after as no plan is of that second: names sort as they were submitted."""
    now = datetime.now(UTC)
    while any(plans.glob(f"{now:{STAMP}}-*")):
        now += timedelta(seconds=1)
    return f"{now:{STAMP}}"


def submit(submission: Submission, suite: str, site: str) -> str:
    """Freeze the plan, submit the array and write down its number, which is returned.

    Raises UserError with what sbatch says if it refuses; then nothing of it stays.
    """
    if without := sbatch.missing_image(submission.environment):
        raise UserError(without)
    plan = submission.plan
    jobs.write_plan(plan, plans.lines(submission.group.cells, suite))
    (plan.parent.parent / "logs").mkdir(exist_ok=True)
    ran = subprocess.run(
        submission.command,
        env={**os.environ, **submission.environment},
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        plan.unlink()
        said = " ".join((ran.stderr or ran.stdout).split())
        raise UserError(f"sbatch refuses {submission.group.name}: {said or 'without a word'}")
    numbers = re.findall(r"^(\d+)(?:;.*)?$", ran.stdout, re.MULTILINE)  # below a centre's greeting
    if not numbers:
        raise UserError(f"sbatch took {plan} and says no number: see squeue, and scancel it")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    jobs.write_job(plan, jobs.Job(numbers[-1], site, now, submission.command))
    return numbers[-1]


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
