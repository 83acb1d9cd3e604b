"""What a run shows while it goes on."""

import io
from dataclasses import replace

from rich.console import Console
from test_cell import CELL

from bench.progress import Display, duration
from bench.run import Outcome

CELLS = [replace(CELL, seed=seed) for seed in (0, 1)]


def shown(terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, legacy_windows=False)
    display = Display(console, CELLS, check=lambda: None)
    with display.live():
        display.begin(CELLS[0])
        display.event({"event": "suggest", "trial": 0})
        for loss in (0.5, 0.25, 0.75):
            display.event({"event": "report", "trial": 0, "loss": loss})
        display.over(Outcome(CELLS[0], "done", "budget spent", ran=True))
        display.over(Outcome(CELLS[1], "skipped", "needs 4 GPUs, this machine has 1", ran=False))
    return file.getvalue()


def test_in_a_file_each_cell_is_one_plain_line() -> None:
    first, second = shown(terminal=False).splitlines()
    assert first.startswith(f"[1/2] {CELLS[0].key}: done, 1 trials, best loss 0.25, 0 s, about ")
    assert second == f"[2/2] {CELLS[1].key}: skipped: needs 4 GPUs, this machine has 1"


def test_on_a_terminal_the_live_line_fits_into_80_columns() -> None:
    text = shown(terminal=True)
    assert "toy-asha-ray-cpu-g4-s0-b20 4%: 1 trials, best 0.25" in text
    assert "…" not in text


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (5, 130, 7300)] == ["5 s", "2 min", "2.0 h"]
