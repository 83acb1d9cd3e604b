"""Regret, utilisation and summary against numbers worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest
from journals import cell, end, finish, report, results, search, suggest, two_counts, write

from bench.cell import PlugIn
from bench.metrics import ledger, regret, scaling, summary, target
from bench.report.table import load


def test_regret_is_the_median_incumbent_above_the_optimum_once_results_have_arrived(
    tmp_path: Path,
) -> None:
    frame = regret.compute(load(two_counts(tmp_path)))
    one = frame[(frame["gpus"] == 1) & (frame["axis"] == "steps")]
    # incumbents 0.9 0.5 0.5 and 0.8 0.8 0.3: medians 0.85, 0.65, 0.4; with two seeds the interval
    # is the range
    assert one["x"].tolist() == [1, 2, 3]
    assert one["regret"].tolist() == pytest.approx([0.85, 0.65, 0.4])
    assert one["low"].tolist() == pytest.approx([0.8, 0.5, 0.3])
    assert one["high"].tolist() == pytest.approx([0.9, 0.8, 0.5])
    assert set(one["n"]) == {2}
    assert set(one["reference_from"]) == {"the objective's known optimum"}


def test_no_run_has_a_regret_before_its_first_result(tmp_path: Path) -> None:
    frame = regret.compute(load(two_counts(tmp_path)))
    seconds = frame[(frame["gpus"] == 1) & (frame["axis"] == "seconds")]
    assert seconds["x"].min() == 12, "the second seed's first result"
    assert seconds["regret"].iloc[0] == pytest.approx((0.9 + 0.8) / 2)
    before = seconds[seconds["x"] < 20].iloc[-1]
    assert before["regret"] == pytest.approx((0.9 + 0.8) / 2), "0.5 has not arrived yet"


def test_gpu_seconds_are_gpus_times_wall_seconds(tmp_path: Path) -> None:
    frame = regret.compute(load(two_counts(tmp_path)))
    two = frame[(frame["gpus"] == 2) & (frame["axis"] == "gpu_seconds")]
    assert two["x"].min() == 2 * 8
    assert two["x"].max() == 2 * 20, "to the last end"


def test_regret_without_a_known_optimum_is_above_the_best_loss_of_all_journals(
    tmp_path: Path,
) -> None:
    results(tmp_path, cell("tpe"), (1, 0.9), (2, 0.5), (3, 0.5), wall=4)
    results(tmp_path, cell("random"), (1, 0.8), (2, 0.7), (3, 0.2), wall=4)
    frame = regret.compute(load(tmp_path))
    tpe = frame[(frame["algorithm"] == "tpe") & (frame["axis"] == "steps")]
    assert tpe["regret"].tolist() == pytest.approx([0.7, 0.3, 0.3])
    assert tpe["low"].isna().all(), "one seed gives no interval"
    assert set(tpe["reference_from"]) == {"the best loss in all journals of this objective"}
    assert regret.notes(frame) == [
        "Regret on bowl is the loss above 0.2, the best loss in all journals of this objective."
    ]


def test_a_failed_run_is_no_longer_counted_after_its_end(tmp_path: Path) -> None:
    results(tmp_path, cell(seed=0), (1, 0.4), (2, 0.4), (9, 0.3), wall=10, optimum=0.0)
    events = [suggest(0), report(0, 1.0, 0.8), end(5.0, "failed", "ran past max_seconds = 5")]
    write(tmp_path, cell(seed=1), events, optimum=0.0)
    frame = regret.compute(load(tmp_path))
    seconds = frame[frame["axis"] == "seconds"]
    watched, after = seconds[seconds["x"] <= 5], seconds[seconds["x"] > 5]
    assert set(watched["n"]) == {2}
    assert watched["regret"].to_numpy() == pytest.approx(0.6)
    assert set(after["n"]) == {1}
    assert after["regret"].iloc[-1] == pytest.approx(0.3)


def test_a_complete_run_keeps_its_final_regret(tmp_path: Path) -> None:
    results(tmp_path, cell(seed=0), (1, 0.2), (2, 0.2), (3, 0.2), wall=3, optimum=0.0)
    results(tmp_path, cell(seed=1), (1, 0.8), (2, 0.8), (9, 0.8), wall=10, optimum=0.0)
    frame = regret.compute(load(tmp_path))
    last = frame[frame["axis"] == "seconds"].iloc[-1]
    assert (last["x"], last["n"]) == (10, 2)
    assert last["regret"] == pytest.approx(0.5)


def test_utilisation_is_gpu_seconds_training_of_gpu_seconds_held(tmp_path: Path) -> None:
    # 3 steps of 4 s on half a GPU each = 6 GPU-seconds, of 2 GPUs held for 10 s = 20
    events = [report(trial, 4.0 + trial, 0.5, step_seconds=4.0) for trial in range(3)]
    write(tmp_path, cell(gpus=2, gpus_per_trial=0.5), [*events, end(10.0)])
    table = load(tmp_path)
    assert summary.compute(table).iloc[0]["utilisation"] == pytest.approx(0.3)
    assert ledger.compute(table).iloc[0]["training"] == pytest.approx(0.3)


def test_the_summary_says_what_was_found_and_what_it_cost(tmp_path: Path) -> None:
    events = [
        suggest(0, 0.5, suggest_seconds=0.5),
        report(0, 2.0, 0.6, accuracy=0.7, step_seconds=1.0),
        {"event": "decide", "seconds": 2.0, "decide_seconds": 0.25, "observe_seconds": 0.15},
        suggest(1, 3.0, suggest_seconds=0.1),
        report(1, 4.0, 0.2, accuracy=0.9, step_seconds=1.0),
        suggest(2, 4.0),
        finish(2, 6.0, "failed", error="it raised"),
        end(10.0),
    ]
    write(tmp_path, cell(), events)
    row = summary.compute(load(tmp_path)).iloc[0]
    assert (row["n"], row["complete"], row["failed_trials"]) == (1, 1, 1)
    assert (row["final_loss"], row["accuracy"]) == (0.2, 0.9)
    assert (row["trials"], row["steps"]) == (3, 3), "the failed trial's step is spent"
    assert row["optimiser_share"] == pytest.approx((0.5 + 0.25 + 0.15 + 0.1) / 10)
    assert (row["seconds_to_target"], row["reached_target"]) == (4.0, 1)


def test_the_summary_takes_no_final_loss_from_a_failed_search(tmp_path: Path) -> None:
    results(tmp_path, cell(seed=0), (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    write(tmp_path, cell(seed=1), [report(0, 1.0, 0.1), end(5.0, "failed", "time")])
    row = summary.compute(load(tmp_path)).iloc[0]
    assert (row["n"], row["complete"], row["final_loss"]) == (2, 1, 0.5)


def test_a_search_that_ended_before_its_budget_was_spent_is_not_complete(tmp_path: Path) -> None:
    results(tmp_path, cell(), (1, 0.1), wall=2)
    table = load(tmp_path)
    assert not table.cells["complete"].any()
    assert table.problems["what"].tolist() == ["short"]
    assert "1 of 3 steps" in table.problems["why"].iloc[0]


@pytest.mark.parametrize("metric", [ledger, regret, target, scaling, summary])
def test_settings_are_never_averaged_together(metric, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    base = cell()
    for other in (
        base,
        replace(base, device="cuda"),
        replace(base, engine="virtual"),
        replace(base, budget=2),
        replace(base, objective=PlugIn("bowl", {"max_steps": 1, "noise": 0.1})),
    ):
        results(tmp_path, other, (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    table = load(tmp_path)
    assert table.problems.empty
    frame = metric.compute(table)
    assert set(frame["n"]) == {1}
    assert sorted(frame["objective"].unique()) == ["bowl noise=0.1", "bowl noise=None"]


@pytest.mark.parametrize("gpus", [1, 3])
def test_regret_never_rises_and_utilisation_is_a_share(gpus: int, tmp_path: Path) -> None:
    for seed in range(4):
        search(tmp_path, cell(gpus=gpus, seed=seed, budget=6, max_steps=5), stops=True)
    table = load(tmp_path)
    frame = regret.compute(table)
    for _, curve in frame.groupby("axis"):
        assert (curve["regret"].diff().dropna() <= 1e-12).all()
        assert (curve["low"] <= curve["regret"]).all()
        assert (curve["regret"] <= curve["high"]).all()
    assert table.cells["utilisation"].between(0, 1).all()
