"""Engine `ray`: trials as Ray Tune actors on this machine; the clock is the wall's.

One slot is one actor with a GPU (or core), a part of one, or several: then it is an actor for each
(_rank_actors.py). Ray is told of exactly the cell's GPUs, so no more trials than slots can run.
"""

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import machine
from bench.algorithm import Algorithm
from bench.cell import Cell
from bench.engine import TABLE_IS_OVER, Attempt
from bench.engine import Engine as Base
from bench.engines._asked import Measured, unwarned
from bench.engines._clock import WallClock
from bench.engines._cluster import Cluster, address
from bench.engines._past import Past
from bench.engines._recorder import Recorder
from bench.engines._sampling import Sampled, Sampling
from bench.engines._search import Search, build
from bench.engines._shares import bundles
from bench.engines._sharing import kills_for_memory
from bench.engines._states import States, dropping
from bench.objective import Objective

if TYPE_CHECKING:
    from ray.tune import Tuner


class Engine(Base):
    """Starts a Ray of its own, with exactly a cell's GPUs."""

    clock = "wall"
    resumes = True

    def __init__(self) -> None:
        self._cluster = Cluster()

    def __exit__(self, *_: object) -> None:
        self._cluster.close()

    @classmethod
    def refuse(cls, objective: Objective, algorithm: Algorithm) -> str | None:
        if objective.recorded is None:
            return None
        return TABLE_IS_OVER

    @classmethod
    def why_not(cls, cell: Cell) -> str | None:
        if address() is not None:  # what that has is seen when it is joined
            return None
        return machine.why_not("cuda" if cell.device == "cuda" else "cpu", cell.gpus)

    def prepare(self, cell: Cell) -> Search:
        return build(cell, self.clock, elsewhere=address() is not None)

    def run(self, search: Search, attempt: Attempt) -> None:
        """Run a search to its end, from its beginning or from where it was interrupted.

        Raises UserError if the journal cannot be written, Diverged if the search does not do again
        what it did.
        """
        folder = self._cluster.start(search.cell).folder
        with Sampling(search.sampled or Sampled(), attempt.journal) as journal:
            self._run(search, attempt, journal, folder)

    def _run(self, search: Search, attempt: Attempt, journal: Sampling, folder: Path) -> None:
        states = States(attempt.states)
        clock = WallClock()
        past = None
        if attempt.past is not None:
            past = Past(journal, attempt.past, clock, attempt.about)
        recorder = Recorder(
            search.cell,
            past or journal,
            search.objective.worst_loss,
            clock,
            dropping(states, attempt.listener),
        )
        logging.getLogger("ray.tune.tune").disabled = True  # it names trials that failed
        try:
            with unwarned():
                _tuner(search, recorder, folder, attempt.states, past).fit()
        except BaseException:
            self._cluster.close()
            if recorder.failure is not None:  # Ray wraps it in an error of its own
                raise recorder.failure from None
            raise
        if recorder.failure is not None:
            raise recorder.failure
        recorder.close()
        if past is not None:
            past.let_go()
        states.clear()


def _tuner(
    search: Search, recorder: Recorder, folder: Path, states: Path, past: Past | None
) -> "Tuner":
    from ray import tune

    from bench.engines._failure import cause_of
    from bench.engines._seam import (
        BudgetStopper,
        JournaledScheduler,
        JournaledSearcher,
        PauseWatcher,
        SignalKeeper,
        holding,
    )
    from bench.engines._trial import Trial

    cell = search.cell
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(cell.slots)
    most, kills = cell.max_trial_seconds, kills_for_memory()
    cause = partial(cause_of, folder=folder, max_trial_seconds=most, kills=kills)
    asked = Measured(recorder)
    scheduler = JournaledScheduler(search.scheduler, recorder, asked, cause, holding)
    searcher = JournaledSearcher(search.searcher, scheduler, recorder, asked, search.problem.space)
    callbacks: list[Any] = [PauseWatcher(recorder), SignalKeeper()]
    conductor = None
    if past is not None and not past.over:
        from bench.engines._conductor import conduct

        conductor, patience = conduct(past, recorder)
        callbacks.append(patience)
    trainable = tune.with_parameters(
        Trial, cell=cell.as_json(), folder=str(folder), states=str(states), conductor=conductor
    )
    return tune.Tuner(
        tune.with_resources(trainable, tune.PlacementGroupFactory(bundles(cell), strategy="PACK")),
        tune_config=tune.TuneConfig(
            num_samples=-1, search_alg=searcher, scheduler=scheduler, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name=cell.key,
            storage_path=str(folder / "tune"),
            stop=BudgetStopper(recorder, scheduler),
            verbose=0,
            callbacks=callbacks,
            failure_config=tune.FailureConfig(max_failures=0, fail_fast=False),
            checkpoint_config=tune.CheckpointConfig(
                checkpoint_frequency=0, checkpoint_at_end=False
            ),
        ),
    )
