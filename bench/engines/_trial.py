"""A trial in its own process: the training of one configuration as a Ray Tune Trainable."""

import json
from pathlib import Path
from typing import Any

import ray
from ray import tune

from bench import plugins
from bench.cell import Cell
from bench.engines._rank_actors import team
from bench.engines._seam import RESULT_KEYS
from bench.engines._states import State, States
from bench.engines._training import Running, diverged, hung_file, last_words
from bench.objective import Objective


class FailedBefore(Exception):
    """A step that failed before the search was interrupted."""


class Trial(tune.Trainable):
    """Trains when Ray Tune says so.

    The process outlives the trial: Ray gives it the next configuration (`reset_config`), and what
    the objective keeps in memory (the data) is there already.
    """

    def setup(
        self, config: dict[str, Any], cell: dict[str, Any], folder: str, states: str, conductor: Any
    ) -> None:
        self._cell = Cell.from_json(cell)
        self._objective: Objective = plugins.make("objectives", self._cell.objective)
        self._folder = Path(folder)
        self._states = States(Path(states))
        self._conductor = conductor
        self._team = team(self._cell, self._objective) if self._cell.ranks > 1 else None
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._running = self._begin(new_config)
        self._configuration = new_config
        return True

    def _begin(self, configuration: dict[str, Any]) -> Running:
        begin = None if self._team is None else self._team.train
        return Running(self._cell, self._objective, configuration, self._states, begin)

    def step(self) -> dict[str, Any]:
        hung = hung_file(self._folder, self.trial_id)
        if self._team is not None:
            self._team.last_words = last_words(hung)
        report = self._repeat() or self._running.train(self._iteration, hung)
        return {"loss": report["loss"], "done": self._done(report), RESULT_KEYS: report}

    def _done(self, report: dict[str, Any]) -> bool:
        return diverged(report) or self._iteration + 1 >= self._cell.max_steps

    def _repeat(self) -> dict[str, Any] | None:
        """The report that this step gave before the search was interrupted, in its turn.

        None if it was not reached: then this step is trained, when all is where it was.
        """
        if self._conductor is None:
            return None
        step = self._iteration + 1
        was = ray.get(self._conductor.was.remote(self.trial_id, step))
        if was is None:
            ray.get(self._conductor.turn.remote(None))
            self._conductor = None
            self._running.keep_later()
            return None
        if was.in_flight:
            retrained = 0 if self._done(was.report) else self._running.build(step)
            ray.get(self._conductor.caught_up.remote(self.trial_id, retrained))
        ray.get(self._conductor.turn.remote(was.turn))
        if was.error is not None:
            raise FailedBefore(was.error)
        for name in ("step_seconds", "setup_seconds"):
            self._running.trained_seconds += was.report.get(name, 0.0)
        return was.report or {"loss": self._objective.worst_loss}  # of a stopped step: to nobody

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """It is paused; of one that was paused before the search was interrupted, there is none."""
        if self._conductor is not None:
            ray.get(self._conductor.pause.remote(self.trial_id, self._iteration))
        about = {"steps": self._iteration, "trained_seconds": self._running.trained_seconds}
        (Path(checkpoint_dir) / "about.json").write_text(json.dumps(about))
        if (state := self._running.state(self._iteration)) is not None:
            (Path(checkpoint_dir) / "state").write_bytes(state.content)
            self._states.keep(self._configuration, state)

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        about = json.loads((Path(checkpoint_dir) / "about.json").read_text())
        content = Path(checkpoint_dir) / "state"
        self._running = self._begin(self._configuration)
        self._running.trained_seconds = about["trained_seconds"]
        if content.exists():
            self._running.paused = State(**about, content=content.read_bytes())

    def cleanup(self) -> None:
        if self._team is not None:
            self._team.close()
