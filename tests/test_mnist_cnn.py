"""The MNIST network: its search space, its learning, and training that goes on exactly."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bench.errors import UserError
from bench.objectives import _cnn
from bench.objectives._images import split
from bench.objectives.mnist_cnn import MnistCnn

OPTIMIZERS = ["adam", "sgd", "adamw"]
SCHEDULES = ["none", "cosine", "step", "onecycle"]
PLAIN: dict[str, Any] = {
    "lr": 2e-3,
    "batch_size": 16,
    "optimizer": "adam",
    "weight_decay": 0.01,
    "conv1": 8,
    "conv2": 8,
    "conv3": 0,
    "kernel1": 3,
    "kernel2": 3,
    "activation": "relu",
    "dropout": 0.3,
    "fc_dim": 32,
    "schedule": "none",
}
TINY = MnistCnn(max_steps=5, train_images=48, validation_images=32, max_channels=16)


def with_schedule(optimizer: str, schedule: str) -> dict[str, Any]:
    steps = {"step_size": 2, "gamma": 0.5} if schedule == "step" else {}
    return {**PLAIN, "optimizer": optimizer, "schedule": schedule, **steps}


# The search space


def test_the_search_space_is_the_one_asked_for() -> None:
    space = MnistCnn(max_steps=9).space()
    ranges = {
        name: (each.lower, each.upper, each.log)
        for name, each in space.items()
        if hasattr(each, "lower")
    }
    assert ranges == {
        "lr": (1e-5, 5e-3, True),
        "weight_decay": (0, 0.1, False),
        "conv1": (8, 64, True),
        "conv2": (16, 128, True),
        "dropout": (0, 0.5, False),
        "fc_dim": (64, 512, True),
        "step_size": (1, 8, False),
        "gamma": (0.1, 0.9, False),
    }
    choices = {name: each.choices for name, each in space.items() if hasattr(each, "choices")}
    assert choices == {
        "batch_size": (16, 32, 64, 128),
        "optimizer": ("adam", "sgd", "adamw"),
        "conv3": (0, 16, 32, 64, 128),
        "kernel1": (3, 5, 7),
        "kernel2": (3, 5, 7),
        "kernel3": (3, 5, 7),
        "activation": ("relu", "gelu", "silu"),
        "schedule": ("none", "cosine", "step", "onecycle"),
    }


def test_kernel3_and_the_settings_of_a_step_schedule_exist_only_where_they_matter() -> None:
    space = MnistCnn().space()
    space.seed(0)
    always = set(space) - {"kernel3", "step_size", "gamma"}
    for sample in map(dict, space.sample_configuration(200)):
        kernel3 = {"kernel3"} if sample["conv3"] != 0 else set()
        step = {"step_size", "gamma"} if sample["schedule"] == "step" else set()
        assert set(sample) == always | kernel3 | step


@pytest.mark.parametrize("most", [16, 32, 128])
def test_max_channels_caps_every_width_and_leaves_a_range(most: int) -> None:
    space = MnistCnn(max_channels=most).space()
    for name, cap in (("conv1", most), ("conv2", most), ("fc_dim", 4 * most)):
        assert space[name].lower < space[name].upper <= cap
    assert max(space["conv3"].choices) == most


@pytest.mark.parametrize("max_steps", [1, 2])
def test_even_the_shortest_training_has_a_legal_step_size(max_steps: int) -> None:
    space = MnistCnn(max_steps=max_steps).space()
    assert (space["step_size"].lower, space["step_size"].upper) == (1, 2)


@pytest.mark.parametrize(
    "options",
    [{"max_steps": 0}, {"train_images": 55_001}, {"validation_images": 5_001}, {"max_channels": 8}],
)
def test_options_out_of_bounds_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        MnistCnn(**options)


def test_planning_with_the_objective_loads_no_heavy_package() -> None:
    script = "import sys, bench.objectives.mnist_cnn as m; m.MnistCnn(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"torch", "ConfigSpace", "numpy"} & set(done.stdout.split())


# The data


def test_training_and_validation_share_no_image() -> None:
    train, validation = split("mnist", 60_000, 55_000, 5_000)
    assert sorted(train) == list(range(55_000))
    assert list(validation) == list(range(55_000, 60_000))


def test_the_split_is_always_the_same_and_a_smaller_one_is_part_of_a_larger_one() -> None:
    small, large = split("mnist", 60_000, 10, 7)[0], split("mnist", 60_000, 1000, 9)[0]
    assert list(small) == list(large[:10])
    assert list(small[:3]) == [22479, 26637, 11113]


def test_without_the_data_the_objective_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    with pytest.raises(UserError, match="bench data mnist"):
        MnistCnn().prepare()


@pytest.mark.usefixtures("checksums")
def test_tensors_are_normalised_and_kept_for_the_next_trial() -> None:
    first, second = (TINY.train(PLAIN, seed, "cpu") for seed in (1, 2))
    assert isinstance(first, _cnn.CnnTraining)
    assert isinstance(second, _cnn.CnnTraining)
    assert first.data.train.shape == (48, 1, 28, 28)
    assert first.data.validation.shape == (32, 1, 28, 28)
    assert first.data.train.max().item() == pytest.approx((1 - 0.1307) / 0.3081)
    assert first.data is second.data
