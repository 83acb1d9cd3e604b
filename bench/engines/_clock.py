"""The two clocks: seconds since a search began."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a Recorder reads."""

    @property
    def now(self) -> float: ...


class WallClock:
    """Starts when it is made; stands still while a search does again what it did before."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._stands_at: float | None = None

    @property
    def now(self) -> float:
        return time.perf_counter() - self._began if self._stands_at is None else self._stands_at

    def stand(self, seconds: float) -> None:
        """Be at this time, until `go_on`."""
        self._stands_at = seconds

    def go_on(self) -> None:
        """Go on from where it stands."""
        self._began = time.perf_counter() - self.now
        self._stands_at = None


class VirtualClock:
    """Goes on when something is said to take time."""

    def __init__(self) -> None:
        self.now = 0.0
