"""The storage that Optuna's workers share: where it is, and who holds its lock."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.exc import SQLAlchemyError

from bench.engines._postgresql import server
from bench.errors import UserError
from bench.seeds import digest

if TYPE_CHECKING:
    from bench.cell import Cell

Kind = Literal["journal", "sqlite", "postgresql"]

FAILURES = (SQLAlchemyError, StorageInternalError)
"""What a storage raises when it is gone, or full."""


class StorageFailed(UserError):
    """The search cannot go on now; it can when the storage is there again."""

    def __init__(self, error: str) -> None:
        super().__init__(
            f"the storage of the study fails: {error}; what is in the journal is kept: see to the "
            "storage, then run the same command again"
        )


@contextmanager
def failing() -> Iterator[None]:
    """Raise StorageFailed for what a storage raises; its words may have parts of a server's URL."""
    try:
        yield
    except FAILURES as error:
        raise StorageFailed(type(error).__name__) from None


BUSY_SECONDS = 600
"""How long SQLite waits for its lock."""


@dataclass(frozen=True)
class Place:
    """Where a search's study is."""

    SUFFIX: ClassVar[str] = ".study"

    kind: Kind
    study: str
    """The study's name there."""
    file: str
    """Of the file storages; a new one for each attempt, so that no worker of an older one, on a
    node that was cut off, writes into it."""

    @classmethod
    def of(cls, cell: "Cell", folder: Path) -> "Place":
        """A new place for a cell's study; `folder` is the cell's own.

        A server has studies of other folders too, so there the folder is part of the name.
        """
        kind = cell.engine_settings["storage"]
        name = cell.key
        if kind == "postgresql":
            name += f"@{digest(str(folder.resolve()))[:10]}"
        return cls(kind, name, str(folder / (uuid.uuid4().hex + cls.SUFFIX)))

    def open(self, holder: str, dead: Callable[[str], bool] = lambda holder: False) -> BaseStorage:
        """The storage; `holder` is who opens it, `dead` says whether another holder is gone.

        UserError where the server cannot be reached.
        """
        if self.kind == "journal":
            lock = NamedLock(Path(self.file), holder, dead)
            return JournalStorage(JournalFileBackend(self.file, lock_obj=lock))
        if self.kind == "sqlite":
            wait = {"connect_args": {"timeout": BUSY_SECONDS}}
            return RDBStorage(f"sqlite:///{self.file}", engine_kwargs=wait)
        return server()

    def remove_study(self, storage: BaseStorage) -> None:
        """What an earlier attempt left on a server; files are in the cell's own folder."""
        for study in storage.get_all_studies():
            if study.study_name == self.study:
                storage.delete_study(study._study_id)


class NamedLock(BaseJournalFileLock):
    """A symbolic link that names its holder: made by one, whatever file system it is on.

    Optuna's own locks are broken by whoever has waited for 30 seconds, and two may do so one after
    the other: the second breaks the first one's. Here only who is known to be dead loses it, and
    whoever is told so is the search's one parent.
    """

    def __init__(self, file: Path, holder: str, dead: Callable[[str], bool]) -> None:
        self._link = file.with_name(file.name + ".lock")
        self._holder = holder
        self._dead = dead

    def acquire(self) -> bool:
        wait = 0.0005
        while True:
            try:
                self._link.symlink_to(self._holder)
                return True
            except FileExistsError:
                holder = self._held_by()
                if holder == self._holder:  # made by a call whose answer NFS lost
                    return True
                if holder is not None and self._dead(holder):
                    self._link.unlink(missing_ok=True)
                    continue
            time.sleep(wait)
            wait = min(2 * wait, 0.02)

    def release(self) -> None:
        self._link.unlink()

    def break_if_of(self, holder: str) -> None:
        """Take it from one who is dead."""
        if self._held_by() == holder:
            self._link.unlink(missing_ok=True)

    def _held_by(self) -> str | None:
        try:
            return os.readlink(self._link)
        except OSError:  # just let go
            return None


def lock_of(storage: BaseStorage) -> NamedLock | None:
    """The lock of a storage that has one of ours."""
    backend: Any = getattr(storage, "_backend", None)
    return getattr(backend, "_lock", None)
