"""Signals that ask a run to leave: its cells go on later, from their journals."""

import signal
from types import FrameType
from typing import Any, Self

LEAVE = (signal.SIGTERM, signal.SIGUSR1)
"""What SLURM sends before it ends a job, and what it is asked to send some time before that."""

EXIT_STATUS = 75
"""Of a run that was asked to leave (EX_TEMPFAIL of sysexits.h: try again)."""


class Leaving:
    """Raises KeyboardInterrupt, as Ctrl-C does, in the main thread when one of those signals comes.

    A context manager; `asked` is the signal that came, by its name. (An exception of its own
    would not say it: Ray raises a new KeyboardInterrupt in its place.)
    """

    def __init__(self) -> None:
        self.asked: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._leave) for each in LEAVE}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def check(self) -> None:
        """Raise it again if it was asked for: whoever comes by here has not heard of it.

        An exception that is raised where a library ignores exceptions is lost.
        """
        if self.asked is not None:
            raise KeyboardInterrupt

    def _leave(self, number: int, frame: FrameType | None) -> None:
        for each in LEAVE:  # once is enough
            signal.signal(each, signal.SIG_IGN)
        self.asked = signal.Signals(number).name
        raise KeyboardInterrupt
