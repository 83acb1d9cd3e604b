"""Engine `optuna`: worker processes that share an Optuna study; the clock is the wall's.

One slot is one process, bound to its GPUs or cores. It asks the study for a trial by the
algorithm's own Optuna sampler, trains it, reports to the pruner and tells the study. The workers
race: what one is given depends on what the others had told by then.
"""

import os
import time
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

from bench import machine
from bench.algorithm import Algorithm
from bench.cell import Cell
from bench.engine import TABLE_IS_OVER, Attempt
from bench.engine import Engine as Base
from bench.engines._clock import WallClock
from bench.engines._past import Muted, repeat, resumption
from bench.engines._postgresql import VARIABLE, is_given
from bench.engines._recorder import Recorder
from bench.engines._sampling import Sampled, Sampling
from bench.engines._scratch import Scratch
from bench.engines._search import Search, build
from bench.engines._slots import environment
from bench.engines._states import States, dropping
from bench.objective import Objective
from bench.options import Options
from bench.seeds import worker_seed

LISTEN_SECONDS = 0.5

ELSEWHERE = "BENCH_OPTUNA_WORKERS"
"""The environment variable with the folder, seen by all nodes, where workers that are started
elsewhere (slurm/optuna-workers.sbatch) look for their parent."""


class Settings(Options):
    """What a suite may set of the engine."""

    storage: Literal["journal", "sqlite", "postgresql"] = "journal"
    """Where the study is: Optuna's journal file (on any file system that all workers see), SQLite
    (one node), or a PostgreSQL server, whose URL is in BENCH_OPTUNA_POSTGRESQL."""


class Engine(Base):
    """Starts the workers of a cell; they end with its search."""

    clock = "wall"
    resumes = True
    Settings = Settings

    def __exit__(self, *_: object) -> None:
        """Nothing is held between two cells."""

    @classmethod
    def refuse(cls, objective: Objective, algorithm: Algorithm) -> str | None:
        if objective.recorded is not None:
            return TABLE_IS_OVER
        return algorithm.refuse_optuna(objective)

    @classmethod
    def keeps_to_one_node(cls, cell: Cell) -> str | None:
        """SQLite's locks do not hold on most file systems that nodes share."""
        if cell.engine_settings.get("storage") != "sqlite":
            return None
        return 'SQLite is for one node: storage = "journal", or "postgresql"'

    @classmethod
    def why_not(cls, cell: Cell) -> str | None:
        if cell.engine_settings["storage"] == "postgresql" and not is_given():
            return f"needs a PostgreSQL server: set {VARIABLE} to its URL"
        if ELSEWHERE in os.environ:
            return cls.keeps_to_one_node(cell)
        return machine.why_not("cuda" if cell.device == "cuda" else "cpu", cell.gpus)

    def prepare(self, cell: Cell) -> Search:
        return build(cell, self.clock, form="optuna", elsewhere=ELSEWHERE in os.environ)

    def run(self, search: Search, attempt: Attempt) -> None:
        """Run a search to its end, from its beginning or from where it was interrupted.

        Raises UserError if the journal cannot be written or the storage fails, AlgorithmFailed
        for an error of the algorithm's in a worker.
        """
        with Sampling(search.sampled or Sampled(), attempt.journal) as journal:
            if ELSEWHERE in os.environ:
                _run(search, attempt, journal, Path(os.environ[ELSEWHERE]))
                return
            with Scratch() as scratch:
                _run(search, attempt, journal, scratch.folder)


def _run(search: Search, attempt: Attempt, sampling: Sampling, scratch: Path) -> None:
    from bench.engines._desk import Desk, Flight
    from bench.engines._storage import Place, failing
    from bench.engines._study import made, rebuild
    from bench.engines._training import hung_at, hung_file
    from bench.engines._wire import Message
    from bench.engines._workers import Worker, Workers

    began = time.perf_counter()
    cell, worst_loss = search.cell, search.objective.worst_loss
    states, clock, journal = States(attempt.states), WallClock(), Muted(sampling)
    recorder = Recorder(cell, journal, worst_loss, clock, dropping(states, attempt.listener))
    for old in attempt.states.glob(f"*{Place.SUFFIX}*"):
        old.unlink()
    attempt.states.mkdir(parents=True, exist_ok=True)
    place = Place.of(cell, attempt.states)
    bound = None if ELSEWHERE in os.environ else partial(environment, cell)
    with failing(), Workers(scratch, cell.slots, bound) as workers:
        storage = place.open("parent", workers.is_dead)
        place.remove_study(storage)
        study = made(place.study, storage, search.searcher, search.scheduler)
        flights: dict[int, Flight] = {}
        clock.stand(0.0)
        if attempt.past is not None:
            journal.muted = True
            repeat(attempt.past, recorder, clock)
            ids = rebuild(study, search.problem.space, attempt.past, worst_loss)
            flights = Flight.all_in(attempt.past, ids)
            journal.muted = False
        else:
            clock.go_on()

        had = recorder.suggestions

        def contract(worker: Worker) -> Message:
            """What a worker must know; no two of a search draw the same."""
            return {
                "cell": cell.as_json(),
                "name": worker.name,
                "seed": worker_seed(search.problem.seed, worker.number, had),
                "study": asdict(place),
                "folder": str(scratch),
                "states": str(attempt.states),
            }

        def hung(trial: int) -> str | None:
            return hung_at(hung_file(scratch, str(trial)), cell.max_trial_seconds)

        def go_on(retrained: int) -> None:
            """All is where it was."""
            seconds = time.perf_counter() - began
            journal.write(resumption(clock, seconds, retrained, attempt.about))
            clock.go_on()

        desk = Desk(workers, recorder, study, flights, contract, hung, go_on)
        desk.begin(resumes=attempt.past is not None)
        while not recorder.over:
            desk.serve(LISTEN_SECONDS)
        desk.settle()
    recorder.close()
    with suppress(Exception):  # all is in the journal
        place.remove_study(storage)
    states.clear()
