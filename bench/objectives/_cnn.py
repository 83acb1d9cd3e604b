"""The training behind `mnist_cnn`: the network, and epochs that can be continued exactly.

What makes it fast on one thread: images are tensors on the device from the start, and a batch is
one indexing of them; memory is channels-last; the optimisers are the fused ones; and ReLU comes
after max-pooling, on a quarter of the values, where it gives the same numbers as before it.
"""

import io
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from bench import data
from bench.objectives._mnist import load_tensors
from bench.objectives._seeded import seeded, settle
from bench.seeds import derive

if TYPE_CHECKING:
    from bench.objectives.mnist_cnn import MnistCnn

EVALUATION_BATCH = 250
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


class CnnTraining:
    """One training of one network (see bench.objective.Training); a step is an epoch."""

    def __init__(
        self, objective: "MnistCnn", configuration: dict[str, Any], seed: int, device: str
    ) -> None:
        settle(device)
        self.seed, self.device, self.steps_done = seed, device, 0
        self.batch_size: int = configuration["batch_size"]
        self.images, self.labels, self.validation_images, self.validation_labels = load_tensors(
            data.verify("mnist"), objective.train_images, objective.validation_images, device
        )
        with seeded(derive(seed, "weights"), "cpu"):
            network = build(configuration)
        self.network = network.to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(self.network, configuration)
        batches = -(-len(self.images) // self.batch_size)
        self.schedule = make_schedule(self.optimizer, configuration, objective.max_steps, batches)

    def step(self) -> dict[str, float]:
        """Train an epoch; return mean cross-entropy (nats) and accuracy (share) in validation."""
        self.network.train()
        with seeded(derive(self.seed, "step", self.steps_done + 1), self.device):
            order = torch.randperm(len(self.images)).to(self.device)
            for batch in order.split(self.batch_size):
                self.optimizer.zero_grad()
                output = self.network(self.images[batch])
                cross_entropy(output, self.labels[batch]).backward()
                self.optimizer.step()
                if isinstance(self.schedule, OneCycleLR):
                    self.schedule.step()
        if self.schedule is not None and not isinstance(self.schedule, OneCycleLR):
            self.schedule.step()
        self.steps_done += 1
        return self._evaluate()

    @torch.inference_mode()
    def _evaluate(self) -> dict[str, float]:
        self.network.eval()
        batches = self.validation_images.split(EVALUATION_BATCH)
        output = torch.cat([self.network(images) for images in batches])
        loss = cross_entropy(output, self.validation_labels).item()
        right = (output.argmax(dim=1) == self.validation_labels).sum().item()
        return {"loss": loss, "accuracy": right / len(output)}

    def state(self) -> bytes:
        buffer = io.BytesIO()
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({"steps_done": self.steps_done, **parts}, buffer)
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        saved = torch.load(io.BytesIO(state), map_location=self.device, weights_only=True)
        self.steps_done = saved["steps_done"]
        for name, part in self._parts().items():
            part.load_state_dict(saved[name])

    def _parts(self) -> dict[str, Any]:
        parts = {"network": self.network, "optimizer": self.optimizer, "schedule": self.schedule}
        return {name: part for name, part in parts.items() if part is not None}


def build(configuration: dict[str, Any]) -> nn.Sequential:
    """Two or three times (convolution, activation, 2 x 2 max-pooling), then two dense layers."""
    activation = ACTIVATIONS[configuration["activation"]]
    layers: list[nn.Module] = []
    channels, side = 1, 28
    for number in (1, 2, 3):
        if (width := configuration[f"conv{number}"]) == 0:
            continue
        kernel = configuration[f"kernel{number}"]
        layers.append(nn.Conv2d(channels, width, kernel, padding=kernel // 2))
        pooled = [activation(), nn.MaxPool2d(2)]
        layers += reversed(pooled) if activation is nn.ReLU else pooled
        channels, side = width, side // 2
    width = configuration["fc_dim"]
    layers += [nn.Flatten(), nn.Linear(channels * side * side, width), activation()]
    layers += [nn.Dropout(configuration["dropout"]), nn.Linear(width, 10)]
    return nn.Sequential(*layers)


def make_optimizer(network: nn.Module, configuration: dict[str, Any]) -> Optimizer:
    settings = {name: configuration[name] for name in ("lr", "weight_decay")} | {"fused": True}
    if configuration["optimizer"] == "sgd":
        return SGD(network.parameters(), momentum=0.9, **settings)
    kind = {"adam": Adam, "adamw": AdamW}[configuration["optimizer"]]
    return kind(network.parameters(), **settings)


def make_schedule(
    optimizer: Optimizer, configuration: dict[str, Any], epochs: int, batches: int
) -> LRScheduler | None:
    """Per epoch; but the one-cycle policy goes on after each of the epoch's `batches`."""
    match configuration["schedule"]:
        case "none":
            return None
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=epochs)
        case "step":
            return StepLR(optimizer, configuration["step_size"], configuration["gamma"])
        case "onecycle":  # the momentum stays as it is
            most = configuration["lr"]
            return OneCycleLR(optimizer, most, epochs * batches, cycle_momentum=False)
    raise ValueError(f"no schedule {configuration['schedule']!r}")
