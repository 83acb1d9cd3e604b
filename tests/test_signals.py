"""What asks a run to leave is heard, whatever the run is in the midst of."""

import io
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import PLUGINS, WriteSuite, records
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


def test_a_run_whose_library_ignored_the_request_leaves_and_its_journal_is_unfinished(
    tmp_path: Path,
    write_suite: WriteSuite,
    bench: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    suite = write_suite([{"path": str(PLUGINS / "ignoring.py")}], [{}], budget=5)
    left = bench("run", suite, "--device", "cpu")
    assert left.returncode == 75, left.stderr
    assert "left for SIGTERM: 0 of 1 cells are done; go on with: " in left.stdout
    assert "Traceback" not in left.stderr
    (record,) = records(tmp_path)
    assert not record.finished
    assert [event["event"] for event in record.events].count("suggest") == 1
