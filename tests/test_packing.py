"""What packing is worth: against a case worked out by hand, and only where there is any."""

from pathlib import Path

import pandas as pd
import pytest
from journals import at, cell, end, finish, report, suggest, two_counts, write
from matplotlib.text import Text

from bench.cell import Cell
from bench.metrics import packing, summary
from bench.report import write as write_report
from bench.report.table import load

FOUR = {"budget": 4, "max_steps": 1}


def shared(seed: int = 0, share: float = 0.5, **more: object) -> Cell:
    return cell(seed=seed, **{"gpus_per_trial": share, **FOUR, **more})  # type: ignore[arg-type]


def searched(folder: Path, of: Cell, seconds: list[float], wall: float, **more: object) -> None:
    """A search whose trials report once each, at these seconds."""
    events = [suggest(trial) for trial in range(len(seconds))]
    events += [report(trial, when, 0.5) for trial, when in enumerate(seconds)]
    extra = list(more.pop("extra", []))  # type: ignore[call-overload]
    write(folder, of, [*events, *extra, end(wall)], **more)


def two_shares(folder: Path, device: str = "cpu") -> pd.DataFrame:
    """One core, four full trainings of one step.

    | trials a core, seed | results arrive  | end | all slots at | trainings after | in an hour |
    | 1, 0                | 10, 20, 30, 40  | 40  | 10           | 3 in 30 s       | 360        |
    | 1, 1                | 20, 40, 60, 80  | 100 | 20           | 3 in 80 s       | 135        |
    | 2, 0                | 16, 20, 24, 28  | 30  | 20           | 2 in 10 s       | 720        |
    | 2, 1                | 10, 20, 50, 80  | 100 | 20           | 2 in 80 s       | 90         |
    """
    for share, seed, seconds, wall in [
        (1.0, 0, [10, 20, 30, 40], 40),
        (1.0, 1, [20, 40, 60, 80], 100),
        (0.5, 0, [16, 20, 24, 28], 30),
        (0.5, 1, [10, 20, 50, 80], 100),
    ]:
        searched(folder, shared(seed, share, device=device), [*map(float, seconds)], float(wall))
    return packing.compute(load(folder))


def test_throughput_and_efficiency_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    frame = two_shares(tmp_path)
    alone, packed = at(frame, gpus_per_trial=1.0), at(frame, gpus_per_trial=0.5)
    assert (alone["trials_per_gpu"], packed["trials_per_gpu"]) == (1, 2)
    assert alone["throughput"] == pytest.approx((360 + 135) / 2)
    assert packed["throughput"] == pytest.approx((720 + 90) / 2)
    # with two seeds the interval is the range
    assert [packed["throughput_low"], packed["throughput_high"]] == pytest.approx([90, 720])
    assert [alone[f"efficiency{of}"] for of in ("", "_low", "_high")] == [1, 1, 1]
    assert packed["efficiency"] == pytest.approx((720 / 360 + 90 / 135) / 2)
    assert packed["efficiency_low"] == pytest.approx(90 / 135)
    assert packed["efficiency_high"] == pytest.approx(720 / 360)
    # of the whole: 4 trainings in 40, 100, 30 and 100 s
    assert packed["whole_efficiency"] == pytest.approx((40 / 30 + 100 / 100) / 2)
    assert (packed["n"], packed["pairs"], packed["failed_trials"]) == (2, 2, 0)
    assert packed["gpu_utilisation"] != packed["gpu_utilisation"], "nothing was sampled"


def test_what_fails_is_no_training(tmp_path: Path) -> None:
    """Four steps are spent, of which the third trained nothing: it had no memory."""
    searched(tmp_path, shared(share=1.0), [10, 20, 30, 40], 40)
    events = [suggest(trial) for trial in range(4)]
    events += [report(0, 10.0, 0.5), report(1, 20.0, 0.5)]
    events += [finish(2, 21.0, "failed", step=0, error="out of GPU memory"), report(3, 30.0, 0.5)]
    write(tmp_path, shared(), [*events, end(30.0)])
    packed = at(packing.compute(load(tmp_path)), gpus_per_trial=0.5)
    assert packed["throughput"] == pytest.approx(1 / 10 * 3600), "that of trial 3, in 20 to 30 s"
    assert packed["failed_trials"] == 1
    assert packed["whole_efficiency"] == pytest.approx((3 / 30) / (4 / 40))


def test_without_one_trial_per_gpu_there_is_throughput_and_no_efficiency(tmp_path: Path) -> None:
    for share in (0.5, 0.25):
        searched(tmp_path, shared(share=share), [10, 20, 30, 40], 50)
    frame = packing.compute(load(tmp_path))
    assert at(frame, gpus_per_trial=0.5)["throughput"] > 0
    assert frame["efficiency"].isna().all()
    four = at(frame, gpus_per_trial=0.25)
    assert pd.isna(four["throughput"]) and four["n"] == 0, "nothing after all four had a result"
    packing.draw(frame)


def test_it_is_in_no_report_of_one_number_of_gpus_a_trial(tmp_path: Path) -> None:
    frame = packing.compute(load(two_counts(tmp_path)))
    assert frame.empty
    assert packing.notes(frame) == []
    cells = [cell(gpus=gpus, seed=seed) for gpus in (1, 2) for seed in (0, 1)]
    written = write_report(tmp_path, cells, [])
    assert not [path for path in written.folder.iterdir() if "packing" in path.name]
    assert "packing" not in (written.folder / "report.md").read_text().lower()


def test_searches_that_all_failed_have_no_packing_and_a_report(tmp_path: Path) -> None:
    for share in (1.0, 0.5):
        write(tmp_path, shared(share=share), [{**end(3.0), "status": "failed"}])
    written = write_report(tmp_path, [shared(share=share) for share in (1.0, 0.5)], [])
    assert written.frames["packing"].empty


def texts(frame: pd.DataFrame) -> str:
    return "\n".join(each.get_text() for each in packing.draw(frame).findobj(Text))  # type: ignore[attr-defined]


def test_on_cpu_the_figure_speaks_of_fractions_of_cores_and_not_of_gpus(tmp_path: Path) -> None:
    frame = two_shares(tmp_path)
    shown = texts(frame)
    for said in ("trials per CPU core", "fractions of cores", "n = 2 seeds", "1 CPU core held"):
        assert said in shown, shown
    assert "GPU" not in shown
    (note,) = packing.notes(frame)
    assert note == (
        "Packing (bowl, 1 core, ray; fractions of cores): random trains most with 2 trials per "
        "core, 405 full trainings per core-hour, 1.33 times that of one; interval 0.67 to 2.00, "
        "n = 2."
    )


def test_a_report_has_its_figure_and_others_say_how_many_gpus_a_trial_had(tmp_path: Path) -> None:
    two_shares(tmp_path)
    cells = [shared(seed, share) for seed in (0, 1) for share in (1.0, 0.5)]
    written = write_report(tmp_path, cells, [])
    assert (written.folder / "packing.csv").exists()
    assert "packing-bowl.png" in [name for name, _ in written.figures]
    frame = summary.compute(load(tmp_path))
    half = summary.draw(frame[frame["gpus_per_trial"] == 0.5])
    assert any("0.5 CPU cores a trial" in each.get_text() for each in half.texts)  # type: ignore[attr-defined]
    whole = summary.draw(frame[frame["gpus_per_trial"] == 1])
    assert not any("a trial" in each.get_text() for each in whole.texts)


def test_how_busy_a_gpu_was_has_a_panel_where_it_was_sampled(tmp_path: Path) -> None:
    """A GPU that is busy 40 % of 10 s and 80 % of 30 s is so 70 % of the time."""
    samples = [
        {"event": "utilisation", "seconds": 40.0, "gpu": "GPU-a", "interval_seconds": seconds}
        | {"gpu_utilisation": busy, "memory_bytes": memory}
        for seconds, busy, memory in [(10.0, 0.4, 3_000), (30.0, 0.8, 2_000)]
    ]
    for share, extra in ((1.0, samples), (0.5, [{**samples[0], "gpu_utilisation": 0.9}])):
        of = shared(share=share, device="cuda")
        searched(tmp_path, of, [10, 20, 30, 40], 50, extra=extra)
    table = load(tmp_path)
    assert at(table.cells, gpus_per_trial=1.0)["gpu_utilisation"] == pytest.approx(0.7)
    assert at(table.cells, gpus_per_trial=1.0)["gpu_memory_bytes"] == 3_000
    frame = packing.compute(table)
    assert at(frame, gpus_per_trial=0.5)["gpu_utilisation"] == pytest.approx(0.9)
    shown = texts(frame)
    for said in ("trials per GPU", "NVML", "each with its part of the memory", "1 GPU held"):
        assert said in shown, shown
    assert "core" not in shown
