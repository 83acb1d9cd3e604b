"""From a suite's cells to job arrays: what is submitted, and the command lines that do it."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import data, plugins
from bench.cell import Cell
from bench.errors import UserError
from bench.lock import CellLock
from bench.results import Results
from bench.seeds import canonical
from bench.slurm import duration, jobs, plans, queue
from bench.slurm.groups import Group, group
from bench.slurm.site import CHECKOUT, Site, expand
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
    variables = environment(results, site, retry_failed)
    made = []
    for each in group(cells, site, size):
        plan = absolute(jobs.plans_folder(results.folder) / f"{stamp}-{each.name}.jsonl")
        within = limit(each.cells, known, site)
        command = _command(each, plan, within, site, suite, account)
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
    said += [*dict.fromkeys(filter(None, map(_missing_image, made)))]
    if unknown := next((each for each in made if not each.limit.has_pilot), None):
        said.append(
            f"for a time limit that fits, run a pilot first: --cells {unknown.group.cells[0].key}"
        )
    return said


@contextmanager
def alone(cells: list[Cell], results: Results) -> Iterator[None]:
    """Be the one that submits to these results; two at once would submit everything twice.

    Raises UserError where the cells could not run: without data, which compute nodes cannot fetch,
    without the image, or where there is no sbatch.
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


def environment(results: Results, site: Site, retry_failed: bool) -> dict[str, str]:
    """The batch scripts' variables; those that the user has set stay as they are."""
    image = expand(site.image)
    if image and not image.startswith("/"):
        image = str(CHECKOUT / image)
    by_site = {
        "BENCH_IMAGE": image,
        "BENCH_BINDS": ",".join(map(expand, site.binds)),
        "BENCH_MODULES": " ".join(site.modules),
    }
    chosen = {name: os.environ.get(name, value) for name, value in by_site.items()}
    if chosen["BENCH_IMAGE"]:
        chosen["BENCH_IMAGE"] = str(absolute(Path(chosen["BENCH_IMAGE"])))
    return {
        "BENCH_RESULTS": str(absolute(results.folder.parent)),
        "BENCH_DATA": str(absolute(data.root())),
        **{name: value for name, value in chosen.items() if value or name in os.environ},
        **({"BENCH_RETRY_FAILED": "1"} if retry_failed else {}),
        "TMPDIR": site.scratch,
    }


def _command(
    group: Group, plan: Path, limit: Limit, site: Site, suite: str, account: str | None
) -> list[str]:
    need = group.need
    cpus = max(site.cpus_per_gpu * need.gpus, need.slots)
    results = str(plan.parent.parent).replace("%", "%%")
    logs = jobs.log(Path(results), "%A", "%a")
    options = {
        "job-name": f"{suite}-{group.name}",
        "array": f"0-{len(group.cells) - 1}",
        "time": duration.text(limit.seconds),
        "partition": site.partition,
        "account": account,
        "nodes": str(need.nodes),
        "ntasks-per-node": "1",
        "cpus-per-task": str(cpus),
        "mem": _memory(site, need.gpus),
        "output": str(logs),
        "open-mode": "append",
        "chdir": str(CHECKOUT),
        "export": "ALL",
    }
    script = "array" if need.nodes == 1 else "ray-cluster"
    return [
        "sbatch",
        "--parsable",
        *(f"--{name}={value}" for name, value in options.items() if value is not None),
        *([site.gpu_option.format(gpus=need.gpus)] if site.gpu_option else []),
        *site.options,
        str(CHECKOUT / f"slurm/{script}.sbatch"),
        str(plan),
    ]


def _stamp(plans: Path) -> str:
    """Now, or as soon after as no plan is of that second: names sort as they were submitted."""
    now = datetime.now(UTC)
    while any(plans.glob(f"{now:{STAMP}}-*")):
        now += timedelta(seconds=1)
    return f"{now:{STAMP}}"


def _memory(site: Site, gpus: int) -> str | None:
    if site.memory_gb_per_gpu is None:
        return None
    return f"{int(site.memory_gb_per_gpu * gpus * 1024)}M"


def submit(submission: Submission, suite: str, site: str) -> str:
    """Freeze the plan, submit the array and write down its number, which is returned.

    Raises UserError with what sbatch says if it refuses; then nothing of it stays.
    """
    if without := _missing_image(submission):
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
    number = ran.stdout.strip().partition(";")[0]  # "number;cluster"
    if ran.returncode or not number.isdecimal():
        plan.unlink()
        said = " ".join((ran.stderr or ran.stdout).split())
        raise UserError(f"sbatch refuses {submission.group.name}: {said or 'without a word'}")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    jobs.write_job(plan, jobs.Job(number, site, now, submission.command))
    return number


def _missing_image(submission: Submission) -> str | None:
    image = submission.environment.get("BENCH_IMAGE")
    if not image or os.access(image, os.R_OK):
        return None
    return (
        f"there is no image {image}: make container builds one, BENCH_IMAGE=PATH names another, "
        "BENCH_IMAGE= takes the .venv of this checkout"
    )


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def absolute(path: Path) -> Path:
    """Absolute, and with the links that a cluster's folders are reached by."""
    return Path(os.path.abspath(path))
