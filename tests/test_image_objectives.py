"""ResNet-18 on Fashion-MNIST, the small network on CIFAR-10: what is built, what it learns."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import UserError
from bench.objective import Objective
from bench.objectives._images import split
from bench.objectives._lenet import LenetTraining
from bench.objectives._lenet import build as lenet
from bench.objectives._resnet18 import Block, ResNet18, ResnetTraining
from bench.objectives.cifar10_cnn import Cifar10Cnn
from bench.objectives.fashion_mnist_resnet18 import FashionMnistResnet18

RESNET = {"lr": 5e-4, "batch_size": 32}
LENET = {"lr": 3e-3, "batch_size": 4, "l1": 120, "l2": 84}


# The networks


def test_the_resnet_has_the_published_ones_parameters_but_for_stem_and_head() -> None:
    """Torchvision's has 11,689,512 of them, for 3 channels and 1,000 classes."""
    count = sum(each.numel() for each in ResNet18().parameters())
    assert count == 11_689_512 - 2 * 49 * 64 - 990 * 513
    assert len(ResNet18().state_dict()) == 122


def test_the_stem_keeps_the_size_of_an_image_and_four_stages_halve_it_thrice() -> None:
    network, images = ResNet18(8), torch.zeros(2, 1, 28, 28)
    assert network.stem[0](images).shape == (2, 8, 28, 28)
    sides = [(8, 14), (8, 14), (16, 7), (16, 7), (32, 4), (32, 4), (64, 2), (64, 2)]
    values = network.stem(images)
    for block, (channels, side) in zip(network.blocks, sides, strict=True):
        values = block(values)
        assert values.shape == (2, channels, side, side)
    assert network(images).shape == (2, 10)


def test_a_block_whose_residual_is_nothing_gives_its_input() -> None:
    block = Block(4, 4, stride=1)
    torch.nn.init.zeros_(block.residual[-1].weight)  # type: ignore[arg-type]
    images = torch.rand(2, 4, 5, 5)
    assert torch.equal(block(images), images)


def test_convolutions_of_the_blocks_begin_as_he_proposes() -> None:
    torch.manual_seed(0)
    weights = ResNet18().blocks[-1].residual[3].weight  # type: ignore[index, union-attr]
    assert weights.std().item() == pytest.approx(math.sqrt(2 / (9 * 512)), rel=0.01)  # type: ignore[operator]


def test_the_small_network_is_the_tutorials() -> None:
    shapes = [tuple(each.shape) for each in lenet(120, 84).parameters() if each.ndim > 1]
    assert shapes == [(6, 3, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


# The search spaces


def test_the_search_spaces_are_those_of_the_tutorials() -> None:
    resnet, small = FashionMnistResnet18().space(), Cifar10Cnn().space()
    assert (resnet["lr"].lower, resnet["lr"].upper, resnet["lr"].log) == (1e-5, 1e-3, False)
    assert resnet["batch_size"].choices == (32, 64, 128)
    assert (small["lr"].lower, small["lr"].upper, small["lr"].log) == (1e-4, 1e-1, True)
    assert small["batch_size"].choices == (2, 4, 8, 16)
    for name in ("l1", "l2"):
        assert (small[name].lower, small[name].upper, small[name].log) == (4, 256, True)


@pytest.mark.parametrize("name", ["fashion_mnist_resnet18", "cifar10_cnn"])
def test_planning_loads_no_heavy_package(name: str) -> None:
    script = f"import sys, bench.objectives.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"torch", "ConfigSpace", "numpy"} & set(done.stdout.split())


# The data


@pytest.mark.parametrize(
    ("dataset", "count", "pool"), [("fashion_mnist", 60_000, 6_000), ("cifar10", 50_000, 10_000)]
)
def test_training_and_validation_share_no_image(dataset: str, count: int, pool: int) -> None:
    train, validation = split(dataset, count, count - pool, pool)
    assert sorted([*train, *validation]) == list(range(count))
    assert list(split(dataset, count, 10, 7)[0]) == list(train[:10])


@pytest.mark.parametrize("objective", [FashionMnistResnet18(), Cifar10Cnn()])
def test_without_the_data_the_objective_says_what_to_run(
    objective: Objective, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    with pytest.raises(UserError, match="bench data (fashion_mnist|cifar10)"):
        objective.prepare()


# The training


def resnet(**options: Any) -> FashionMnistResnet18:
    sizes = {"train_images": 96, "validation_images": 32, "width": 8}
    return FashionMnistResnet18(**{**sizes, **options})


@pytest.mark.usefixtures("pictures")
def test_both_learn_what_can_be_learned() -> None:
    small = Cifar10Cnn(train_images=400, validation_images=64)
    for training, epochs in (
        (resnet(train_images=400, validation_images=64).train({**RESNET, "lr": 1e-3}, 0, "cpu"), 6),
        (small.train(LENET, 0, "cpu"), 5),
    ):
        outcomes = [training.step() for _ in range(epochs)]
        assert outcomes[-1]["loss"] < math.log(10) / 2
        assert outcomes[-1]["accuracy"] > 0.8


@pytest.mark.usefixtures("pictures")
def test_images_are_scaled_to_minus_one_to_one_and_kept_for_the_next_trial() -> None:
    first, second = (resnet().train(RESNET, seed, "cpu") for seed in (1, 2))
    assert isinstance(first, ResnetTraining)
    assert isinstance(second, ResnetTraining)
    assert first.data is second.data
    assert first.data.train.shape == (96, 1, 28, 28)
    assert [each.item() for each in first.data.train.aminmax()] == [-1, 1]
    small = Cifar10Cnn(train_images=32, validation_images=16).train(LENET, 1, "cpu")
    assert isinstance(small, LenetTraining)
    assert small.data.train.shape == (32, 3, 32, 32)
    assert small.data.train.max() == 1


@pytest.mark.usefixtures("pictures")
def test_the_running_moments_of_the_normalisation_are_part_of_the_state() -> None:
    """Else a resumed training would be evaluated as if it had just begun."""
    training = resnet().train(RESNET, 0, "cpu")
    for _ in range(2):
        training.step()
    resumed = resnet().train(RESNET, 0, "cpu")
    resumed.load(training.state())
    assert isinstance(training, ResnetTraining)
    assert isinstance(resumed, ResnetTraining)
    one, other = (each.network.state_dict() for each in (training, resumed))
    assert "stem.1.running_mean" in one
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert training.step() == resumed.step()


@pytest.mark.usefixtures("pictures")
def test_a_last_batch_of_one_image_trains() -> None:
    training = resnet(train_images=33).train(RESNET, 0, "cpu")
    assert math.isfinite(training.step()["loss"])
