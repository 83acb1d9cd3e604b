"""The two clocks: seconds since a search began."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a Recorder reads."""

    @property
    def now(self) -> float: ...


class WallClock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def now(self) -> float:
        return time.perf_counter() - self._began


class VirtualClock:
    """Goes on when something is said to take time."""

    def __init__(self) -> None:
        self.now = 0.0
