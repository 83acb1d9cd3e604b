"""Rank 0's side of a training that several processes share: the others, and what becomes of them.

The others do what they are told, over TCP, and end when the connection does. When one of them
fails, rank 0 may wait for it in a library, for ever: so what fails in one ends all of them, rank 0
included, and the reason is left in a file.
"""

import contextlib
import faulthandler
import hmac
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn, Protocol

from bench.cell import Cell
from bench.engines._training import words_of
from bench.engines._wire import Message, accept, end, hear, patient, say
from bench.objective import Objective, Rank, Training

START_SECONDS = 300.0
"""So long the other ranks may take to start."""

BLAME_SECONDS = 2.0
"""So long rank 0, when it fails, waits for word that another was first."""

DEATH_SECONDS = 100.0
"""So long it may take to learn how a process ended whose connection is gone; of a node Ray knows
that late."""


class Process(Protocol):
    """Another rank's process, as its launcher knows it."""

    def ended(self, seconds: float) -> str | None:
        """How it ended, if it does within so many seconds."""

    def kill(self) -> None:
        """End it, if it has not ended."""


class NotStarted(Exception):
    """A rank; its words say which, and why."""


Launch = Callable[[int, Message], Process]
"""Starts the process of a rank (_rank.py), and tells it where rank 0 listens."""


class Team:
    """The processes of a slot whose trials have several GPUs; this one is rank 0.

    The others are started with the first training and kept for the next ones.
    """

    def __init__(self, cell: Cell, objective: Objective, launch: Launch, host: str) -> None:
        self._cell, self._objective, self._launch, self._host = cell, objective, launch, host
        self._rank = Rank(0, cell.ranks, host, self._agree)
        self._others: dict[int, Connection] = {}
        self._processes: list[Process] = []
        self._done: SimpleQueue[int] = SimpleQueue()
        self._busy = False
        self._closing = False
        self._lost, self._known = threading.Event(), threading.Event()
        self._why = ""
        self._ending = threading.Lock()
        self.last_words = Path(os.devnull)
        """The file in which the reason is left."""

    def train(self, configuration: dict[str, Any], seed: int) -> Training:
        """Begin a training in all ranks."""
        with self.together():
            if not self._others:
                self._open()
            self.tell({"what": "train", "configuration": configuration, "seed": seed})
            training = self._objective.train_part(
                configuration, seed, self._cell.device, self._rank
            )
            self.wait()
        return Shared(self, training)

    @contextmanager
    def together(self) -> Iterator[None]:
        """While all ranks work, a failure of one is the end of this process."""
        self._busy = True
        self._end_if_lost(0)
        try:
            yield
        except NotStarted as error:
            self._end(str(error))
        except Exception as error:
            faulthandler.cancel_dump_traceback_later()  # it does not hang any more
            self._end_if_lost(BLAME_SECONDS)
            self._end(self._says(0, words_of(error)))
        finally:
            self._busy = False

    def tell(self, message: Message, content: bytes | None = None) -> None:
        """Tell the others to do something, while this rank does it."""
        for connection in self._others.values():
            with contextlib.suppress(OSError):  # whoever is gone is heard of
                say(connection, message)
                if content is not None:
                    connection.send_bytes(content)

    def wait(self) -> None:
        """Until all of them have done it."""
        for _ in self._others:
            self._done.get()

    def close(self) -> None:
        """End the others."""
        self._closing = True
        for connection in self._others.values():
            end(connection)
        for process in self._processes:
            process.kill()

    def _agree(self, word: str | None) -> str:
        assert word is not None
        self.tell({"what": "word", "word": word})
        return word

    def _open(self) -> None:
        token, numbers = secrets.token_hex(32), range(1, self._cell.ranks)
        with socket.create_server((self._host, 0), backlog=len(numbers)) as server:
            where = {"host": self._host, "port": server.getsockname()[1], "token": token}
            self._processes = [self._launch(number, where) for number in numbers]
            server.settimeout(0.5)
            began = time.monotonic()
            while len(self._others) < len(numbers):
                with contextlib.suppress(TimeoutError):
                    self._welcome(server, token)
                for number, process in zip(numbers, self._processes, strict=True):
                    if number not in self._others and (how := process.ended(0)) is not None:
                        raise NotStarted(self._says(number, f"did not start: {how}"))
                if time.monotonic() - began > START_SECONDS:
                    raise NotStarted(f"not all ranks started within {START_SECONDS:g} s")
        for number, connection in self._others.items():
            say(connection, {"cell": self._cell.as_json()})
            name = f"rank {number}"
            listen = threading.Thread(
                target=self._listen, args=(number, connection), name=name, daemon=True
            )
            listen.start()

    def _welcome(self, server: socket.socket, token: str) -> None:
        connection = accept(server)
        try:
            hello = hear(connection)
            if not hmac.compare_digest(str(hello["token"]), token):
                raise OSError("a stranger")
            self._others[int(hello["rank"])] = patient(connection)
        except (EOFError, OSError, ValueError, KeyError):
            connection.close()

    def _listen(self, number: int, connection: Connection) -> None:
        """Hear one of the others, until it fails; then, if a training waits for it, end."""
        cause = None
        with contextlib.suppress(EOFError, OSError, ValueError):
            while cause is None:
                cause = hear(connection).get("error")
                if cause is None:
                    self._done.put(number)
        if self._closing:
            return
        self._lost.set()
        if cause is None:
            how = self._processes[number - 1].ended(DEATH_SECONDS) or "its connection is gone"
            cause = f"its process died: {how}"
        self._why = self._says(number, cause)
        self._known.set()
        if self._busy:
            self._end(self._why)

    def _end_if_lost(self, seconds: float) -> None:
        """End this process if another fails within so many seconds, with its reason."""
        if self._lost.wait(seconds):
            self._known.wait()
            self._end(self._why)

    def _says(self, number: int, cause: str) -> str:
        return f"rank {number} of {self._cell.ranks}: {cause}"

    def _end(self, reason: str) -> NoReturn:
        """Leave the reason and end this process; of several that come here, the first does."""
        self._ending.acquire()
        try:
            self.last_words.write_text(reason)
        finally:
            os._exit(1)


class Shared:
    """A training in all ranks (see bench.objective.Training)."""

    def __init__(self, team: Team, mine: Training) -> None:
        self._team, self._mine = team, mine

    def step(self) -> dict[str, float]:
        with self._team.together():
            self._team.tell({"what": "step"})
            values = self._mine.step()
            self._team.wait()
        return values

    def state(self) -> bytes:
        """That of rank 0: all ranks have the same weights."""
        return self._mine.state()

    def load(self, state: bytes) -> None:
        with self._team.together():
            self._team.tell({"what": "load"}, state)
            self._mine.load(state)
            self._team.wait()
