"""What every training with torch needs to be repeatable: its device's settings, its generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def settle(device: str) -> None:
    """One thread on the CPU; on a GPU full float32 and, of cuDNN, the same algorithms always."""
    if device == "cpu":
        torch.set_num_threads(1)
    else:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Draw from generators that start at `seed`; the process's own are left as they were."""
    cuda = device != "cpu"
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield
