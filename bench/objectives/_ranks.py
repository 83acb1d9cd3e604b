"""A training that several processes share: the same weights in each, and of every batch a part.

What one process computes from a whole batch is computed from the whole batch here, too: the mean of
the gradients (torch's DistributedDataParallel), the moments of batch normalisation, the mask of
dropout. So the number of ranks changes the rounding of the results, and nothing else of them.
"""

import fcntl
import os
import socket
import struct
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parallel import DistributedDataParallel

from bench.objective import Rank


class Shared:
    """A network in one of the ranks. It is changed in place, as its state is not."""

    def __init__(self, network: nn.Module, rank: Rank, device: str) -> None:
        """On all ranks at once; their networks begin with the same weights.

        Raises TypeError for a layer that looks at a whole batch, or draws, in a way not known here.
        """
        join(rank, device)
        self._part = Part(rank)
        for module in network.modules():
            if (shared := SHARED.get(type(module))) is not None:
                module.__class__ = shared
                module.part = self._part  # type: ignore[assignment]
            elif isinstance(module, (_BatchNorm, _DropoutNd)):
                raise TypeError(f"{type(module).__name__} cannot be shared by ranks yet")
        self._network = DistributedDataParallel(network, forward_sync_buffers=False)

    def loss(self, images: Tensor, labels: Tensor, batch: Tensor) -> Tensor:
        """What this rank adds to the mean cross-entropy of a batch (indices), times their number.

        Its gradients, averaged over the ranks, are those of the whole batch in one process.
        """
        mine = self._part.of(batch)
        losses = cross_entropy(self._network(images[mine]), labels[mine], reduction="sum")
        return losses * (self._part.count / len(batch))


class Part:
    """Which rows of the batch at hand are this rank's: as many as another's, or one more; or none.

    >>> [Part(Rank(n, 2, "", str)).of(torch.arange(5)).tolist() for n in (0, 1)]
    [[0, 1], [2, 3, 4]]
    """

    def __init__(self, rank: Rank) -> None:
        self._number, self.count = rank.number, rank.count
        self.whole = 0
        self.rows = slice(0, 0)

    def of(self, batch: Tensor) -> Tensor:
        self.whole = len(batch)
        ends = (self.whole * number // self.count for number in (self._number, self._number + 1))
        self.rows = slice(*ends)
        return batch[self.rows]


class Total(torch.autograd.Function):
    """The sum over the ranks; of its gradients, too, for each rank's share is in all the losses."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


def _summed(values: Tensor) -> Tensor:
    values = values.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(values)
    return values


def total(values: Tensor) -> Tensor:
    """`Total`, with its type."""
    summed: Tensor = Total.apply(values)
    return summed


class SharedBatchNorm(nn.BatchNorm2d):
    """Normalises by the moments of the whole batch; the gradient goes through them, too.

    torch's SyncBatchNorm does it on GPUs, and refuses CPUs.
    """

    part: Part

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return super().forward(values)
        count = self.part.whole * values.shape[2:].numel()
        mean = total(values.sum((0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = total(centred.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.momentum is not None and self.running_mean is not None
        assert self.running_var is not None and self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class SharedDropout(nn.Dropout):
    """Draws the mask of the whole batch, as one process does, and uses this rank's rows of it.

    The ranks' generators are alike (they are seeded by epoch), and stay so.
    """

    part: Part

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        whole = values.new_ones(self.part.whole, *values.shape[1:])
        return values * dropout(whole, self.p)[self.part.rows]


SHARED: dict[type, Any] = {nn.BatchNorm2d: SharedBatchNorm, nn.Dropout: SharedDropout}

_joined: list[Rank] = []


def join(rank: Rank, device: str) -> None:
    """Meet the other ranks; once for all the trainings that they share.

    Rank 0 listens at its own address, at a port that was free, and the others are told which.
    """
    if rank in _joined:
        return
    if dist.is_initialized():
        dist.destroy_process_group()
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", interface(rank.host))
    if rank.number == 0:
        listening = socket.create_server((rank.host, 0))
        port = listening.getsockname()[1]
        store = dist.TCPStore(
            *(rank.host, port, rank.count, True),
            wait_for_workers=False,
            master_listen_fd=listening.detach(),
        )
        rank.agree(f"{rank.host}:{port}")
    else:
        host, _, port = rank.agree(None).rpartition(":")
        store = dist.TCPStore(host, int(port), rank.count, False)
    backend = "gloo" if device == "cpu" else "nccl"
    dist.init_process_group(backend, store=store, rank=rank.number, world_size=rank.count)
    _joined[:] = [rank]


def interface(address: str) -> str:
    """The network interface that has this IPv4 address: on one machine, loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                found = fcntl.ioctl(any_socket, 0x8915, request)  # SIOCGIFADDR
            except OSError:
                continue  # it has none
            if socket.inet_ntoa(found[20:24]) == address:
                return name
    raise OSError(f"no network interface has the address {address}")
