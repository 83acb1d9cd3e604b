"""The command line as users meet it: verbs, mistakes, exit statuses."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteSuite

from bench import machine, plugins, suite
from bench.cell import Cell
from bench.journal import Journal

Bench = Callable[..., subprocess.CompletedProcess[str]]


def test_help_names_the_verbs(bench: Bench) -> None:
    printed = bench("--help")
    assert printed.returncode == 0
    for verb in ("list", "plan", "run", "submit", "status", "report", "data"):
        assert verb in printed.stdout


def test_list_shows_what_there_is(bench: Bench) -> None:
    lines = dict(line.split(":") for line in bench("list").stdout.splitlines())
    shown = {kind: text.strip().split(", ") for kind, text in lines.items()}
    assert [*shown] == ["objectives", "algorithms", "engines", "suites", "data"]
    for kind in ("objectives", "algorithms", "engines"):
        assert shown[kind] == plugins.names(kind)
    assert "asha" in shown["algorithms"] and "mnist_cnn" in shown["objectives"]
    assert "quick" in shown["suites"] and "mnist" in shown["data"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "nosuch"], "no suite 'nosuch'"),
        (["plan", "nosuch.toml"], "no suite 'nosuch.toml'"),
        (["plan", "suite.toml", "--gpus", "many"], "--gpus many: legal: a count like 8"),
        (["plan", "suite.toml", "--gpus", "0"], "--gpus 0: legal"),
        (["plan", "suite.toml", "--gpus", "1,-2"], "--gpus 1,-2: legal"),
        (["plan", "suite.toml", "--device", "tpu"], "unknown device 'tpu'; legal: cpu, cuda"),
        (["run", "suite.toml", "--index", "99"], "the plan has the indices 0 to 0"),
        (["run", "suite.toml", "--cells", "*-bohb-*"], "matches no key"),
        (["run", "suite.toml", "--idnex", "1"], "No such option: --idnex"),
        (["rnu", "suite.toml"], "No such command 'rnu'"),
        (["run"], "bench run SUITE, or bench run --plan FILE --index I"),
        (["report", "suite.toml"], "bench run"),
        (["data", "nosuch"], "mnist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(
    bench: Bench, write_suite: WriteSuite, arguments: list[str], message: str
) -> None:
    write_suite()
    printed = bench(*arguments)
    assert printed.returncode == 2
    assert printed.stdout == ""
    assert message in printed.stderr
    assert printed.stderr.count("\n") == 1, printed.stderr
    assert "Traceback" not in printed.stderr


def test_cells_for_more_than_there_is_are_skipped_with_the_reason(
    bench: Bench, write_suite: WriteSuite
) -> None:
    beyond = machine.cores() + 1
    path = write_suite(gpus=[beyond])
    printed = bench("run", path, "--device", "cpu")
    why = f"needs {beyond} CPU cores, this machine has {machine.cores()}"
    assert f"skipped: {why}" in printed.stderr
    assert "1 skipped; 0 ran now" in printed.stdout
    assert printed.returncode == 1, "nothing could run"
    assert why in bench("status", path, "--device", "cpu").stdout


def test_gpus_are_not_to_be_had_by_asking(bench: Bench, write_suite: WriteSuite) -> None:
    if machine.default_device() == "cuda":
        pytest.skip("this machine has GPUs")
    printed = bench("run", write_suite(), "--device", "cuda")
    assert printed.returncode == 1
    assert "skipped: needs GPUs, and the torch here is the CPU build" in printed.stderr


def test_the_gpu_counts_are_the_users_then_the_suites_then_the_machines(
    bench: Bench, write_suite: WriteSuite, tmp_path: Path
) -> None:
    def counts(*arguments: object) -> set[str]:
        lines = bench("plan", *arguments, "--json", "--device", "cpu").stdout.splitlines()
        return {line.split('"gpus": ')[1].split(",")[0] for line in lines}

    path = write_suite(gpus=[3])
    assert counts(path) == {"3"}
    assert counts(path, "--gpus", 4) == {"1", "2", "4"}
    assert counts(path, "--gpus", "1,6") == {"1", "6"}
    path.write_text(path.read_text().replace("gpus = [3]", ""))
    assert "1" in counts(path) and str(machine.cores() + 1) not in counts(path)


def test_visible_devices_are_counted_as_cuda_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(f"GPU {i}", 2**30, f"GPU-{i}a") for i in range(4)]
    for setting, names in {
        "0,2": ["GPU 0", "GPU 2"],
        "": [],
        "GPU-3": ["GPU 3"],
        "1,-1,2": ["GPU 1"],
        "NoDevFiles": [],
    }.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
        assert [name for name, _, _ in machine.visible(found)] == names
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert machine.visible(found) == found


def journal_of(cell: Cell, folder: Path) -> Path:
    """A finished journal of a cell, as another machine may have written it."""
    writer = Journal.begin(
        folder / f"{cell.key}.jsonl",
        {"key": cell.key, "cell": cell.as_json(), "clock": "wall", "worst_loss": 10.0},
    )
    events: list[dict[str, Any]] = [
        {"event": "suggest", "seconds": 0.1, "trial": 0, "configuration": {}},
        {"event": "report", "seconds": 1.0, "trial": 0, "step": 1, "loss": 1.0},
        {"event": "finish", "seconds": 1.0, "trial": 0, "step": 1, "status": "completed"},
        {"event": "end", "seconds": 1.0, "status": "completed", "reason": "budget spent"},
    ]
    for event in events:
        timed = {"suggest_seconds": 0.0} if event["event"] == "suggest" else {}
        timed |= {"step_seconds": 0.5} if event["event"] == "report" else {}
        writer.write({**event, **timed})
    writer.close()
    return writer.path


def test_what_another_machine_ran_is_reported_and_shown(
    bench: Bench, write_suite: WriteSuite, tmp_path: Path
) -> None:
    path = write_suite(["random"], [{"max_steps": 1}], budget=1)
    path.write_text(path.read_text().replace("gpus = [1]", ""))
    folder = tmp_path / "results/suite"
    folder.mkdir(parents=True)
    (elsewhere,) = suite.plan(path, [64], "cuda")
    journal_of(elsewhere, folder)
    assert f"{elsewhere.key}  done" in bench("status", path, "--device", "cuda").stdout
    assert "1 complete" in bench("report", path).stdout
    cells = (folder / "report/cells.csv").read_text()
    assert elsewhere.key in cells and "cuda" in cells
    assert elsewhere.key not in bench("status", path, "--gpus", "1").stdout


def test_a_damaged_journal_is_named_with_what_to_do(
    bench: Bench, write_suite: WriteSuite, tmp_path: Path
) -> None:
    path = write_suite(["random", "tpe"], [{"max_steps": 1}], budget=1)
    folder = tmp_path / "results/suite"
    folder.mkdir(parents=True)
    _, damaged = (journal_of(cell, folder) for cell in suite.plan(path, [1], "cpu"))
    lines = damaged.read_bytes().split(b"\n")
    damaged.write_bytes(b"\n".join([*lines[:2], b"garbage", *lines[3:]]))
    printed = bench("report", path, "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    problems = (folder / "report/problems.csv").read_text()
    assert damaged.name in problems
    assert "line 3: not JSON: delete it to run the cell again" in problems


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, machine.UNLIMITED),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, machine.UNLIMITED),
        ({}, machine.UNLIMITED),
    ],
)
def test_a_containers_share_of_the_cores_counts(
    tmp_path: Path, files: dict[str, str], quota: float
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert machine._quota(tmp_path) == quota
