"""What was read of a journal is kept, and read again only if the journal has changed."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest
from journals import SMALL, cell, end, finish, report, results, search, suggest, write

from bench.metrics._table import Table
from bench.report import cache
from bench.report.extract import Extract, extract
from bench.report.table import load

HOUR_AGO = time.time() - 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Journals of every kind, last written an hour ago."""
    search(tmp_path, cell("tpe", gpus=2, **SMALL))
    results(tmp_path, cell(), (1.0, 0.5), (2.0, 0.4), (3.0, 0.3), wall=3)
    gone = [suggest(0), finish(0, 1.0, "failed", error="ünwell"), end(1.0, "failed", "it broke")]
    write(tmp_path, cell(seed=1), gone, worst_loss=None)
    write(tmp_path, cell(seed=2), [suggest(0), report(0, 1.0, 0.5)])
    (tmp_path / "torn.jsonl").write_text('{"event": "sta')
    for path in tmp_path.glob("*.jsonl"):
        os.utime(path, (HOUR_AGO, HOUR_AGO))
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the journals that were read."""
    names: list[str] = []

    def noted(path: Path) -> Extract:
        names.append(path.stem)
        return extract(path)

    monkeypatch.setattr(cache, "extract", noted)
    return names


def same(one: Table, other: Table) -> None:
    for name in ("cells", "reports", "problems", "configurations"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_journals_that_did_not_change_are_not_read_again(folder: Path, read: list[str]) -> None:
    first = load(folder)
    assert len(read) == 5
    read.clear()
    same(load(folder), first)
    assert read == []


def test_what_is_kept_changes_nothing_of_what_is_read(folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        made = extract(path)
        cache._save(path, cache._state(path) or [], made)
        kept = cache._load(path)
        assert kept is not None
        assert repr((kept.row, kept.problems, kept.configurations)) == repr(
            (made.row, made.problems, made.configurations)
        )
        for name, column in made.columns.items():
            assert kept.columns[name].dtype == column.dtype
            assert kept.columns[name].tobytes() == column.tobytes()
        assert list(kept.columns) == list(made.columns)


@pytest.mark.parametrize("what", ["longer", "later"])
def test_a_journal_that_changed_is_read_again(folder: Path, read: list[str], what: str) -> None:
    load(folder)
    read.clear()
    changed = folder / f"{cell(seed=2).key}.jsonl"
    if what == "longer":
        with changed.open("a") as file:
            file.write('{"event": "end", "seconds": 2.0, "status": "failed", "reason": "gone"}\n')
    os.utime(changed, (HOUR_AGO, HOUR_AGO + (what == "later")))
    table = load(folder)
    assert read == [changed.stem]
    assert (changed.stem in list(table.cells["key"])) == (what == "longer")


def test_a_journal_that_may_still_change_unseen_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SETTLED_SECONDS", 3600.0)
    results(tmp_path, cell(), (1.0, 0.5), wall=3)
    load(tmp_path)
    assert not (tmp_path / cache.FOLDER).exists()


def test_what_other_code_had_read_is_read_again(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder)
    read.clear()
    monkeypatch.setattr(cache, "_code", lambda: "of tomorrow")
    load(folder)
    assert len(read) == 5


def test_what_is_damaged_is_read_again(folder: Path, read: list[str]) -> None:
    first = load(folder)
    read.clear()
    for number, path in enumerate(sorted((folder / cache.FOLDER).iterdir())):
        whole = path.read_bytes()
        path.write_bytes([b"", b"no arrow", whole[:-9], whole[: len(whole) // 2], whole][number])
    same(load(folder), first)
    assert len(read) == 4


def test_a_folder_where_nothing_can_be_kept_is_read_all_the_same(folder: Path) -> None:
    first = load(folder)
    for path in (folder / cache.FOLDER).iterdir():
        path.unlink()
    (folder / cache.FOLDER).rmdir()
    (folder / cache.FOLDER).write_text("no folder")
    same(load(folder), first)


def test_many_processes_read_what_one_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SIDE_BY_SIDE_BYTES", 0)
    many = load(folder)
    assert len([*(folder / cache.FOLDER).iterdir()]) == 5
    monkeypatch.setattr(cache, "_load", lambda path: None)
    monkeypatch.setattr(cache, "SIDE_BY_SIDE_BYTES", 10**12)
    same(load(folder), many)
