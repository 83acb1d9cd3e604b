"""The MNIST network: its search space, its learning, and training that goes on exactly."""

import itertools
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from bench import data
from bench.errors import UserError
from bench.objectives import _cnn
from bench.objectives._mnist import split
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
    train, validation = split(60_000, 55_000, 5_000)
    assert sorted(train) == list(range(55_000))
    assert list(validation) == list(range(55_000, 60_000))


def test_the_split_is_always_the_same_and_a_smaller_one_is_part_of_a_larger_one() -> None:
    small, large = split(60_000, 10, 7)[0], split(60_000, 1000, 9)[0]
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
    assert first.images.shape == (48, 1, 28, 28)
    assert first.validation_images.shape == (32, 1, 28, 28)
    assert first.images.max().item() == pytest.approx((1 - 0.1307) / 0.3081)
    assert first.images is second.images


# The network


def test_the_network_is_built_as_configured() -> None:
    wide = {**PLAIN, "conv3": 16, "kernel3": 7, "activation": "gelu", "kernel2": 5}
    shapes = [tuple(p.shape) for p in _cnn.build(wide).parameters() if p.ndim > 1]
    conv = [(8, 1, 3, 3), (8, 8, 5, 5), (16, 8, 7, 7)]
    assert shapes == [*conv, (32, 16 * 3 * 3), (10, 32)]
    shapes = [tuple(p.shape) for p in _cnn.build(PLAIN).parameters() if p.ndim > 1]
    assert shapes == [*conv[:1], (8, 8, 3, 3), (32, 8 * 7 * 7), (10, 32)]


def test_relu_after_pooling_gives_the_numbers_of_relu_before_it() -> None:
    outcomes = []
    for layers in ([nn.ReLU(), nn.MaxPool2d(2)], [nn.MaxPool2d(2), nn.ReLU()]):
        image = torch.linspace(-3, 3, 4 * 64).sin().reshape(4, 1, 8, 8).requires_grad_()
        output = nn.Sequential(*layers)(image)
        output.square().sum().backward()
        outcomes.append((output, image.grad))
    (before, gradient_before), (after, gradient_after) = outcomes
    assert torch.equal(before, after)
    assert gradient_before is not None
    assert gradient_after is not None
    assert torch.equal(gradient_before, gradient_after)


def test_optimisers_are_those_that_the_configuration_names() -> None:
    network = nn.Linear(2, 2)
    kinds = {}
    for name in OPTIMIZERS:
        optimizer = _cnn.make_optimizer(network, {**PLAIN, "optimizer": name})
        kinds[name] = type(optimizer)
        assert optimizer.defaults["lr"] == 2e-3
        assert optimizer.defaults["weight_decay"] == 0.01
        assert optimizer.defaults.get("momentum") == (0.9 if name == "sgd" else None)
    assert kinds == {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}


@pytest.mark.usefixtures("checksums")
@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("none", [1, 1, 1, 1]),
        ("cosine", [(1 + math.cos(math.pi * n / 5)) / 2 for n in (1, 2, 3, 4)]),
        ("step", [1, 0.5, 0.5, 0.25]),
    ],
)
def test_learning_rates_follow_the_schedule_by_epochs(schedule: str, shares: list[float]) -> None:
    training = TINY.train(with_schedule("sgd", schedule), 0, "cpu")
    assert isinstance(training, _cnn.CnnTraining)
    rates = []
    for _ in shares:
        training.step()
        rates.append(training.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([2e-3 * share for share in shares])


@pytest.mark.usefixtures("checksums")
def test_the_one_cycle_policy_ends_near_zero_at_the_last_batch_of_the_last_epoch() -> None:
    training = TINY.train(with_schedule("adam", "onecycle"), 0, "cpu")
    assert isinstance(training, _cnn.CnnTraining)
    rates: list[float] = []
    training.optimizer.register_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    for _ in range(5):
        training.step()
    assert len(rates) == 5 * 3
    assert max(rates) == pytest.approx(2e-3, rel=0.1)
    assert rates[-1] < 1e-6


# The training


@pytest.mark.usefixtures("checksums")
def test_the_loss_falls_from_guessing_towards_nothing() -> None:
    objective = MnistCnn(max_steps=8, train_images=200, validation_images=100)
    training = objective.train({**PLAIN, "dropout": 0.0}, 3, "cpu")
    outcomes = [training.step() for _ in range(8)]
    assert set(outcomes[0]) == {"loss", *MnistCnn.metrics}
    assert all(type(value) is float for value in outcomes[0].values())
    assert outcomes[-1]["loss"] < MnistCnn.worst_loss / 4
    assert outcomes[-1]["accuracy"] > 0.8


@pytest.mark.usefixtures("checksums")
def test_a_seed_fixes_every_number_whatever_the_process_drew_before() -> None:
    outcomes = []
    for seed, disturbance in ((1, 10), (1, 20), (2, 10)):
        torch.manual_seed(disturbance)
        training = TINY.train(PLAIN, seed, "cpu")
        first = training.step()
        torch.rand(disturbance)
        outcomes.append((first, training.step()))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != outcomes[2]


@pytest.mark.usefixtures("checksums")
def test_training_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    TINY.train(PLAIN, 1, "cpu").step()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.usefixtures("checksums")
def test_each_epoch_shuffles_and_drops_out_anew() -> None:
    frozen = {**PLAIN, "lr": 0.0}
    training = TINY.train(frozen, 1, "cpu")
    assert isinstance(training, _cnn.CnnTraining)
    gradients = []
    for _ in range(2):
        training.step()
        gradients.append(
            [p.grad.clone() for p in training.network.parameters() if p.grad is not None]
        )
    assert not any(torch.equal(one, two) for one, two in zip(*gradients, strict=True))


@pytest.mark.usefixtures("checksums")
def test_dropout_acts_in_training_and_not_in_evaluation() -> None:
    dropped, kept = (TINY.train({**PLAIN, "dropout": share}, 1, "cpu") for share in (0.5, 0.0))
    assert dropped.step() != kept.step()
    still = TINY.train({**PLAIN, "dropout": 0.5, "lr": 0.0}, 1, "cpu")
    assert still.step() == still.step()


@pytest.mark.usefixtures("checksums")
def test_a_diverged_training_says_nan() -> None:
    training = TINY.train({**PLAIN, "optimizer": "sgd", "lr": 1e30}, 0, "cpu")
    assert math.isnan([training.step() for _ in range(2)][-1]["loss"])


@pytest.mark.usefixtures("checksums")
def test_every_corner_of_the_search_space_builds_and_trains() -> None:
    objective = MnistCnn(max_steps=1, train_images=16, validation_images=16)
    widths = {"conv1": (8, 64), "conv2": (16, 128), "conv3": (0, 128), "fc_dim": (64, 512)}
    for *values, kernel in itertools.product(*widths.values(), (3, 7)):
        kernels = {"kernel1": kernel, "kernel2": kernel, "kernel3": kernel}
        corner = dict(zip(widths, values, strict=True)) | kernels
        outcome = objective.train({**PLAIN, **corner}, 0, "cpu").step()
        assert math.isfinite(outcome["loss"]), corner


@pytest.mark.usefixtures("checksums")
def test_random_configurations_train() -> None:
    space = TINY.space()
    space.seed(1)
    for sample in space.sample_configuration(20):
        plain = {k: v.item() if hasattr(v, "item") else v for k, v in dict(sample).items()}
        assert math.isfinite(TINY.train(plain, 0, "cpu").step()["loss"])


ELSEWHERE = """
import json, sys
from pathlib import Path
import torch
from bench.data import mnist
from bench.objectives.mnist_cnn import MnistCnn

torch.manual_seed(99)
asked = json.loads(sys.argv[1])
mnist.FILES = asked["files"]
for job in asked["jobs"]:
    training = MnistCnn(**asked["options"]).train(job["configuration"], 5, "cpu")
    training.load(Path(job["state"]).read_bytes())
    print(json.dumps([training.step(), training.step()]))
    Path(job["state"]).write_bytes(training.state())
"""


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_five_epochs_are_three_and_then_two_in_another_process_bit_for_bit(
    optimizer: str, checksums: dict[str, str], tmp_path: Path
) -> None:
    jobs, expected = [], []
    for schedule in SCHEDULES:
        configuration = with_schedule(optimizer, schedule)
        jobs.append({"configuration": configuration, "state": f"{schedule}.state"})
        training = TINY.train(configuration, 5, "cpu")
        for _ in range(3):
            training.step()
        (tmp_path / f"{schedule}.state").write_bytes(training.state())
        outcomes = [training.step(), training.step()]
        expected.append((outcomes, training))
    asked = json.dumps({"files": checksums, "options": TINY.model_dump(), "jobs": jobs})
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, asked],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == [outcomes for outcomes, _ in expected]
    for schedule, (_, training) in zip(SCHEDULES, expected, strict=True):
        resumed = TINY.train(with_schedule(optimizer, schedule), 5, "cpu")
        resumed.load((tmp_path / f"{schedule}.state").read_bytes())
        assert isinstance(training, _cnn.CnnTraining)
        assert isinstance(resumed, _cnn.CnnTraining)
        for one, other in zip(
            training.network.parameters(), resumed.network.parameters(), strict=True
        ):
            assert torch.equal(one, other), schedule


def test_real_digits_are_learned_in_three_epochs() -> None:
    if not (data.root() / "mnist").exists():
        pytest.skip(f"no MNIST in {data.root().absolute()}; `bench data mnist` fetches it")
    training = MnistCnn(train_images=1000).train({**PLAIN, "lr": 5e-3, "dropout": 0.0}, 0, "cpu")
    assert [training.step() for _ in range(3)][-1]["accuracy"] > 0.85
