"""Several processes that share a training give what one gives."""

import io
import threading
from typing import Any

import psutil
import pytest
import torch
from ranks import Ended, ranks
from test_image_objectives import LENET, RESNET, resnet
from test_mnist_cnn import PLAIN
from torch import Tensor, nn

from bench.objective import Objective, Rank
from bench.objectives import _cnn
from bench.objectives._ranks import Part
from bench.objectives.cifar10_cnn import Cifar10Cnn
from bench.objectives.mnist_cnn import MnistCnn

pytestmark = pytest.mark.usefixtures("everywhere")

MNIST = MnistCnn(max_steps=3, train_images=49, validation_images=32, max_channels=16)
"""Three batches of 16, and one of a single image: it is not for every rank."""

ONECYCLE = {**PLAIN, "schedule": "onecycle", "dropout": 0.4}
SGD = {**PLAIN, "optimizer": "sgd", "schedule": "step", "step_size": 1, "gamma": 0.5}
SMALL = Cifar10Cnn(train_images=38, validation_images=16)


def alone(
    objective: Objective, configuration: dict[str, Any], steps: int
) -> list[dict[str, float]]:
    training = objective.train(configuration, 3, "cpu")
    return [training.step() for _ in range(steps)]


def close(one: list[dict[str, float]], other: list[dict[str, float]]) -> None:
    """Adam divides by the size of a gradient: of those near 0 their rounding is of that size."""
    for mine, its in zip(one, other, strict=True):
        assert mine == pytest.approx(its, rel=2e-3)
    assert len({each["loss"] for each in one}) == len(one), "it learns"


@pytest.mark.parametrize(
    ("name", "objective", "configurations", "count"),
    [
        ("mnist_cnn", MNIST, [ONECYCLE, SGD], 2),
        ("mnist_cnn", MNIST, [ONECYCLE], 3),
        ("fashion_mnist_resnet18", resnet(train_images=65), [RESNET], 2),
        ("cifar10_cnn", SMALL, [LENET], 2),
    ],
    ids=["mnist", "three ranks", "resnet", "cifar10"],
)
def test_step_by_step_the_losses_are_those_of_one_process(
    name: str, objective: Objective, configurations: list[dict[str, Any]], count: int
) -> None:
    with ranks(name, objective, count) as team:
        for configuration in configurations:  # one trial after the other, in the same processes
            training = team.train(configuration, 3)
            found = [training.step() for _ in range(3)]
            close(found, alone(objective, configuration, 3))


@pytest.mark.parametrize(
    ("name", "objective", "configuration"),
    [("mnist_cnn", MNIST, ONECYCLE), ("fashion_mnist_resnet18", resnet(), RESNET)],
)
def test_a_state_of_several_is_one_of_one_and_the_other_way_round(
    name: str, objective: Objective, configuration: dict[str, Any]
) -> None:
    expected = alone(objective, configuration, 3)
    one = objective.train(configuration, 3, "cpu")
    one.step()
    with ranks(name, objective, 2) as team:
        several = team.train(configuration, 3)
        several.load(one.state())
        close([several.step()], expected[1:2])
        one.load(several.state())
    assert isinstance(one, _cnn.EpochTraining)
    close([one.step()], expected[2:])


def test_gradients_and_running_moments_are_those_of_one_process_but_for_rounding() -> None:
    """After one step, on a batch that is not divided evenly."""
    objective = resnet(train_images=31)
    one = objective.train(RESNET, 3, "cpu")
    one.step()
    with ranks("fashion_mnist_resnet18", objective, 2) as team:
        several = team.train(RESNET, 3)
        several.step()
        mine, its = (torch.load(io.BytesIO(each.state())) for each in (several, one))
    assert [*mine["network"]] == [*its["network"]]
    moments = [name for name in its["network"] if "running" in name or "tracked" in name]
    assert len(moments) == 20 * 3
    for name in moments:
        same(mine["network"][name], its["network"][name])
    for number, adam in its["optimizer"]["state"].items():
        same(mine["optimizer"]["state"][number]["exp_avg"], adam["exp_avg"])  # a tenth of it


def same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * other.abs().max().item())


def test_a_rank_that_dies_while_its_gradients_are_waited_for_is_named() -> None:
    """It is stopped first, so that rank 0 is in the midst of the step when it dies."""
    with ranks("mnist_cnn", MNIST, 2) as team:
        training = team.train(PLAIN, 3)
        training.step()
        (other,) = [each for each in psutil.Process().children() if "_rank" in str(each.cmdline())]
        other.suspend()
        threading.Timer(0.5, other.kill).start()
        with pytest.raises(Ended, match="^rank 1 of 2: its process died: killed by SIGKILL$"):
            training.step()


def test_a_batch_is_divided_and_nothing_of_it_is_lost() -> None:
    for size in range(8):
        batch = torch.arange(size)
        parts = [Part(Rank(n, 3, "", str)).of(batch) for n in range(3)]
        assert torch.equal(torch.cat(parts), batch)
        sizes = [len(each) for each in parts]
        assert max(sizes) - min(sizes) <= 1


def test_a_layer_that_is_not_known_to_be_the_same_is_refused() -> None:
    from bench.objectives._ranks import Shared, join

    alone = Rank(0, 1, "127.0.0.1", str)
    join(alone, "cpu")
    with pytest.raises(TypeError, match="BatchNorm1d cannot be shared by ranks yet"):
        Shared(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), alone, "cpu")
