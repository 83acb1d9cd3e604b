"""Optuna's Gaussian process with one thread."""

from typing import Any

import torch

from bench.algorithms._optuna import OptunaSearcher


class GpSearcher(OptunaSearcher):
    """Its matrices are small: a second torch thread costs several times the time it saves.

    The suggestions are the same; the rest of the process keeps its threads.
    """

    def suggest(self, trial_id: str) -> dict[str, Any]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return super().suggest(trial_id)
        finally:
            torch.set_num_threads(threads)
