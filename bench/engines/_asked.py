"""How long an algorithm thinks: its libraries are called here, and nowhere else."""

import time
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, get_args

from bench.engines._clock import VirtualClock
from bench.engines._recorder import Recorder

Kind = Literal["suggest", "observe", "complete", "decide"]
"""What an algorithm is asked for: a suggestion; to take note of a result, or of a trial's end; the
scheduler's word."""
KINDS: frozenset[Kind] = frozenset(get_args(Kind))


class Asked(Protocol):
    """Calls an algorithm; returns what it returned, and the seconds that it thought.

    An error of the algorithm's ends the search: Ray takes some of them for a failed trial, and
    would go on.
    """

    def __call__(
        self, kind: Kind, call: Callable[..., Any], *arguments: Any
    ) -> tuple[Any, float]: ...


class Measured:
    """On the wall's clock."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, kind: Kind, call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        try:
            returned = call(*arguments)
        except Exception as error:
            self._recorder.broken(error)
            raise
        return returned, time.perf_counter() - began


class Costs(Protocol):
    """Calls an algorithm, and says how long it thinks on the virtual clock."""

    free: Collection[Kind]
    """What it takes no time for; of that it need not be asked."""

    def of(self, kind: Kind, call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]: ...


def charged(recorder: Recorder, clock: VirtualClock, costs: Costs | None) -> Asked:
    """On the virtual clock, which goes on by what `costs` says; by nothing where there are none."""
    free = KINDS if costs is None else frozenset(costs.free)

    def asked(kind: Kind, call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
        try:
            if kind in free:
                return call(*arguments), 0.0
            assert costs is not None
            returned, seconds = costs.of(kind, call, *arguments)
        except Exception as error:
            recorder.broken(error)
            raise
        clock.now += seconds
        return returned, seconds

    return asked


@contextmanager
def unwarned() -> Iterator[None]:
    """Run a search without its libraries' warnings: what a user must know, its remark says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
