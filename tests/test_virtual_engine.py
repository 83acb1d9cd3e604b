"""Searches on the virtual clock: as users run them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import records, run_bench
from tables import STEPS, rows, write

from bench.engines._costs import AsCharged, between, latencies
from bench.journal import Record

Bench = Callable[..., subprocess.CompletedProcess[str]]

SUITE = """
budget = 8
seeds = 2
gpus = [1, 4]
[[engines]]
name = "virtual"
{settings}
[[objectives]]
{objective}
[[algorithms]]
name = "random"
[[algorithms]]
name = "asha"
[[algorithms]]
name = "tpe"
seeds = [0]
"""


def suite(folder: Path, objective: str = 'path = "t.parquet"', **settings: Any) -> Path:
    folder.mkdir(exist_ok=True)
    if not (folder / "t.parquet").exists():
        write(folder / "t.parquet", rows(60, seeds=2))
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    path = folder / "suite.toml"
    path.write_text(SUITE.format(objective=objective, settings=lines))
    return path


def searches(folder: Path, **settings: Any) -> list[Record]:
    printed = run_bench(suite(folder, **settings).parent, "run", "suite.toml")
    assert printed.returncode == 0, printed.stderr
    return records(folder)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("virtual") / "first"
    searches(folder)
    return folder


def test_a_users_table_is_an_objective(ran: Path) -> None:
    found = records(ran)
    assert len(found) == 2 * (2 + 2 + 1), "tpe has a seed of its own"
    for record in found:
        assert record.header["clock"] == "virtual"
        assert record.header["cell"]["objective"]["name"] == "t"
        assert record.end is not None
        assert record.end["status"] == "completed"
        reports = [event for event in record.events if event["event"] == "report"]
        assert len(reports) == 8 * STEPS
        assert {"loss", "accuracy", "step_seconds", "step"} <= set(reports[0])
        assert record.header["engine"]["quality"]["configurations"] == 60


def test_two_runs_differ_in_their_time_stamps_alone(ran: Path, tmp_path: Path) -> None:
    def lines(folder: Path) -> dict[str, list[str]]:
        found = {}
        for path in sorted((folder / "results" / "suite").glob("*.jsonl")):
            header, *events = path.read_text().splitlines()
            fields = json.loads(header)
            del fields["started"]
            fields["cell"]["objective"].pop("path")
            found[path.name] = [json.dumps(fields), *events]
        return found

    other = tmp_path / "second"
    (other).mkdir()
    (other / "t.parquet").write_bytes((ran / "t.parquet").read_bytes())
    searches(other)
    assert lines(other) == lines(ran)


def test_the_clock_is_that_of_the_trainings_and_the_start_ups(tmp_path: Path) -> None:
    """One slot: the end is the sum of what was trained, started and thought."""
    for record in searches(tmp_path / "a"):
        if (
            record.header["cell"]["gpus"] > 1
            or record.header["cell"]["algorithm"]["name"] == "asha"
        ):
            continue
        spent = sum(
            event.get(name, 0.0)
            for event in record.events
            for name in ("step_seconds", "setup_seconds", "suggest_seconds", "observe_seconds")
        )
        last = record.events[-1]
        late = last.get("observe_seconds", 0.0) if last["event"] == "finish" else 0.0
        assert record.end is not None
        assert record.end["seconds"] == pytest.approx(spent - late, rel=1e-9)


def test_more_slots_are_quicker_and_never_run_more_trials_at_once(ran: Path) -> None:
    ends: dict[tuple[str, int], dict[int, float]] = {}
    for record in records(ran):
        cell = record.header["cell"]
        assert record.end is not None
        of = ends.setdefault((cell["algorithm"]["name"], cell["seed"]), {})
        of[cell["gpus"]] = record.end["seconds"]
        flying: set[int] = set()
        for event in record.events:
            if event["event"] == "suggest":
                flying.add(event["trial"])
            elif event["event"] == "finish":
                flying.discard(event["trial"])
            assert len(flying) <= cell["gpus"]
    for times in ends.values():
        assert times[4] < times[1]


def test_slow_gpus_and_failures_are_part_of_the_cell(ran: Path, tmp_path: Path) -> None:
    slow = searches(tmp_path / "slow", straggler_share=0.5, straggler_factor=4.0)
    assert not {record.header["key"] for record in slow} & {r.header["key"] for r in records(ran)}
    training = [sum(e.get("step_seconds", 0.0) for e in r.events) for r in slow]
    usual = [sum(e.get("step_seconds", 0.0) for e in r.events) for r in records(ran)]
    assert sum(training) > 1.5 * sum(usual)
    failing = searches(tmp_path / "failing", failures_per_gpu_hour=200.0)
    errors = [e["error"] for r in failing for e in r.events if e.get("status") == "failed"]
    assert errors
    assert set(errors) == {"Lost: its GPU failed (simulated)"}
    for record in failing:
        assert record.end is not None
        assert record.end["status"] == "completed", "failures are spent budget, not the end"


def test_thinking_is_charged_from_the_measured_table(ran: Path, tmp_path: Path) -> None:
    points, _ = latencies()["tpe"]
    (charged,) = [
        r for r in records(ran) if "-tpe-" in r.header["key"] and r.header["cell"]["gpus"] == 1
    ]
    first = next(event for event in charged.events if event["event"] == "suggest")
    assert first["suggest_seconds"] == points[0][1]
    free = searches(tmp_path / "free", thinking="none")
    assert not any(event.get("suggest_seconds") for r in free for event in r.events)


def test_charges_grow_with_the_trials_that_have_ended() -> None:
    points = [(10, 1.0), (50, 5.0)]
    assert [between(points, n) for n in (0, 10, 20, 50, 60)] == [1.0, 1.0, 2.0, 5.0, 5.0]
    costs = AsCharged(points, [(10, 0.5)])
    for _ in range(20):
        assert costs.of("complete", lambda: None) == (None, 0.5)
    assert costs.of("suggest", lambda: {"lr": 1.0})[1] == 2.0
    assert costs.of("suggest", lambda: None)[1] == 0.0, "it gave nothing"
    assert {"observe", "decide"} == set(costs.free)


def test_what_was_not_recorded_is_skipped_and_says_how_to_record_it(
    bench: Bench, tmp_path: Path
) -> None:
    suite(tmp_path, 'name = "branin"')
    printed = bench("run", "suite.toml", "--device", "cpu")
    assert printed.returncode == 1
    assert "no curves of branin with these options were recorded on cpu: bench record branin" in (
        printed.stderr
    )


def test_a_table_cannot_be_trained(bench: Bench, tmp_path: Path) -> None:
    path = suite(tmp_path)
    path.write_text(path.read_text().replace('name = "virtual"', 'name = "ray"'))
    printed = bench("plan", "suite.toml")
    assert printed.returncode == 2
    assert "on t: a table holds trainings that are over" in printed.stderr


def test_a_poor_table_is_refused_with_the_figure(bench: Bench, tmp_path: Path) -> None:
    of = rows(20)
    for index, row in enumerate(of):
        row["loss"] = float((index * 7919) % 101)
    write(tmp_path / "t.parquet", of)
    suite(tmp_path)
    printed = bench("run", "suite.toml", "--gpus", "1,3")
    assert printed.returncode == 2
    assert printed.stderr.count("\n") <= 2
    assert "too poor to rank configurations by" in printed.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": 3}, "engines[0] (virtual).speed: unknown key; legal: failures_per_gpu_hour"),
        ({"straggler_share": 2.0}, "engines[0] (virtual).straggler_share: input should be less"),
        ({"thinking": "much"}, "engines[0] (virtual).thinking: input should be 'charged'"),
    ],
)
def test_a_bad_setting_is_one_line(
    settings: dict[str, Any], message: str, bench: Bench, tmp_path: Path
) -> None:
    suite(tmp_path, **settings)
    printed = bench("plan", "suite.toml")
    assert printed.returncode == 2
    assert message in printed.stderr
