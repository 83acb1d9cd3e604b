"""Private state for the global random generators, for libraries that draw from them."""

import random
from typing import Any

import numpy as np


class PrivateGenerators:
    """Within `with generators:` the process's generators are private ones, seeded once.

    Covers python's `random`, numpy's legacy generator (`np.random.*`) and, if asked, torch's CPU
    generator. The private state goes on from one `with` to the next; the process's own is put back
    at the end of each, also when it ends by an exception. So neither disturbs the other. Not
    re-entrant.

    >>> own = PrivateGenerators(seed=1)
    >>> def draw():
    ...     with own:
    ...         return np.random.randint(100)
    >>> first = draw()
    >>> np.random.seed(0)  # somebody else
    >>> second = draw()
    >>> [first, second] == list(np.random.RandomState(1).randint(100, size=2))
    True
    """

    def __init__(self, seed: int, torch: bool = False) -> None:
        self._torch = torch
        self._kept: list[Any] = [
            random.Random(seed).getstate(),
            np.random.RandomState(seed).get_state(),
        ]
        if torch:
            from torch import Generator

            self._kept.append(Generator().manual_seed(seed).get_state())

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        """Exchange the state that is kept here and the one in use."""
        in_use: list[Any] = [random.getstate(), np.random.get_state()]
        random.setstate(self._kept[0])
        np.random.set_state(self._kept[1])
        if self._torch:
            from torch import get_rng_state, set_rng_state

            in_use.append(get_rng_state())
            set_rng_state(self._kept[2])
        self._kept = in_use
