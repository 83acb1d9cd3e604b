"""`bench submit`: exactly what is missing, as job arrays of frozen plans, on the site's terms."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteSuite, run_bench
from fake_slurm import FakeSlurm, site_text
from test_cli import journal_of

from bench import suite
from bench.cell import Cell
from bench.lock import CellLock

Completed = subprocess.CompletedProcess[str]


class Cluster:
    """A suite of two algorithms and two seeds on 1 core, a site, and a SLURM."""

    def __init__(self, folder: Path, write_suite: WriteSuite) -> None:
        self.folder, self.write_suite = folder, write_suite
        self.slurm = FakeSlurm(folder)
        self.results = folder / "results/suite"
        self.suite()
        self.site()

    def suite(self, **keys: Any) -> None:
        self.path = self.write_suite(["random", "tpe"], **{"seeds": 2, **keys})

    def site(self, **keys: Any) -> None:
        (self.folder / "site.toml").write_text(site_text(**keys))

    def bench(self, *arguments: object, **environment: str) -> Completed:
        return run_bench(self.folder, *arguments, **{"PATH": self.slurm.path, **environment})

    def submit(self, *arguments: object, **environment: str) -> Completed:
        return self.bench("submit", "suite.toml", "--site", "site.toml", *arguments, **environment)

    def cells(self, *gpus: int) -> list[Cell]:
        return suite.plan(self.path, [*gpus] or [1], "cpu")

    def submitted(self) -> dict[str, list[str]]:
        """The keys of the cells of each job, by the plan that sbatch was given."""
        plans = {job: Path(call[-1]) for job, call in self.slurm.calls.items()}
        return {
            job: [json.loads(line)["key"] for line in plan.read_text().splitlines()]
            for job, plan in plans.items()
        }


@pytest.fixture
def cluster(tmp_path: Path, write_suite: WriteSuite) -> Cluster:
    return Cluster(tmp_path, write_suite)


def keys(cells: list[Cell]) -> list[str]:
    return [cell.key for cell in cells]


def test_an_array_is_submitted_with_a_plan_of_its_own_whose_line_i_is_index_i(
    cluster: Cluster,
) -> None:
    printed = cluster.submit()
    assert printed.returncode == 0, printed.stderr
    assert cluster.submitted() == {"101": keys(cluster.cells())}
    call = cluster.slurm.calls["101"]
    assert "--array=0-3" in call
    assert f"--output={cluster.results}/logs/%A_%a.out" in call
    assert call[-2].endswith("/slurm/array.sbatch")
    assert (cluster.results / "logs").is_dir()
    (job,) = (json.loads(file.read_text()) for file in cluster.results.glob("plans/*.job"))
    assert job["job"] == "101" and job["site"] == "site.toml" and job["command"][1:] == call
    assert "job 101: 4 cells of 1 core, 01:00:00" in printed.stdout


def test_a_dry_run_prints_what_would_be_submitted_and_neither_writes_nor_runs(
    cluster: Cluster, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    printed = cluster.submit("--dry-run")
    assert printed.returncode == 0, printed.stderr
    assert sorted(tmp_path.rglob("*")) == before
    *remarks, line = printed.stdout.splitlines()
    assert all(remark.startswith("# ") for remark in remarks)
    cluster.submit()
    (call,) = cluster.slurm.calls.values()

    def but_for_the_time(text: str) -> str:
        return text.replace(Path(call[-1]).name, "PLAN").replace(dry_plan, "PLAN")

    dry_plan = Path(shlex.split(line)[-1]).name
    words = shlex.split(but_for_the_time(line))
    command = words[words.index("sbatch") + 1 :]
    assert command == [but_for_the_time(word) for word in call]


def test_what_is_printed_can_be_pasted_whatever_the_folders_are_called(cluster: Cluster) -> None:
    folder = cluster.folder / "it's 100% mine"
    (line,) = (
        line
        for line in cluster.submit("--dry-run", "--results", folder).stdout.splitlines()
        if not line.startswith("#")
    )
    subprocess.run(["sh", "-c", line], env={"PATH": cluster.slurm.path}, check=True)
    ((job, call),) = cluster.slurm.calls.items()
    assert f"--output={cluster.folder}/it's 100%% mine/suite/logs/%A_%a.out" in call
    assert cluster.slurm.environment(job)["BENCH_RESULTS"] == str(folder)


def test_the_sites_terms_become_options_and_variables(cluster: Cluster) -> None:
    cluster.site(
        partition="long",
        account="us",
        memory_gb_per_gpu=1.5,
        cpus_per_gpu=2,
        gpu_option="--gres=gpu:a100:{gpus}",
        options=["--qos=high"],
        modules=["apptainer", "cuda"],
        binds=["/a", "$HERE/b"],
        image="image.sif",
        scratch="/scratch",
    )
    (cluster.folder / "my.sif").touch()
    image = str(cluster.folder / "my.sif")
    assert cluster.submit("--gpus", "2,2", HERE="/here", BENCH_IMAGE=image).returncode == 2
    assert cluster.submit("--gpus", 2, HERE="/here", BENCH_IMAGE=image).returncode == 0
    call = cluster.slurm.calls["102"]
    options = "--partition=long --account=us --nodes=1 --cpus-per-task=4 --mem=3072M"
    for option in [*options.split(), "--gres=gpu:a100:2", "--qos=high", "--export=ALL"]:
        assert option in call
    told = cluster.slurm.environment("102")
    assert told["BENCH_MODULES"] == "apptainer cuda"
    assert told["BENCH_BINDS"] == "/a,/here/b"
    assert told["BENCH_IMAGE"] == image, "what the user has set wins"
    assert told["BENCH_RESULTS"] == str(cluster.folder / "results")
    assert told["BENCH_DATA"] == str(cluster.folder / "data")
    assert told["TMPDIR"] == "/scratch"


def test_what_waits_runs_or_is_done_is_not_submitted_twice(cluster: Cluster) -> None:
    done, running, waiting, died = cluster.cells()
    cluster.submit()
    journal_of(done, cluster.results)
    cluster.slurm.answer("squeue", "101|1|RUNNING|node1|None\n101|2|PENDING||Priority\n")
    printed = cluster.submit()
    assert cluster.submitted()["102"] == [died.key]
    assert "# 4 cells: 1 done, 1 running, 1 in the queue, 1 to submit" in printed.stdout
    cluster.slurm.answer("squeue", "101|1|RUNNING|n|None\n101|2|PENDING||x\n102|0|PENDING||x\n")
    again = cluster.submit()
    assert [*cluster.submitted()] == ["101", "102"], again.stdout
    assert "0 to submit" in again.stdout and running.key and waiting.key


def test_a_cell_under_lock_runs_wherever_that_may_be(cluster: Cluster) -> None:
    first, *others = cluster.cells()
    with CellLock(cluster.results / "locks" / first.key):
        cluster.submit()
    assert cluster.submitted()["101"] == keys(others)


def test_cells_that_ended_as_failed_are_submitted_when_asked_for(cluster: Cluster) -> None:
    failed, *others = cluster.cells()
    (cluster.results).mkdir(parents=True)
    journal = journal_of(failed, cluster.results)
    journal.write_text(journal.read_text().replace('"completed","reason"', '"failed","reason"'))
    printed = cluster.submit()
    assert cluster.submitted()["101"] == keys(others)
    assert "# 1 cells ended as failed" in printed.stdout and "--retry-failed" in printed.stdout
    cluster.slurm.answer("squeue", "".join(f"101|{i}|PENDING||x\n" for i in range(3)))
    cluster.submit("--retry-failed")
    assert cluster.submitted()["102"] == [failed.key]
    assert cluster.slurm.environment("102")["BENCH_RETRY_FAILED"] == "1"
    assert "BENCH_RETRY_FAILED" not in cluster.slurm.environment("101")


def test_cells_of_different_needs_go_into_different_arrays(cluster: Cluster) -> None:
    cluster.submit("--gpus", 8)
    one, two, four, eight = cluster.slurm.calls.values()
    assert [*cluster.submitted().values()] == [keys(cluster.cells(n)) for n in (1, 2, 4, 8)]
    assert "--cpus-per-task=2" in two and one[-2] == four[-2]
    assert "--nodes=2" in eight and "--ntasks-per-node=1" in eight
    assert "--cpus-per-task=4" in eight and eight[-2].endswith("/slurm/ray-cluster.sbatch")


def test_without_counts_in_the_suite_they_go_up_to_a_node_of_the_site(cluster: Cluster) -> None:
    cluster.path.write_text(cluster.path.read_text().replace("gpus = [1]", ""))
    cluster.submit()
    assert [*cluster.submitted().values()] == [keys(cluster.cells(n)) for n in (1, 2, 4)]


@pytest.mark.parametrize("said_by", ["the site", "SLURM"])
def test_no_index_reaches_max_array_size(cluster: Cluster, said_by: str) -> None:
    cluster.suite(seeds=5)
    if said_by == "SLURM":
        cluster.slurm.answer("scontrol.config", "MaxArraySize            = 4\n")
    else:
        cluster.site(max_array_size=4)
    cluster.submit()
    arrays = [call[2] for call in cluster.slurm.calls.values()]
    assert arrays == ["--array=0-3", "--array=0-3", "--array=0-1"]
    parts = cluster.submitted().values()
    assert [key for part in parts for key in part] == keys(cluster.cells())
    assert len({call[-1] for call in cluster.slurm.calls.values()}) == 3, "a plan for each"


def test_no_more_jobs_than_a_user_may_have(cluster: Cluster) -> None:
    cluster.site(max_jobs=3)
    printed = cluster.submit()
    assert cluster.submitted()["101"] == keys(cluster.cells()[:3])
    assert "a user may have 3 jobs there: 1 cells are left for the same command" in printed.stdout
    cluster.slurm.answer("squeue", "101|0|PENDING||x\n101|1|PENDING||x\n101|2|PENDING||x\n")
    cluster.submit()
    assert [*cluster.submitted()] == ["101"]


def test_virtual_cells_stay_here_and_the_command_for_them_is_said(cluster: Cluster) -> None:
    cluster.path.write_text(
        'engines = ["virtual"]\nbudget = 2\nseeds = 1\n'
        '[[objectives]]\nname = "branin"\n[[algorithms]]\nname = "random"\n'
    )
    printed = cluster.submit()
    assert printed.returncode == 0, printed.stderr
    assert not cluster.slurm.calls
    command = "bench run suite.toml --gpus 4 --device cpu --cells '*-virtual-*'"
    assert f"# 3 cells are virtual, for any machine with a few cores: {command}" in printed.stdout


def test_whole_nodes_are_charged_whole(cluster: Cluster) -> None:
    cluster.site(whole_nodes=True)
    assert "cells that need 1 GPU of a node are charged for 4" in cluster.submit().stdout


def test_cells_without_a_place_are_named(cluster: Cluster) -> None:
    cluster.site(max_nodes=2)
    printed = cluster.submit("--gpus", "1,16")
    assert cluster.submitted() == {"101": keys(cluster.cells(1))}
    assert "4 cells (of 16 GPUs, 1 for each trial) find no place on at most 2 nodes of 4" in (
        printed.stdout
    )
