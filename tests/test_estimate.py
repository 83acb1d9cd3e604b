"""What a plan will cost: from journals of the same work, and only from those."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteSuite
from journals import cell, finish, report, suggest, write

from bench import estimate as estimates
from bench import machine, suite
from bench.cell import Cell, PlugIn
from bench.estimate import Estimate, estimate
from bench.tables import estimate_table

HERE = {"machine": machine.describe()}
HEAD = ["cells", "steps", "core-hours", "core-seconds a step", "measured in"]
OTHER = {"machine": {"cpu_model": "Other CPU", "gpus": []}}


def steps(trial: int, *seconds: float, setup: float = 0.0) -> list[dict[str, Any]]:
    """A trial's reports, of steps that took so long."""
    events = [suggest(trial)]
    for step, taken in enumerate(seconds, start=1):
        extra = {"setup_seconds": setup} if step == 1 else {}
        events.append(report(trial, 1.0, 0.5, step, step_seconds=taken, **extra))
    return [*events, finish(trial, 1.0, "completed", step=len(seconds))]


def journal(root: Path, of: Cell, *trials: list[dict[str, Any]], **header: Any) -> Path:
    events = [event for trial in trials for event in trial]
    return write(root / "some", of, events, **{"provenance": HERE, **header})


def one(cells: list[Cell], root: Path) -> Estimate:
    (only,) = estimate(cells, root)
    return only


def test_hours_are_steps_times_the_mean_seconds_of_a_step_with_its_share_of_setting_up(
    tmp_path: Path,
) -> None:
    """Two journals: 1 + 2 + 3 seconds in 2 steps, 4 in 1, 5 in 2: 15 s in 5 steps are 3 a step."""
    journal(tmp_path, cell(seed=1), steps(0, 2.0, 3.0, setup=1.0), steps(1, 4.0))
    journal(tmp_path, cell("tpe", gpus=2), steps(0, 2.0, 3.0))
    planned = [cell(seed=seed, budget=200) for seed in range(3)]
    found = one(planned, tmp_path)
    assert found.pilot is not None
    assert (found.cells, found.steps) == (3, 600)
    assert found.pilot.gpu_seconds_per_step == 3.0
    assert found.gpu_hours == 600 * 3.0 / 3600
    assert (found.pilot.journals, found.pilot.trials) == (2, 3)
    assert found.pilot.elsewhere is None


def test_the_range_is_that_of_eight_in_ten_trials(tmp_path: Path) -> None:
    """Eleven trials of 0, 1, …, 10 s a step: the tenths are at 1 and 9."""
    journal(tmp_path, cell(), *(steps(trial, float(trial)) for trial in range(11)))
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert (pilot.low, pilot.gpu_seconds_per_step, pilot.high) == (1.0, 5.0, 9.0)


def test_one_trial_is_a_range_of_itself(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 2.0))
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert (pilot.low, pilot.high) == (2.0, 2.0)


def test_a_trial_costs_all_the_gpus_that_it_holds(tmp_path: Path) -> None:
    half = cell(gpus_per_trial=0.5)
    journal(tmp_path, half, steps(0, 3.0))
    pilot = one([half], tmp_path).pilot
    assert pilot is not None
    assert pilot.gpu_seconds_per_step == 1.5


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"objective": PlugIn("bowl", {"max_steps": 2})}, {}),
        ({"objective": PlugIn("bowls", {"max_steps": 1})}, {}),
        ({"objective": PlugIn("bowl", {"max_steps": 1}, "/x/bowl.py", "5a")}, {}),
        ({"device": "cuda"}, {}),
        ({"gpus_per_trial": 0.5}, {}),
        ({}, {"clock": "virtual"}),
    ],
    ids=["other options", "other name", "user's own", "other device", "share", "replayed"],
)
def test_other_work_is_no_pilot(
    tmp_path: Path, changes: dict[str, Any], header: dict[str, Any]
) -> None:
    journal(tmp_path, replace(cell(), **changes), steps(0, 1.0), **header)
    assert one([cell()], tmp_path).pilot is None


def test_a_users_objective_is_the_same_wherever_its_file_lies(tmp_path: Path) -> None:
    there, here = (
        cell(objective=PlugIn("bowl", {}, f"/{folder}/bowl.py", "5a")) for folder in "ab"
    )
    journal(tmp_path, there, steps(0, 1.0))
    assert one([here], tmp_path).pilot is not None


def test_this_machines_journals_count_and_others_only_without_them(tmp_path: Path) -> None:
    journal(tmp_path, cell(seed=1), steps(0, 9.0), provenance=OTHER)
    journal(tmp_path, cell(seed=2), steps(0, 7.0), provenance=None)
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert pilot.gpu_seconds_per_step == 8.0
    assert pilot.elsewhere == "Other CPU and an unknown machine"
    journal(tmp_path, cell(seed=3), steps(0, 2.0))
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert (pilot.gpu_seconds_per_step, pilot.elsewhere) == (2.0, None)


def test_damaged_journals_do_not_stop_it(tmp_path: Path) -> None:
    torn = journal(tmp_path, cell(seed=1), steps(0, 2.0))
    with torn.open("ab") as file:
        file.write(b'{"event":"report","trial":1,"step_se\n')
        file.write(b'{"event":"report","trial":1,"step_seconds":null}\n')
        file.write(b'{"event":"report","trial":1,"step_seconds":NaN}\n')
        file.write(b'{"event":"report","trial":1,"step_seconds":-5}\n')
    for number, text in enumerate(
        [b"", b"\xff\n", b"[]\n", b"{}\n", b'{"cell":3,"clock":"wall"}\n']
    ):
        (tmp_path / "some" / f"bowl-x-ray-cpu-g1-s{number}.jsonl").write_bytes(text)
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert (pilot.gpu_seconds_per_step, pilot.trials, pilot.journals) == (2.0, 1, 1)


def test_without_results_there_is_no_pilot(tmp_path: Path) -> None:
    assert one([cell()], tmp_path / "none").pilot is None


def test_of_many_long_journals_a_sample_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(5):
        journal(tmp_path, cell(seed=seed), *(steps(trial, 1.0) for trial in range(5)))
    monkeypatch.setattr(estimates, "JOURNALS", 3)
    monkeypatch.setattr(estimates, "REPORTS", 4)
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert (pilot.journals, pilot.trials) == (3, 12)
    monkeypatch.setattr(estimates, "HEADERS", 2)
    pilot = one([cell()], tmp_path).pilot
    assert pilot is not None
    assert pilot.journals == 2


# The table


def table(cells: list[Cell], root: Path) -> list[str]:
    return estimate_table(estimate(cells, root), "bench run mine").splitlines()


def test_each_objective_has_a_row_and_without_a_pilot_the_command_for_one(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 1.0, 2.0), steps(1, 3.0, 4.0))
    other = cell(objective=PlugIn("cup", {"depth": 1}), budget=7, max_steps=100)
    rows = table([cell(budget=1440), other, other], tmp_path)
    assert [row.split("  ")[0] for row in rows[:4]] == ["objective", "bowl", "cup", "all"]
    assert re.split("  +", rows[0])[1:] == HEAD
    assert rows[1].split()[1:4] == ["1", "1,440", "1"]
    assert rows[1].endswith("2.5 (8 of 10 trials: 1.7 to 3.3)  2 trials in 1 journal")
    assert rows[2].split()[1:5] == ["2", "1,400", "-", "-"]
    assert rows[2].endswith("  no pilot: bench run mine --index 1")
    assert rows[3].split() == ["all", "3", "2,840", "-"]
    assert rows[4].startswith("core-hours are of training")
    assert len(rows) == 5


def test_the_total_is_there_when_every_objective_has_a_pilot(tmp_path: Path) -> None:
    other = cell(objective=PlugIn("bowl", {"max_steps": 1, "depth": 1}))
    journal(tmp_path, cell(), steps(0, 1.0))
    journal(tmp_path, other, steps(0, 2.0), provenance=OTHER)
    rows = table([replace(cell(), budget=3600), replace(other, budget=3600)], tmp_path)
    assert rows[2].startswith("bowl depth=1  1 ") and rows[2].endswith("1 journal on Other CPU")
    assert rows[3].split() == ["all", "2", "7,200", "3"]


def test_next_to_nothing_is_said_to_be_that(tmp_path: Path) -> None:
    journal(tmp_path, cell(), steps(0, 0.0001))
    assert table([cell()], tmp_path)[1].split()[3:5] == ["<0.001", "<0.001"]


def test_cells_that_cannot_run_here_count_and_are_named(tmp_path: Path) -> None:
    big = cell(gpus=machine.cores() + 1, budget=3)
    rows = table([big, cell(budget=3)], tmp_path)
    assert rows[1].split()[1:3] == ["2", "6"]
    assert rows[1].endswith("bench run mine --index 1")
    assert rows[-1] == "1 of the cells cannot run on this machine; they are counted too"
    assert table([big], tmp_path)[1].endswith("none of the cells can run on this machine")


def test_on_gpus_the_unit_is_the_gpu(tmp_path: Path) -> None:
    head = table([cell(device="cuda")], tmp_path)[0]
    assert "GPU-hours" in head and "GPU-seconds a step" in head


# The command


def test_plan_prints_the_estimate_below_the_cells_but_not_among_json_lines(
    bench: Callable[..., subprocess.CompletedProcess[str]],
    write_suite: WriteSuite,
    tmp_path: Path,
) -> None:
    path = write_suite(budget=900)
    (planned,) = suite.plan(path, [1], "cpu")
    journal(tmp_path / "elsewhere", planned, steps(0, 1.0))
    on_cpu = ("plan", path, "--device", "cpu")
    without = bench(*on_cpu).stdout.splitlines()
    assert without[2:4] == ["1 cells", ""]
    assert without[-1].endswith(f"no pilot: bench run {path} --device cpu --index 0")
    pilot = bench(*on_cpu, "--results", "elsewhere").stdout
    assert "3,600  1 " in pilot and "1 trial in 1 journal" in pilot
    (line,) = bench(*on_cpu, "--results", "elsewhere", "--json").stdout.splitlines()
    assert json.loads(line)["key"] == planned.key
