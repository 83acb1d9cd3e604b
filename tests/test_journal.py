import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import journal
from bench.errors import UserError
from bench.journal import Journal, end_of, read

HEADER = {"key": "k", "cell": {"seed": 0}, "clock": "wall"}

finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name != "event"),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | st.text(),
    max_size=4,
)
events = st.lists(
    st.builds(
        lambda kind, rest: {"event": kind, **rest},
        st.sampled_from(["suggest", "report", "decide", "finish"]),
        values,
    ),
    max_size=8,
)
END = {"event": "end", "status": "completed", "reason": "budget spent"}


def write(path: Path, body: list[dict[str, Any]], end: bool = True) -> bytes:
    path.unlink(missing_ok=True)
    writer = Journal.begin(path, HEADER)
    for event in [*body, END] if end else body:
        writer.write(event)
    writer.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "cell.jsonl"


@given(body=events)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(path: Path, body: list[dict[str, Any]]) -> None:
    write(path, body)
    record = read(path)
    assert record.finished and record.problem is None and not record.torn
    assert record.header == {"event": "start", "format": journal.FORMAT, **HEADER}
    assert record.events == body
    assert record.end == END == end_of(path)


@given(body=events, data=st.data())
@settings(max_examples=100, deadline=None)
def test_cut_off_anywhere_it_keeps_every_whole_line_and_is_unfinished(
    path: Path, body: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = write(path, body)
    length = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:length])
    record = read(path)
    assert not record.finished and end_of(path) is None
    whole_lines = whole[:length].count(b"\n")
    assert len(record.events) == max(whole_lines - 1, 0)
    assert record.torn == (not whole[:length].endswith(b"\n") and length > 0)
    assert (record.problem is None) == (whole_lines > 0)


@given(garbage=st.binary(min_size=1, max_size=40), data=st.data())
@settings(max_examples=100, deadline=None)
def test_garbage_in_the_middle_is_named_by_its_line_and_never_raises(
    path: Path, garbage: bytes, data: st.DataObject
) -> None:
    lines = write(path, [{"event": "report", "trial": 0}] * 3).split(b"\n")
    place = data.draw(st.integers(0, 4))
    lines.insert(place, b"{" + garbage.replace(b"\n", b"?"))
    path.write_bytes(b"\n".join(lines))
    record = read(path)
    assert not record.finished
    assert record.problem is not None and f"line {place + 1}" in record.problem


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "is empty"),
        (["no object"], "line 1: not an event"),
        ([{"event": "report"}], "line 1: not a journal's header"),
        ([{"event": "start", "format": 99, "cell": {}}], "line 1: format 99"),
        ([{"event": "start", "format": 1, "cell": {}}, {"event": "dance"}], "line 2: not an event"),
        ([{"event": "start", "format": 1, "cell": {}}] * 2, "line 2: a second header"),
        (
            [{"event": "start", "format": 1, "cell": {}}, END, {"event": "report"}],
            "line 3: something follows the end",
        ),
    ],
)
def test_what_is_wrong_with_a_journal_is_said(path: Path, lines: list, problem: str) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert problem in str(read(path).problem)


def test_a_missing_journal_is_a_problem_not_an_exception(tmp_path: Path) -> None:
    assert "cannot be read" in str(read(tmp_path / "none.jsonl").problem)
    assert end_of(tmp_path / "none.jsonl") is None


def test_it_never_overwrites_a_journal(tmp_path: Path) -> None:
    before = write(tmp_path / "cell.jsonl", [])
    with pytest.raises(UserError, match="cannot write"):
        Journal.begin(tmp_path / "cell.jsonl", HEADER)
    assert (tmp_path / "cell.jsonl").read_bytes() == before


def test_what_is_no_number_is_null_and_never_something_that_is_not_json(tmp_path: Path) -> None:
    writer = Journal.begin(tmp_path / "cell.jsonl", HEADER)
    writer.write({"event": "report", "loss": float("nan"), "accuracy": float("inf")})
    writer.close()
    (event,) = read(tmp_path / "cell.jsonl").events
    assert event == {"event": "report", "loss": None, "accuracy": None}


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Journal.begin(tmp_path / "cell.jsonl", HEADER)
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(writer, "_file", full.fileno())
        with pytest.raises(UserError, match="No space left on device; what is in it already"):
            writer.write({"event": "report"})


def test_who_may_no_longer_write_writes_nothing(tmp_path: Path) -> None:
    def check() -> None:
        if journal_path.exists() and journal_path.stat().st_size:
            raise UserError("lost the lock")

    journal_path = tmp_path / "cell.jsonl"
    writer = Journal.begin(journal_path, HEADER, check)
    before = journal_path.read_bytes()
    with pytest.raises(UserError, match="lost the lock"):
        writer.write({"event": "report"})
    assert journal_path.read_bytes() == before


def test_a_folder_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write .*No such file"):
        Journal.begin(tmp_path / "none" / "cell.jsonl", HEADER)
