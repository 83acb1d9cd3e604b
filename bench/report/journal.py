"""One finished journal, its events as arrays: read by Arrow where nothing in it is unusual."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from bench.journal import Record, header_problem
from bench.report.events import DECISIONS, FAILED, FIELDS, KINDS, REPORT, STATUSES, Events, arrays
from bench.report.fields import all_of, numbers

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Journal:
    """A journal that has its end."""

    path: Path
    header: dict[str, Any]
    events: Events
    end: dict[str, Any]
    configuration: Callable[[int], Any]
    """What the suggestion at this index among the events suggests."""


def of_record(record: Record) -> Journal:
    """Raises KeyError or TypeError for an event that is not what it must be."""
    of = record.events
    for event in of:
        failed = event["event"] == "finish" and event.get("status") == "failed"
        if event["event"] == "report" or failed:
            all_of("trial", [event["trial"]], {int})
            numbers("seconds", [event["seconds"]])
        if event["event"] == "report":
            numbers("loss", [event["loss"]])
    return Journal(
        record.path,
        record.header,
        arrays(of),
        record.end or {},
        lambda index: of[index].get("configuration"),
    )


def by_arrow(path: Path) -> Journal | None:
    """A journal in which nothing is unusual; None of any other: `of_record` says what is wrong."""
    import pyarrow as pa

    try:
        data = path.read_bytes()
        lines = data.split(b"\n")
        header, end = orjson.loads(lines[0]), orjson.loads(lines[-2])
        if lines[-1] or header_problem(header) or end["event"] != "end":
            return None
        first = len(lines[0]) + 1
        body = pa.py_buffer(data).slice(first, len(data) - first - len(lines[-2]) - 1)
        table = _table(body)
        events = _events(table) if len(table) == len(lines) - 3 else None
    except (OSError, IndexError, KeyError, TypeError, ValueError, pa.ArrowException):
        return None
    if events is None:
        return None
    suggestion = lambda index: orjson.loads(lines[index + 1]).get("configuration")  # noqa: E731
    return Journal(path, header, events, end, suggestion)


def _table(body: "pa.Buffer") -> "pa.Table":
    """The lines of these bytes; the fields that are known here, null where one has none."""
    import pyarrow as pa
    from pyarrow import json

    words = {name: pa.string() for name in ("event", "decision", "status")}
    floats = {name: pa.float64() for name in ("seconds", *FIELDS)}
    fields = {"trial": pa.int64(), **words, **floats}
    if len(body) == 0:
        return pa.schema({**fields, "raw_loss": pa.string()}).empty_table()
    reading = json.ReadOptions(use_threads=False, block_size=len(body) + 1)
    try:  # text where a loss was not finite, a number where it was worse than the worst
        return _parsed(body, reading, pa.schema({**fields, "raw_loss": pa.string()}))
    except pa.ArrowInvalid:
        return _parsed(body, reading, pa.schema({**fields, "raw_loss": pa.float64()}))


def _parsed(body: "pa.Buffer", reading: Any, schema: "pa.Schema") -> "pa.Table":
    from pyarrow import json

    parsing = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    return json.read_json(body, reading, parsing)


def _events(table: "pa.Table") -> Events | None:
    import pyarrow as pa

    kind = _coded(table["event"], KINDS)
    trial = table["trial"].fill_null(-1).to_numpy()
    seconds = table["seconds"].to_numpy()
    status = np.where(kind == KINDS.index("finish"), _coded(table["status"], STATUSES), -1)
    found, floats = {}, [seconds]
    for name, kinds in FIELDS.items():
        every = table[name].to_numpy()
        found[name] = np.where(np.isin(kind, kinds), every, np.nan)
        floats.append(every)
    spent = (kind == REPORT) | (status == FAILED)
    is_text = table.schema.field("raw_loss").type == pa.string()
    lacking = (
        (kind < 0).any()
        or (table["trial"].is_null().to_numpy() | np.isnan(seconds))[spent].any()
        or np.isnan(found["loss"][kind == REPORT]).any()
        or any(np.isinf(each).any() for each in floats)
    )
    if lacking:
        return None
    return Events(
        kind=kind,
        trial=trial,
        seconds=seconds,
        numbers=found,
        decision=np.where(kind == KINDS.index("decide"), _coded(table["decision"], DECISIONS), -1),
        status=status,
        broken=(kind == REPORT) & table["raw_loss"].is_valid().to_numpy() & is_text,
    )


def _coded(column: "pa.ChunkedArray", values: tuple[str, ...]) -> np.ndarray:
    """The index of each text among the values, -1 for others and for null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(column, pa.array(values))
    return found.fill_null(-1).to_numpy().astype(np.int64)
