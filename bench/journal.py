"""The journal: the append-only record of one cell, one writer, JSON lines.

The first line is the header (`start`); then, in the order in which they happened:

`suggest`  trial, configuration, suggest_seconds
`report`   trial, step, loss, step_seconds, setup_seconds (first step after a start), whatever else
           the training returned; raw_loss where the loss that counts is not what was measured
`decide`   trial, step, decision (continue, pause, stop), decide_seconds, observe_seconds
`pause`    trial, step: its state is saved and its slot is free
`finish`   trial, step, status (completed, stopped, failed, cut), error, observe_seconds
`resume`   the run was interrupted here, and another went on: when, where, what that took
`utilisation`  of a GPU: how busy it was since the last such line, and how much memory was taken
`end`      status (completed, failed), reason; nothing follows it

Each has `seconds`: when it happened on the engine's clock, which starts at 0 when the search does.
docs/journal.md says what each field means. No pickles: reading a stranger's journal runs no code.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.errors import UserError

FORMAT = 3
"""Version of the journal's form; a reader refuses a greater one. 2 has `pause` and `resume`, 3 has
`utilisation`."""

OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY

LARGEST_WRITE = 2**22
"""Bytes that wait, at most, where events are written many at a time; to wait for the disk takes as
long as to make a thousand events."""

LONGEST_END = 4096
"""Bytes of the longest `end` line that is written."""

EVENTS = (
    *("start", "suggest", "report", "decide", "pause", "finish", "resume"),
    *("utilisation", "end"),
)

NOT_JSON = object()


class Journal:
    """Writes one cell's journal; every event is on disk when `write` returns.

    `check` is called before each event; what it raises (this process is no longer the one that
    may write) keeps the event out. A cell that takes milliseconds to run again need not be
    `durable`: then events are written many at a time, and a crash loses more of them.
    """

    def __init__(
        self, path: Path, flags: int, check: Callable[[], None] = lambda: None, durable: bool = True
    ) -> None:
        self.path = path
        self._check = check
        self._waiting = bytearray()  # a line that orjson made keeps a page of memory
        self._most_waiting = 0 if durable else LARGEST_WRITE
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | flags, 0o644)
        except OSError as error:
            raise _cannot_write(path, error) from None

    @classmethod
    def begin(
        cls,
        path: Path,
        header: dict[str, Any],
        check: Callable[[], None] = lambda: None,
        durable: bool = True,
    ) -> "Journal":
        """A new journal; it appears with its header, whole.

        Raises UserError where the folder is missing, read-only or full, and where the file exists.
        """
        draft = path.with_suffix(".draft")
        journal = cls(draft, os.O_CREAT | os.O_TRUNC, check, durable)
        journal.path = path
        try:
            journal.write({"event": "start", "format": FORMAT, **header})
            journal._flush()
            os.link(draft, path)
        except OSError as error:
            journal.close()
            raise _cannot_write(path, error) from None
        except Exception:  # a full disk, a header that is no JSON
            journal.close()
            raise
        finally:
            draft.unlink(missing_ok=True)
        return journal

    @classmethod
    def go_on(cls, path: Path, check: Callable[[], None] = lambda: None) -> "Journal":
        """An interrupted one: what is written goes after its last whole line.

        A line that was cut off goes. Raises UserError where the file cannot be written.
        """
        journal = cls(path, 0, check)
        try:
            os.ftruncate(journal._file, path.read_bytes().rfind(b"\n") + 1)
        except OSError as error:
            journal.close()
            raise _cannot_write(path, error) from None
        return journal

    def write(self, event: dict[str, Any]) -> None:
        """Append one event as one line; a durable one in one write, flushed to disk."""
        self._waiting += orjson.dumps(event, option=OPTIONS)
        if len(self._waiting) > self._most_waiting:
            self._flush()

    def close(self) -> None:
        try:
            if self._waiting:
                self._flush()
        finally:
            os.close(self._file)

    def _flush(self) -> None:
        data, self._waiting = self._waiting, bytearray()
        self._check()
        try:
            written = os.write(self._file, data)
            while written < len(data):  # a disk that fills up takes a part before it refuses
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError as error:
            raise _cannot_write(self.path, error) from None


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror}; what is in it already is kept: "
        "free space or choose another folder with --results, then run the same command again"
    )


@dataclass
class Record:
    """What a journal says. `problem` is why it cannot be trusted as a whole, or None."""

    path: Path
    header: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    end: dict[str, Any] | None = None
    torn: bool = False
    """The last line was cut off by a crash (and is not among the events)."""
    problem: str | None = None

    @property
    def finished(self) -> bool:
        """A cell is finished if and only if the last line of its journal says so."""
        return self.end is not None and self.problem is None


def read(path: Path) -> Record:
    """Read a journal, whatever state it is in; never raises for what the file holds."""
    record = Record(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        record.problem = f"cannot be read: {error.strerror}"
        return record
    *lines, tail = data.split(b"\n")
    record.torn = tail != b""
    for number, event in enumerate(_parse(lines), start=1):
        if isinstance(event, str):
            record.problem = f"line {number}: {event}"
        elif record.end is not None:
            record.problem = f"line {number}: something follows the end"
        elif number == 1:
            record.header = event
            record.problem = header_problem(event)
        elif event["event"] == "start":
            record.problem = f"line {number}: a second header"
        elif event["event"] == "end":
            record.end = event
        else:
            record.events.append(event)
        if record.problem:
            return record
    if record.torn and record.end is not None:
        record.problem = "something follows the end"
    if not lines:
        record.problem = "is empty" if not record.torn else "the header is cut off"
    return record


def end_of(path: Path) -> dict[str, Any] | None:
    """The `end` event if it is the journal's last line, else None; reads no more than that."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_END))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    if len(lines) < 2 or lines[-1] != b"":
        return None
    event = next(_parse([lines[-2]]))
    return event if isinstance(event, dict) and event["event"] == "end" else None


def _parse(lines: list[bytes]) -> Iterator[dict[str, Any] | str]:
    """Each line's event, or what is wrong with it."""
    try:
        events = orjson.loads(b"[" + b",".join(lines) + b"]")  # twice as fast as line by line
    except orjson.JSONDecodeError:
        events = []
    if len(events) != len(lines):
        events = map(_event, lines)
    for event in events:
        if event is NOT_JSON:
            yield "not JSON"
        elif not isinstance(event, dict) or event.get("event") not in EVENTS:
            yield f"not an event ({', '.join(EVENTS)})"
        else:
            yield event


def _event(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return NOT_JSON


def header_problem(event: dict[str, Any]) -> str | None:
    """What is wrong with a journal's first line, or None."""
    if event["event"] != "start" or not isinstance(event.get("cell"), dict):
        return "line 1: not a journal's header"
    if not isinstance(event.get("format"), int) or event["format"] > FORMAT:
        return f"line 1: format {event.get('format')}, this version reads up to {FORMAT}"
    return None
