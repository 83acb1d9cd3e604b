"""The parent's side of the workers: their processes, one per slot, and their connections."""

import contextlib
import hmac
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from bench.engines._wire import Message, accept, hear, is_gone, say

REPEATED = 3
"""Processes of a slot that end before they have a trial, one after the other: that is no chance."""


@dataclass(eq=False)
class Worker:
    """A process that has been started, and its connection once it has said hello."""

    slot: int
    name: str
    suggestions: int
    """How many the search had when it was started."""
    process: subprocess.Popen[bytes]
    connection: Connection | None = None
    trial: int | None = None
    """The journal's number of the trial that it has."""
    asking: bool = False
    """It asks the study for a trial."""

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None or (
            self.connection is not None and is_gone(self.connection)
        )

    def kill(self) -> None:
        """End it at once, in the middle of a step if need be."""
        if self.connection is not None:
            self.connection.close()
        self.process.kill()
        self.process.wait()

    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


@dataclass
class Workers:
    """All workers of a search. A context manager: none of them outlives it.

    `folder` is where they find their parent, and where what they print goes; `environment` is what
    a slot's process gets beside this one's.
    """

    folder: Path
    environment: Callable[[int], dict[str, str]]
    _all: list[Worker] = field(default_factory=list)
    _started: int = 0
    _in_vain: dict[int, int] = field(default_factory=dict)

    def __enter__(self) -> "Workers":
        self._server = socket.create_server(("127.0.0.1", 0))
        self._token = secrets.token_hex(32)
        host, port = self._server.getsockname()
        self._rendezvous = self.folder / "parent.json"
        with open(os.open(self._rendezvous, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump({"host": host, "port": port, "token": self._token}, file)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.kill()
        self._server.close()

    def start(self, slot: int, suggestions: int) -> None:
        """Start a slot's process, when the search has so many suggestions."""
        self._started += 1
        command = [sys.executable, "-m", "bench.engines._worker", str(self._rendezvous), str(slot)]
        with (self.folder / f"{slot}.printed").open("wb") as printed:
            process = subprocess.Popen(
                command,
                env={**os.environ, **self.environment(slot)},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is its parent's business
            )
        self._all.append(Worker(slot, f"worker-{self._started}", suggestions, process))

    def hear(self, seconds: float) -> Iterator[tuple[Worker, Message | None]]:
        """What is said within so many seconds; None of one that is dead, and was replaced."""
        connections = {each.connection: each for each in self._all if each.connection is not None}
        ready = wait([self._server, *connections], seconds)
        for each in ready:
            if each is self._server:
                if welcome := self._welcome():
                    yield welcome
                continue
            worker = connections[each]  # type: ignore[index]
            if worker not in self._all:
                continue
            try:
                message = hear(each)  # type: ignore[arg-type]
            except (EOFError, OSError, ValueError):
                yield self._bury(worker)
            else:
                yield worker, message
        for worker in [each for each in self._all if each.connection is None]:
            if worker.process.poll() is not None:
                yield self._bury(worker)

    def answer(self, worker: Worker, message: Message) -> None:
        """One that is dead is heard of by `hear`."""
        assert worker.connection is not None
        with contextlib.suppress(OSError):
            say(worker.connection, message)

    def has_trial(self, worker: Worker) -> None:
        """Its slot's processes do not die in vain."""
        self._in_vain.pop(worker.slot, None)

    def dies_in_vain(self, slot: int) -> str | None:
        """Why a slot's process should not be started again, if it should not."""
        self._in_vain[slot] = self._in_vain.get(slot, 0) + 1
        if self._in_vain[slot] < REPEATED:
            return None
        lines = (self.folder / f"{slot}.printed").read_text(errors="replace").splitlines()
        last = next((line for line in reversed(lines) if line.strip()), "it printed nothing")
        return f"{REPEATED} workers ended before they had a trial: {last.strip()[:300]}"

    def is_dead(self, name: str) -> bool:
        """Whether the worker of this name is; one that is not known any more is, too."""
        return next((each.is_dead for each in self._all if each.name == name), True)

    @property
    def asking(self) -> list[Worker]:
        """Those that ask the study for a trial."""
        return [each for each in self._all if each.asking]

    def _welcome(self) -> tuple[Worker, Message] | None:
        connection = accept(self._server)
        try:
            message = hear(connection)
            if not hmac.compare_digest(str(message["token"]), self._token):
                raise OSError("a stranger")
            worker = next(each for each in self._all if each.process.pid == message["pid"])
        except (EOFError, OSError, ValueError, KeyError, StopIteration):
            connection.close()
            return None
        worker.connection = connection
        return worker, message

    def _bury(self, worker: Worker) -> tuple[Worker, None]:
        worker.kill()
        self._all.remove(worker)
        return worker, None
