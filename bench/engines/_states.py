"""The states of trials in flight, in a folder that outlives the run and that all nodes see."""

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engines._recorder import Listener
from bench.seeds import digest


@dataclass(frozen=True)
class State:
    """A training after so many steps."""

    steps: int
    trained_seconds: float
    content: bytes


class States:
    """One state per configuration, the last that was kept.

    Trials of one configuration train alike, so one's state is the other's, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, configuration: dict[str, Any], state: State) -> bool:
        """Keep a state in place of the one before; False where the disk does not take it."""
        path = self._path(configuration)
        draft = path.with_suffix(f".{os.getpid()}")
        about = {"steps": state.steps, "trained_seconds": state.trained_seconds}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(json.dumps(about).encode() + b"\n" + state.content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except OSError:  # a trial does not fail for it; a full disk ends the search at its journal
            draft.unlink(missing_ok=True)
            return False
        return True

    def of(self, configuration: dict[str, Any], most_steps: int) -> State | None:
        """The state that was kept, unless that is none, or of a later step."""
        try:
            about, content = self._path(configuration).read_bytes().split(b"\n", 1)
            state = State(**json.loads(about), content=content)
        except (OSError, ValueError, TypeError):
            return None
        return state if state.steps <= most_steps else None

    def drop(self, configuration: dict[str, Any]) -> None:
        """The trial is over."""
        self._path(configuration).unlink(missing_ok=True)

    def clear(self) -> None:
        """The search is over."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # other searches have theirs in it
            self._folder.parent.rmdir()

    def _path(self, configuration: dict[str, Any]) -> Path:
        return self._folder / f"{digest(configuration)[:20]}.state"


def dropping(states: States, listener: Listener) -> Listener:
    """Drops the state of a trial that is over, and hands its events on."""
    configurations: dict[int, dict[str, Any]] = {}

    def heard(event: dict[str, Any]) -> None:
        if event["event"] == "suggest":
            configurations[event["trial"]] = event["configuration"]
        elif event["event"] == "finish":
            states.drop(configurations.pop(event["trial"]))
        listener(event)

    return heard
