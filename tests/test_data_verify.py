"""Before a training, data are checked without network, and nothing altered passes."""

import hashlib
import os
import time
from pathlib import Path

import pytest
from test_data import CONTENT, put, small_dataset

from bench import data
from bench.data import _files
from bench.errors import UserError

__all__ = ["small_dataset"]  # the fixture `folder`


def test_verify_names_what_is_missing_and_what_to_do(folder: Path) -> None:
    put(folder, {"images": CONTENT["images"]})
    with pytest.raises(UserError, match="labels missing or altered") as raised:
        data.verify("mnist")
    assert "bench data mnist" in str(raised.value)
    assert "BENCH_DATA" in str(raised.value)


def test_verify_reads_an_unaltered_file_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_SETTLED_NS", -1)
    put(folder, CONTENT)
    data.verify("mnist")
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert data.verify("mnist") == folder


def test_verify_sees_a_file_altered_with_its_size_and_date_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_files, "_SETTLED_NS", -1)
    put(folder, CONTENT)
    data.verify("mnist")
    time.sleep(0.05)  # a file system's clock ticks every few milliseconds
    date = (folder / "labels").stat()
    put(folder, {"labels": CONTENT["labels"][:-1] + b"8"})
    os.utime(folder / "labels", ns=(date.st_atime_ns, date.st_mtime_ns))
    with pytest.raises(UserError, match="labels missing or altered"):
        data.verify("mnist")


def test_verify_does_not_trust_its_memory_of_a_file_just_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_files, "_SETTLED_NS", 3600 * 10**9)
    put(folder, CONTENT)
    data.verify("mnist")
    assert not any(str(folder) in str(version[0]) for version in _files._seen_right)
