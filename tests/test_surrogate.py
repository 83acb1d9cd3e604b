"""The surrogate gives back what was recorded, and says how well it knows the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables import STEPS, rows, write

from bench import curve_table
from bench.curves import Curves
from bench.errors import UserError
from bench.quality import quality
from bench.surrogate import Surrogate


def table(folder: Path, count: int = 60, seeds: int = 1) -> Curves:
    return curve_table.read(write(folder / "t.parquet", rows(count, seeds)))


def surrogate_of(recorded: Curves, worst_loss: float) -> Surrogate:
    return Surrogate(recorded, "toy", worst_loss)


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    recorded = table(tmp_path)
    surrogate = surrogate_of(recorded, 10.0)
    for index in (0, 7, 59):
        curve = surrogate.curve(recorded.configurations[index], seed=5)
        losses = [values["loss"] for values in curve.values]
        assert losses == pytest.approx(recorded.losses[index].tolist(), rel=1e-6)
        assert curve.step_seconds == pytest.approx(recorded.step_seconds[index].tolist(), rel=1e-6)
        assert curve.start.seconds == 0.25
        assert curve.values[0]["accuracy"] == pytest.approx(recorded.metrics["accuracy"][index, 0])


def test_what_was_not_recorded_is_predicted(tmp_path: Path) -> None:
    surrogate = surrogate_of(table(tmp_path, count=200), 10.0)
    for lr, n in ((0.3, 1), (0.9, 4), (0.5, 2)):
        curve = surrogate.curve({"lr": lr, "n": n}, seed=0)
        expected = (lr - 0.3) ** 2 + n / 10 + 1 / STEPS
        assert curve.values[-1]["loss"] == pytest.approx(expected, rel=0.1)
        assert sum(curve.step_seconds) == pytest.approx(0.5 * n * STEPS, rel=0.1)


def test_chance_is_a_function_of_configuration_and_seed(tmp_path: Path) -> None:
    recorded = table(tmp_path, seeds=3)
    surrogate, again = (surrogate_of(recorded, 10.0) for _ in range(2))
    configuration = {"lr": 0.4, "n": 2}
    finals = [surrogate.curve(configuration, seed).values[-1]["loss"] for seed in range(40)]
    assert finals == [again.curve(configuration, seed).values[-1]["loss"] for seed in range(40)]
    assert len(set(finals)) == 40
    assert 0.01 < np.std(np.log(finals)) < 0.06  # recorded with a standard deviation of 2 %


def test_a_training_that_was_recorded_with_several_seeds_is_one_of_them(tmp_path: Path) -> None:
    recorded = table(tmp_path, seeds=3)
    surrogate = surrogate_of(recorded, 10.0)
    finals = {
        surrogate.curve(recorded.configurations[0], seed).values[-1]["loss"] for seed in range(40)
    }
    same = [each == recorded.configurations[0] for each in recorded.configurations]
    assert finals == set(recorded.losses[same, -1])
    assert len(finals) == 3


def test_of_a_great_table_a_part_is_learned_and_all_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.surrogate.MOST_KNOWN", 25)
    recorded = table(tmp_path)
    surrogate = surrogate_of(recorded, 10.0)
    assert quality(recorded, surrogate).configurations == 60
    for index in range(60):
        values = surrogate.curve(recorded.configurations[index], 0).values
        assert values[-1]["loss"] == recorded.losses[index, -1]


def test_kernels_that_the_table_has_are_not_fitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = rows(60)
    recorded = curve_table.read(write(tmp_path / "t.parquet", of))
    surrogate = surrogate_of(recorded, 10.0)
    about = {"kernels": surrogate.kernels()}
    monkeypatch.setattr("bench.surrogate.fitted", None)
    told = curve_table.read(write(tmp_path / "told.parquet", of, about))
    asked = {"lr": 0.4, "n": 2}
    assert surrogate_of(told, 10.0).curve(asked, 3) == surrogate.curve(asked, 3)


@pytest.mark.parametrize(
    "kernel",
    [
        {"variance": 1.0, "noise": 0.1, "length_scales": [1.0]},
        {"variance": -1.0, "noise": 0.1, "length_scales": [1.0, 1.0]},
        {"noise": 0.1, "length_scales": [1.0, 1.0]},
        {"variance": 1.0, "noise": 0.1, "length_scales": 3},
        "matern",
    ],
)
def test_kernels_of_another_space_are_refused(tmp_path: Path, kernel: Any) -> None:
    about = {"kernels": {"outcomes": kernel}}
    recorded = curve_table.read(write(tmp_path / "t.parquet", rows(60), about))
    with pytest.raises(UserError, match="metadata kernels: must have .* 2 length_scales"):
        surrogate_of(recorded, 10.0)


def test_what_was_not_recorded_varies_as_much_as_what_was(tmp_path: Path) -> None:
    """Predictions alone vary less: the best of many would be worse than the best for real."""
    recorded = table(tmp_path, count=300)
    surrogate = surrogate_of(recorded, 10.0)
    generator = np.random.default_rng(5)
    drawn = [
        {"lr": float(generator.uniform()), "n": int(generator.integers(1, 5))} for _ in range(300)
    ]
    finals = [surrogate.curve(each, 0).values[-1]["loss"] for each in drawn]
    for share in (0.05, 0.25, 0.5, 0.9):
        real = np.quantile(recorded.losses[:, -1], share)
        assert np.quantile(finals, share) == pytest.approx(real, rel=0.15)


def test_no_loss_is_worse_than_the_worst(tmp_path: Path) -> None:
    surrogate = surrogate_of(table(tmp_path, seeds=2), 0.4)
    losses = [v["loss"] for v in surrogate.curve({"lr": 0.9, "n": 4}, 0).values]
    assert losses == [0.4] * STEPS


def test_what_diverged_diverges_again_and_so_do_its_neighbours(tmp_path: Path) -> None:
    """Trainings with lr > 0.8 have no number for a loss at their second step."""

    def loss(row: dict[str, Any]) -> float:
        diverges = row["configuration"]["lr"] > 0.8 and row["step"] == 2
        return 9.0 if diverges else float(row["loss"])

    of = [
        {**row, "loss": loss(row)}
        for row in rows(200)
        if row["configuration"]["lr"] <= 0.8 or row["step"] <= 2
    ]
    recorded = curve_table.read(write(tmp_path / "t.parquet", of, {"worst_loss": 9.0}))
    surrogate = surrogate_of(recorded, 9.0)
    for lr in (0.85, 0.95):
        first, second, *_ = surrogate.curve({"lr": lr, "n": 2}, 0).values
        assert np.isfinite(first["loss"])
        assert np.isnan(second["loss"])
    for lr in (0.3, 0.7):
        values = surrogate.curve({"lr": lr, "n": 2}, 0).values
        assert all(np.isfinite(each["loss"]) for each in values)


def test_losses_below_zero_are_predicted_as_they_are(tmp_path: Path) -> None:
    of = rows(60)
    for row in of:
        row["loss"] -= 2.0
    recorded = curve_table.read(write(tmp_path / "t.parquet", of))
    curve = surrogate_of(recorded, 10.0).curve(recorded.configurations[3], 0)
    assert curve.values[-1]["loss"] == pytest.approx(recorded.losses[3, -1])


def test_quality_is_that_of_configurations_it_was_not_told(tmp_path: Path) -> None:
    recorded = table(tmp_path, count=120, seeds=2)
    found = quality(recorded, surrogate_of(recorded, 10.0))
    assert found.configurations == 120
    assert 0.8 < found.r2 <= 1
    assert 0.9 < found.rank_correlation <= 1
    assert found.loss_error < 0.1
    assert found.seconds_error < 0.2


def test_a_table_too_poor_to_rank_by_is_refused_with_the_figure(tmp_path: Path) -> None:
    of = rows(30)
    generator = np.random.default_rng(1)
    for row in of:
        row["loss"] = float(generator.uniform())
    recorded = curve_table.read(write(tmp_path / "t.parquet", of))
    with pytest.raises(UserError, match=r"too poor .* correlation of final loss -?0\.\d\d"):
        quality(recorded, surrogate_of(recorded, 10.0))
