"""The training of every network that tells images apart: epochs that can be continued exactly.

What makes it fast on one thread: images are tensors on the device from the start, and a batch is
one indexing of them.
"""

import io
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from bench import data
from bench.objective import Rank
from bench.objectives._images import Images, load
from bench.objectives._ranks import Shared
from bench.objectives._seeded import seeded, settle
from bench.seeds import derive

EVALUATION_BATCH = 250


class EpochTraining:
    """One training of one network (see bench.objective.Training); a step is an epoch.

    A subclass names the data set, builds the network, and sets the optimiser.
    """

    dataset: ClassVar[str]
    optimizer: Optimizer
    schedule: LRScheduler | None = None
    """Goes on after each epoch; the one-cycle policy after each batch."""

    def __init__(
        self,
        sizes: tuple[int, int],
        build: Callable[[], nn.Module],
        batch_size: int,
        seed: int,
        device: str,
        rank: Rank | None = None,
    ) -> None:
        """`sizes`: the images for training and for validation; `rank`: if the training is shared.

        Each rank goes through all epochs, with the same batches; rank 0 evaluates.
        """
        settle(device)
        self.seed, self.device, self.steps_done = seed, device, 0
        self.batch_size = batch_size
        self.data: Images = load(self.dataset, data.verify(self.dataset), *sizes, device)
        with seeded(derive(seed, "weights"), "cpu"):
            network = build()
        self.network = network.to(device)
        self._shared = None if rank is None else Shared(self.network, rank, device)
        self._evaluates = rank is None or rank.number == 0

    @property
    def batches(self) -> int:
        """In an epoch."""
        return -(-len(self.data.train) // self.batch_size)

    def step(self) -> dict[str, float]:
        """Train an epoch; return mean cross-entropy (nats) and accuracy (share) in validation."""
        self.network.train()
        with seeded(derive(self.seed, "step", self.steps_done + 1), self.device):
            order = torch.randperm(len(self.data.train)).to(self.device)
            for batch in order.split(self.batch_size):
                self._learn(batch)
                if isinstance(self.schedule, OneCycleLR):
                    self.schedule.step()
        if self.schedule is not None and not isinstance(self.schedule, OneCycleLR):
            self.schedule.step()
        self.steps_done += 1
        return self._evaluate() if self._evaluates else {}

    def _learn(self, batch: Tensor) -> None:
        """Take one step of the optimiser on a batch (indices): the only place that does."""
        self.optimizer.zero_grad()
        images, labels = self.data.train, self.data.train_labels
        if self._shared is not None:
            self._shared.loss(images, labels, batch).backward()
        else:
            cross_entropy(self.network(images[batch]), labels[batch]).backward()
        self.optimizer.step()

    @torch.inference_mode()
    def _evaluate(self) -> dict[str, float]:
        self.network.eval()
        batches = self.data.validation.split(EVALUATION_BATCH)
        output = torch.cat([self.network(images) for images in batches])
        loss = cross_entropy(output, self.data.validation_labels).item()
        right = (output.argmax(dim=1) == self.data.validation_labels).sum().item()
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
