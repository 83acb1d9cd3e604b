"""`bench status` where there is SLURM: journals joined with the queue."""

import re
from pathlib import Path

import pytest
from conftest import WriteSuite
from test_cli import journal_of
from test_submit import Cluster

from bench.lock import CellLock


@pytest.fixture
def cluster(tmp_path: Path, write_suite: WriteSuite) -> Cluster:
    """Four cells that were submitted as job 101."""
    made = Cluster(tmp_path, write_suite)
    assert made.submit().returncode == 0
    return made


def table(cluster: Cluster, *arguments: object, **environment: str) -> list[tuple[str, str]]:
    """State and why of each cell, in order."""
    printed = cluster.bench("status", "suite.toml", *arguments, **environment)
    assert printed.returncode == 0, printed.stderr
    lines = [re.split("  +", line, maxsplit=2) for line in printed.stdout.splitlines()[1:]]
    rows = [line for line in lines if len(line) > 1]
    return [(row[1], row[2] if len(row) > 2 else "") for row in rows]


def test_pending_running_done_and_failed_with_the_reason(cluster: Cluster) -> None:
    cluster.slurm.answer("squeue", "101|1|RUNNING|node2|None\n101|2|PENDING||Resources\n")
    cluster.slurm.answer("sacct", "101_3|TIMEOUT|0:0|node1\n101_3.batch|CANCELLED|0:15|node1\n")
    journal_of(cluster.cells()[0], cluster.results)
    assert table(cluster) == [
        ("done", "budget spent"),
        ("running", "job 101_1 on node2"),
        ("pending", "job 101_2 waits: Resources"),
        ("failed", f"time limit (job 101_3, {Path('results/suite/logs/101_3.out')})"),
    ]


def test_what_is_missing_is_counted_with_the_command_that_submits_it(cluster: Cluster) -> None:
    cluster.slurm.answer("squeue", "101|1|RUNNING|node2|None\n101|2|PENDING||Resources\n")
    printed = cluster.bench("status", "suite.toml").stdout
    assert "4 cells: 2 failed, 1 running, 1 pending\n" in printed
    again = "bench submit suite.toml --site site.toml"
    assert printed.endswith(f"2 are neither finished nor in the queue: {again}\n")


@pytest.mark.parametrize(
    ("sacct", "why"),
    [
        ("OUT_OF_MEMORY|0:125|node1", "out of memory"),
        ("NODE_FAIL|0:0|node3", "node failure (node3)"),
        ("CANCELLED by 1000|0:0|node1", "cancelled"),
        ("PREEMPTED|0:0|node1", "preempted"),
        ("FAILED|2:0|node1", "error, exit status 2: bench: the disk is full"),
    ],
)
def test_why_from_the_accounting(cluster: Cluster, sacct: str, why: str) -> None:
    cluster.slurm.answer("sacct", f"101_0|{sacct}\n")
    (cluster.results / "logs/101_0.out").write_text("bench: the disk is full\n")
    state, told = table(cluster)[0]
    assert (state, told) == ("failed", f"{why} (job 101_0, results/suite/logs/101_0.out)")


def test_without_accounting_scontrol_says_why_and_then_the_log(cluster: Cluster) -> None:
    cluster.slurm.answer(
        "scontrol.show",
        "JobId=101 ArrayJobId=101 ArrayTaskId=0 JobState=OUT_OF_MEMORY ExitCode=0:125 NodeList=n\n",
    )
    (cluster.results / "logs/101_1.out").write_text(
        "slurmstepd: error: *** JOB 102 ON n CANCELLED AT 2026-11-27T20:29:59 DUE TO TIME LIMIT ***"
    )
    told = [why.split(" (")[0] for _, why in table(cluster)]
    assert told[:2] == ["out of memory", "time limit"]
    assert told[2] == "ended, and SLURM no longer knows how; its log ends:"


def test_a_cell_that_was_begun_says_how_far_it_got(cluster: Cluster) -> None:
    first, second, *_ = cluster.cells()
    for cell in (first, second):
        journal = journal_of(cell, cluster.results)
        journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
    cluster.slurm.answer("squeue", "101|1|PENDING||BeginTime\n")
    (state, why), (state_2, why_2), *_ = table(cluster)
    assert state == "failed" and "1 of 12 steps are in its journal" in why
    assert state_2 == "pending" and why_2.startswith("job 101_1 waits: BeginTime; 1 of 12 steps")


def test_of_a_cell_that_was_submitted_twice_the_last_job_counts(cluster: Cluster) -> None:
    cluster.slurm.answer("sacct", "101_0|TIMEOUT|0:0|n\n101_3|TIMEOUT|0:0|n\n")
    cluster.slurm.answer("squeue", "101|1|PENDING||x\n101|2|PENDING||x\n")
    assert cluster.submit().returncode == 0
    cluster.slurm.answer("sacct", "101_0|TIMEOUT|0:0|n\n102_0|CANCELLED by 0|0:0|n\n")
    cluster.slurm.answer("squeue", "102|1|RUNNING|node4|None\n")
    first, *_, last = table(cluster)
    assert first[1].startswith("cancelled (job 102_0")
    assert last == ("running", "job 102_1 on node4")


def test_of_two_jobs_with_one_cell_the_one_that_runs_is_named(cluster: Cluster) -> None:
    """It happens where a job is put back into the queue after its cell was submitted again."""
    assert cluster.submit().returncode == 0
    cluster.slurm.answer("squeue", "101|0|RUNNING|node1|None\n102|0|PENDING||x\n")
    assert table(cluster)[0] == ("running", "job 101_0 on node1")


def test_what_the_journal_says_at_its_end_decides(cluster: Cluster) -> None:
    done, failed, *_ = cluster.cells()
    journal_of(done, cluster.results)
    journal = journal_of(failed, cluster.results)
    journal.write_text(journal.read_text().replace('"completed","reason"', '"failed","reason"'))
    cluster.slurm.answer("sacct", "101_0|NODE_FAIL|0:0|n\n101_1|COMPLETED|0:0|n\n")
    assert table(cluster)[:2] == [("done", "budget spent"), ("failed", "budget spent")]


def test_who_holds_the_lock_runs_the_cell(cluster: Cluster) -> None:
    with CellLock(cluster.results / "locks" / cluster.cells()[0].key):
        state, why = table(cluster)[0]
    assert state == "running" and why.startswith("process ")


def test_where_there_is_no_slurm_the_journals_alone_speak(cluster: Cluster) -> None:
    (cluster.folder / "nothing").mkdir()
    journal_of(cluster.cells()[0], cluster.results)
    states = table(cluster, PATH=str(cluster.folder / "nothing"))
    assert states == [("done", "budget spent"), *[("pending", "")] * 3]


def test_a_slurm_that_does_not_answer_is_said_in_one_line(cluster: Cluster) -> None:
    cluster.slurm.refuse("squeue", "slurm_load_jobs error: Unable to contact slurm controller")
    printed = cluster.bench("status", "suite.toml")
    assert printed.returncode == 2 and printed.stderr.count("\n") == 1
    assert "Unable to contact slurm controller; try again later" in printed.stderr


def test_cells_for_gpus_that_the_login_node_has_not_are_shown_once_submitted(
    cluster: Cluster,
) -> None:
    cluster.site(device="cuda", gpus_per_node=8, gpu_option="--gres=gpu:{gpus}")
    cluster.path.write_text(cluster.path.read_text().replace("gpus = [1]", ""))
    for file in cluster.results.glob("plans/*"):
        file.unlink()
    assert cluster.submit("--gpus", "8,8", "--cells", "*-s0-*").returncode == 2
    assert cluster.submit("--gpus", "2,8", "--cells", "*-s0-*").returncode == 0
    cluster.slurm.answer("squeue", "102|0|PENDING||x\n102|1|PENDING||x\n103|0|RUNNING|n|x\n")
    states = table(cluster)
    assert states[:4] == [
        ("pending", "job 102_0 waits: x"),
        ("pending", "job 102_1 waits: x"),
        *[("pending", "not submitted")] * 2,
    ]
    assert states[4] == ("running", "job 103_0 on n") and states[5][0] == "failed"


def test_a_job_file_that_is_not_ours_is_no_error(cluster: Cluster) -> None:
    cluster.slurm.answer("squeue", "".join(f"101|{i}|PENDING||x\n" for i in range(4)))
    plans = cluster.results / "plans"
    for name, text in {"a": "{", "b": "[]", "c": '{"job": "7"}', "d": ""}.items():
        (plans / f"{name}.job").write_text(text)
    job = next(plans.glob("*-g1.job"))
    (plans / "e.job").write_text(job.read_text())
    (plans / "e.jsonl").write_text("[1]\n")
    assert {state for state, _ in table(cluster)} == {"pending"}


def test_the_report_calls_nothing_skipped_that_was_submitted(cluster: Cluster) -> None:
    cluster.site(gpus_per_node=512)
    beyond = 512
    assert cluster.submit("--gpus", f"1,{beyond}").returncode == 0
    journal_of(cluster.cells(1)[0], cluster.results)
    printed = cluster.bench("report", "suite.toml")
    assert printed.returncode == 0, printed.stderr
    page = (cluster.results / "report/report.md").read_text()
    assert f"needs {beyond} CPU cores" not in printed.stdout + page
    assert len(table(cluster)) == 8, "the suite's own counts, and what else was submitted"
