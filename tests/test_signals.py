"""What asks a run to leave is heard, whatever the run is in the midst of."""

import io
import os
import signal
from contextlib import suppress

import pytest
from rich.console import Console
from test_progress import CELLS

from bench.progress import Display
from bench.signals import LEAVE, Leaving


@pytest.mark.parametrize("asked", LEAVE)
def test_a_request_that_a_library_ignored_is_made_again_at_the_next_event(
    asked: signal.Signals,
) -> None:
    """An exception in a destructor or in a C library's callback is printed at most."""
    leaving = Leaving()
    display = Display(Console(file=io.StringIO()), CELLS, leaving.check)
    suggested = {"event": "suggest", "trial": 0}
    with leaving:
        display.event(suggested)
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), asked)
        with pytest.raises(KeyboardInterrupt):
            display.event(suggested)
    assert leaving.asked == asked.name
