"""What sbatch is told: its command line, and the variables that the batch scripts read."""

import os
from pathlib import Path

from bench import data, duration
from bench.slurm import jobs
from bench.slurm.groups import Group
from bench.slurm.site import CHECKOUT, Site, expand
from bench.slurm.wall_time import Limit


def command(
    group: Group, plan: Path, limit: Limit, site: Site, suite: str, account: str | None
) -> list[str]:
    """The command that submits a group whose plan is frozen at `plan`, an absolute path."""
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
    return [
        "sbatch",
        "--parsable",
        *(f"--{name}={value}" for name, value in options.items() if value is not None),
        *([site.gpu_option.format(gpus=need.gpus)] if site.gpu_option else []),
        *site.options,
        str(CHECKOUT / f"slurm/{group.script}.sbatch"),
        str(plan),
    ]


def environment(results: Path, site: Site, retry_failed: bool) -> dict[str, str]:
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
        "BENCH_RESULTS": str(absolute(results)),
        "BENCH_DATA": str(absolute(data.root())),
        **{name: value for name, value in chosen.items() if value or name in os.environ},
        **({"BENCH_RETRY_FAILED": "1"} if retry_failed else {}),
        "TMPDIR": site.scratch,
    }


def missing_image(environment: dict[str, str]) -> str | None:
    """What to say if there is no image to run in."""
    image = environment.get("BENCH_IMAGE")
    if not image or os.access(image, os.R_OK):
        return None
    return (
        f"there is no image {image}: make container builds one, BENCH_IMAGE=PATH names another, "
        "BENCH_IMAGE= takes the .venv of this checkout"
    )


def _memory(site: Site, gpus: int) -> str | None:
    if site.memory_gb_per_gpu is None:
        return None
    return f"{int(site.memory_gb_per_gpu * gpus * 1024)}M"


def absolute(path: Path) -> Path:
    """Absolute, and with the links that a cluster's folders are reached by."""
    return Path(os.path.abspath(path))
