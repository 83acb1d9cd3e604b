"""The extracts of a folder's journals: side by side, and of an unchanged one from the last time."""

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path

import bench
from bench.errors import UserError
from bench.process import pool
from bench.report.extract import Extract, extract

FOLDER = "cache"
"""Below the folder of the journals; may be deleted at any time."""

SIDE_BY_SIDE_BYTES = 50_000_000
"""Of journals to read: from there on it pays to start processes for them."""

SETTLED_SECONDS = 2.0
"""A journal that was written since then may change again and keep its time of change."""


def extracts(paths: Sequence[Path]) -> Iterator[Extract]:
    """The extract of each journal, in order; a new one is kept for the next time, if it can be.

    One that was kept counts only if it was made by this very code, of a file of that size and time
    of change.
    """
    known = {path: _load(path) for path in paths}
    new = [path for path, found in known.items() if found is None]
    made = _side_by_side(new) if sum(map(_bytes, new)) > SIDE_BY_SIDE_BYTES else map(_make, new)
    yield from (known.pop(path) or next(made) for path in paths)


def _side_by_side(paths: Sequence[Path]) -> Iterator[Extract]:
    with pool(len(paths)) as processes:
        try:
            yield from processes.map(_make, paths, chunksize=4)
        except BrokenProcessPool:
            raise UserError(
                "a process that read journals was killed, perhaps for its memory; what was read is "
                "kept: run the same command again"
            ) from None


def _make(path: Path) -> Extract:
    state = _state(path)
    found = extract(path)
    if state is not None and state == _state(path):
        _save(path, state, found)
    return found


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _state(path: Path) -> list[str | int] | None:
    """What an extract of the journal as it is now rests on; None where that can still change."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not found.st_mtime < time.time() - SETTLED_SECONDS:
        return None
    return [_code(), path.name, found.st_size, found.st_mtime_ns]


@cache
def _code() -> str:
    """A digest of this package's source."""
    whole = sha256()
    for path in sorted(Path(bench.__file__).parent.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _place(path: Path) -> Path:
    return path.parent / FOLDER / f"{path.stem}.arrow"


def _load(path: Path) -> Extract | None:
    """What was kept, or None. No pickles: whoever may write there cannot make this run code."""
    import pyarrow as pa

    try:
        with pa.OSFile(str(_place(path))) as file:
            table = pa.ipc.open_file(file).read_all()
        said = json.loads(table.schema.metadata[b"extract"])
        if said.pop("state") != _state(path):
            return None
        columns = {name: table[name].to_numpy() for name in table.column_names}
        return Extract(columns=columns, **said)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def _save(path: Path, state: list[str | int], found: Extract) -> None:
    import pyarrow as pa

    said = asdict(found)
    table = pa.table(said.pop("columns"))
    table = table.replace_schema_metadata({"extract": json.dumps({"state": state, **said})})
    place = _place(path)
    draft = place.with_name(f".{place.stem}-{secrets.token_hex(4)}")
    try:
        place.parent.mkdir(exist_ok=True)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(draft), "wb") as file,
            pa.ipc.new_file(file, table.schema, options=options) as writer,
        ):
            writer.write_table(table)
        draft.rename(place)
    except OSError:  # read-only, or full: then it is read again the next time
        with suppress(OSError):
            draft.unlink()
