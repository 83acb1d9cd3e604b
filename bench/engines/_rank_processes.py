"""Other ranks of a trial as subprocesses of rank 0, on its node; each has one of its GPUs."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import partial

from bench.cell import Cell
from bench.engines._team import Team
from bench.engines._wire import Message
from bench.objective import Objective


def team(cell: Cell, objective: Objective) -> Team:
    """The ranks of this process's slot."""
    return Team(cell, objective, partial(RankProcess, cell.device), "127.0.0.1")


class RankProcess:
    """A subprocess; on a GPU it sees that one of CUDA_VISIBLE_DEVICES that has its number."""

    def __init__(self, device: str, number: int, where: Message) -> None:
        environment = {**os.environ}
        if device != "cpu":
            mine = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
            environment["CUDA_VISIBLE_DEVICES"] = mine[number] if mine[0] else str(number)
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 until it is killed
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.engines._rank"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self._printed,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdin is not None
        with self._process.stdin as stdin:  # the token is in no command line
            stdin.write(json.dumps({"rank": number, "where": where}).encode())

    def ended(self, seconds: float) -> str | None:
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        self._printed.seek(0)
        printed = self._printed.read().decode(errors="replace").strip()
        return f"exit status {code}: {(printed.splitlines() or ['it printed nothing'])[-1][:300]}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._printed.close()
