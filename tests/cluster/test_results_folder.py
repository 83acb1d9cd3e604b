"""Where results cannot be written, and who may write them."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench.journal import read
from cluster.slurm import ROOT, Case, Slurm, is_done
from cluster.users import NAME, created

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MakeCase = Callable[..., Case]
TASK = ["--array=0", "--time=5"]


@pytest.fixture
def ordinary(slurm: Slurm, image: dict[str, str]) -> Iterator[Slurm]:
    """The cluster as a user sees it who is created here, and has the checkout at home."""
    with created() as name:
        home = slurm.shared / name
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
        for file in listed.stdout.splitlines():
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, home / file)
        subprocess.run(["chown", "-R", name, home], check=True)
        yield replace(slurm, user=name, checkout=home, environment={**slurm.environment, **image})


def test_an_ordinary_user_runs_cells_in_the_image(case: MakeCase, ordinary: Slurm) -> None:
    mine = case(ordinary, seeds=2, gpus=[2])
    job = mine.submit("array.sbatch", "--array=0-1", "--gres=gpu:2", "--time=5")
    for index in (0, 1):
        assert ordinary.ended(f"{job}_{index}")["JobState"] == "COMPLETED", str(mine)
    assert len(mine.records()) == 2 and all(map(is_done, mine.records()))
    assert {each.path.owner() for each in mine.records()} == {NAME}


def test_a_full_disk_fails_the_task_in_one_line_and_keeps_what_was_written(
    case: MakeCase, slurm: Slurm
) -> None:
    large = case(budget=1000, max_steps=1, seconds=0.0)
    full = slurm.folder / "small"
    job = large.submit("array.sbatch", *TASK, BENCH_RESULTS=full)
    assert slurm.ended(f"{job}_0")["ExitCode"] == "2:0", str(large)
    assert "No space left on device; what is in it already is kept" in large.log()
    assert "Traceback" not in large.log()
    (journal,) = (full / "logged").glob("*.jsonl")
    record = read(journal)
    assert record.problem is None and record.events and not record.finished


def test_a_folder_that_is_read_only_fails_the_task_in_one_line(
    case: MakeCase, slurm: Slurm
) -> None:
    small = case()
    job = small.submit("array.sbatch", *TASK, BENCH_RESULTS=slurm.folder / "read-only")
    assert slurm.ended(f"{job}_0")["ExitCode"] == "2:0", str(small)
    assert "Read-only file system; choose another folder with --results" in small.log()
    assert "Traceback" not in small.log()
