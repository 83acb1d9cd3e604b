"""The network behind `mnist_cnn`: how it is built, how it learns, and that it goes on exactly."""

import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_mnist_cnn import OPTIMIZERS, PLAIN, SCHEDULES, TINY, with_schedule
from torch import nn

from bench import data
from bench.objectives import _cnn
from bench.objectives.mnist_cnn import MnistCnn

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
