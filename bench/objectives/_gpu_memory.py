"""How much of a GPU's memory a process may allocate through torch."""

import torch


def allow(share: float) -> None:
    """At most this share of the memory of the GPU that the process sees; then OutOfMemoryError.

    What is outside of torch's allocator does not count: the CUDA context (a few hundred MB for
    each process) and what libraries allocate for themselves.
    """
    if torch.cuda.is_available():  # without a GPU the training says what is missing
        torch.cuda.set_per_process_memory_fraction(share)
