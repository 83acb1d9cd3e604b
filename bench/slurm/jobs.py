"""What was submitted: beside each frozen plan results/SUITE/plans/NAME.jsonl, a NAME.job.

It names the job array whose index i is line i of the plan. Written when sbatch has taken the
array, never changed; what became of it is asked of SLURM.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import UserError


@dataclass(frozen=True)
class Job:
    """A job array that was submitted."""

    job: str
    """SLURM's number of it."""
    site: str
    submitted: str
    """UTC."""
    command: list[str]


@dataclass(frozen=True)
class Submitted:
    """A cell's place in a job array."""

    job: str
    index: int
    log: Path


def plans_folder(results: Path) -> Path:
    return results / "plans"


def log(results: Path, job: str, index: int | str) -> Path:
    """Where the output of a task goes: of all its starts, if it was requeued."""
    return results / "logs" / f"{job}_{index}.out"


def write_plan(path: Path, lines: Iterable[str]) -> None:
    """Freeze a plan; UserError where the folder cannot be written, or if it is there already."""
    _write(path, "".join(f"{line}\n" for line in lines))


def write_job(plan: Path, job: Job) -> None:
    _write(plan.with_suffix(".job"), json.dumps(asdict(job)) + "\n")


def submitted(results: Path) -> dict[str, list[Submitted]]:
    """Where each cell was submitted, by its key; the newest first.

    `results` is the suite's folder.
    """
    found: dict[str, list[Submitted]] = {}
    for job, cells in _arrays(results):
        for index, cell in enumerate(cells):
            place = Submitted(job.job, index, log(results, job.job, index))
            found.setdefault(str(cell["key"]), []).append(place)
    return found


def resources(results: Path) -> set[tuple[str, int]]:
    """The (device, GPU count) of all cells that were submitted."""
    return {
        (str(cell["device"]), int(cell["gpus"])) for _, cells in _arrays(results) for cell in cells
    }


def last_site(results: Path) -> str | None:
    """Where the suite was submitted last."""
    return next((job.site for job, _ in _arrays(results)), None)


def _arrays(results: Path) -> Iterator[tuple[Job, list[dict[str, Any]]]]:
    """The job arrays, the newest first, and the lines of their plans; no file but ours."""
    for path in sorted(plans_folder(results).glob("*.job"), reverse=True):
        try:
            job = Job(**json.loads(path.read_text()))
            lines = path.with_suffix(".jsonl").read_text().splitlines()
            cells = [json.loads(line) for line in lines]
        except (OSError, ValueError, TypeError):
            continue
        if all({"key", "device", "gpus"} <= set(cell) for cell in cells):
            yield job, cells


def _write(path: Path, text: str) -> None:
    """All of it or nothing, on disk: a job may start on another host at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; choose another folder with --results"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
