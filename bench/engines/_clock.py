"""The virtual clock."""


class Clock:
    """Seconds since a search began; they go on when something is said to take time."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def reach(self, seconds: float) -> None:
        """It is at least so late."""
        if seconds > self.now:
            self.now = seconds
