"""The parent's side of the workers: their processes, one per slot, and their connections.

They are started here; or, where several nodes share a search, by slurm/optuna-workers.sbatch, which
also starts another in the place of one that died. Those come by themselves.
"""

import contextlib
import hmac
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from bench.engines._sharing import kills_for_memory, with_kills
from bench.engines._wire import Message, accept, hear, is_gone, say
from bench.errors import UserError

RENDEZVOUS = "parent.json"
"""The file, in the folder that all see, that says where the parent listens."""

PATIENCE_SECONDS = 300.0
"""How long to wait for workers that are started elsewhere."""

REPEATED = 5
"""Processes of a slot that end before they have a trial, one after the other: that is no chance."""


@dataclass(eq=False)
class Worker:
    """A process that has been started, and its connection once it has said hello."""

    slot: int
    number: int
    """From 1, in the order of their starts."""
    process: subprocess.Popen[bytes] | None
    """None of one that was started elsewhere."""
    connection: Connection | None = None
    trial: int | None = None
    """The journal's number of the trial that it has."""
    asking: bool = False
    """It asks the study for a trial."""
    kills: int = field(default_factory=kills_for_memory)
    """The kernel's, for want of memory, when it was started."""

    @property
    def name(self) -> str:
        return f"worker-{self.number}"

    @property
    def is_dead(self) -> bool:
        ended = self.process is not None and self.process.poll() is not None
        return ended or (self.connection is not None and is_gone(self.connection))

    def kill(self) -> None:
        """End it at once, in the middle of a step if need be; without a connection it ends."""
        if self.connection is not None:
            self.connection.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def how_it_ended(self) -> str:
        if self.process is None:
            return "its connection is gone"
        code = self.process.returncode
        if code == -signal.SIGKILL:
            return with_kills("killed by SIGKILL", self.kills)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


@dataclass
class Workers:
    """All workers of a search. A context manager: none of them outlives it.

    `folder` is where they find their parent, and where what they print goes; `environment` is what
    a slot's process gets beside this one's, None where they are started elsewhere.
    """

    folder: Path
    slots: int
    environment: Callable[[int], dict[str, str]] | None
    _all: list[Worker] = field(default_factory=list)
    _started: int = 0
    _in_vain: dict[int, int] = field(default_factory=dict)

    def __enter__(self) -> "Workers":
        alone = self.environment is not None
        host = "127.0.0.1" if alone else socket.gethostname()
        self._server = socket.create_server((host if alone else "", 0), backlog=self.slots)
        self._token = secrets.token_hex(32)
        self._heard_of_any = time.monotonic()
        where = {"host": host, "port": self._server.getsockname()[1], "token": self._token}
        self._rendezvous = self.folder / RENDEZVOUS
        draft = self._rendezvous.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(where, file)
        draft.rename(self._rendezvous)
        return self

    def __exit__(self, *_: object) -> None:
        self._rendezvous.unlink(missing_ok=True)
        for worker in self._all:
            worker.kill()
        self._server.close()

    def start(self, slot: int) -> None:
        """Start a slot's process."""
        if self.environment is None:
            return
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
        self._all.append(Worker(slot, self._started, process))

    def hear(self, seconds: float) -> Iterator[tuple[Worker, Message | None]]:
        """What is said within so many seconds; None of one that is dead.

        UserError if there is none for minutes, and none is started here.
        """
        connections = {each.connection: each for each in self._all if each.connection is not None}
        ready = wait([self._server, *connections], seconds)
        for each in ready:
            if each is self._server:
                yield from self._welcome()
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
            if worker.is_dead:
                yield self._bury(worker)
        if self._all:
            self._heard_of_any = time.monotonic()
        elif time.monotonic() - self._heard_of_any > PATIENCE_SECONDS:
            raise UserError(f"no worker has come for {PATIENCE_SECONDS:g} s: see what they printed")

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
        printed = self.folder / f"{slot}.printed"
        lines = printed.read_text(errors="replace").splitlines() if printed.exists() else []
        last = next((line for line in reversed(lines) if line.strip()), "it printed nothing")
        return f"{REPEATED} workers ended before they had a trial: {last.strip()[:300]}"

    def is_dead(self, name: str) -> bool:
        """Whether the worker of this name is; one that is not known any more is, too."""
        return next((each.is_dead for each in self._all if each.name == name), True)

    @property
    def asking(self) -> list[Worker]:
        """Those that ask the study for a trial."""
        return [each for each in self._all if each.asking]

    def _welcome(self) -> Iterator[tuple[Worker, Message | None]]:
        """Who says hello, after the one in whose place it comes."""
        connection = accept(self._server)
        try:
            message = hear(connection)
            if not hmac.compare_digest(str(message["token"]), self._token):
                raise OSError("a stranger")
            slot = range(self.slots)[message["slot"]]
        except (EOFError, OSError, ValueError, KeyError, IndexError, TypeError):
            connection.close()
            return
        worker = next((each for each in self._all if each.slot == slot), None)
        if self.environment is None:
            if worker is not None:
                yield self._bury(worker)
            self._started += 1
            worker = Worker(slot, self._started, None)
            self._all.append(worker)
        if worker is None or worker.connection is not None:
            connection.close()
            return
        worker.connection = connection
        yield worker, message

    def _bury(self, worker: Worker) -> tuple[Worker, None]:
        worker.kill()
        self._all.remove(worker)
        return worker, None
