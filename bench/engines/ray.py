"""Engine `ray`: trials as Ray Tune actors on this machine; the clock is the wall's.

One slot is one actor with `gpus_per_trial` GPUs (or cores); Ray is told of exactly the cell's
GPUs, so no more trials than slots can run. It listens on loopback only, sends no usage
statistics, and keeps its files in a temporary folder that goes when the engine is closed.
"""

import os
import time
from contextlib import ExitStack, redirect_stdout
from typing import Any

from bench import plugins
from bench.algorithm import Problem, effective_settings
from bench.cell import Cell
from bench.engines._recorder import Listener, Recorder
from bench.engines._scratch import Scratch
from bench.errors import UserError
from bench.journal import Journal
from bench.seeds import search_seed

CLOCK = "wall"

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths mean in a trial what they mean outside
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the journal is the log
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends the run at once
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # the journal is the checkpoint
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_FORCE_TRIAL_CLEANUP_S": "1",
    "TUNE_WARN_THRESHOLD_S": "3600",
}


class Engine:
    """Runs cells one after the other; a context manager. Ray stays up while `gpus` is the same."""

    def __init__(self) -> None:
        self._scratch: Scratch | None = None
        self._gpus: int | None = None
        self._log = ExitStack()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._shut_down()

    def prepare(self, cell: Cell) -> dict[str, Any]:
        """What the journal's header says of the search; UserError if the cell cannot run."""
        searcher, scheduler = plugins.make("algorithms", cell.algorithm).ray(problem_of(cell))
        objective = plugins.make("objectives", cell.objective)
        objective.prepare()
        return {
            "clock": CLOCK,
            "optimum": objective.optimum,
            "worst_loss": objective.worst_loss,
            "metrics": objective.metrics,
            "effective": {
                "searcher": effective_settings(searcher),
                "scheduler": effective_settings(scheduler),
            },
        }

    def run(self, cell: Cell, journal: Journal, listener: Listener) -> None:
        """Run a cell to its end. Raises UserError if the journal cannot be written."""
        scratch = self._start_ray(cell)
        objective = plugins.make("objectives", cell.objective)
        began = time.perf_counter()
        recorder = Recorder(
            cell, journal, objective.worst_loss, lambda: time.perf_counter() - began, listener
        )
        try:
            _fit(cell, recorder, scratch)
        except BaseException:
            self._shut_down()
            if recorder.failure is not None:
                raise recorder.failure from None
            raise
        if recorder.failure is not None:
            raise recorder.failure
        recorder.close()

    def _start_ray(self, cell: Cell) -> Scratch:
        if self._scratch is not None and self._gpus == cell.gpus:
            return self._scratch
        self._shut_down()
        os.environ.update(ENVIRONMENT)
        import ray

        self._scratch, self._gpus = Scratch(), cell.gpus
        log = self._log.enter_context((self._scratch.folder / "log").open("a"))
        self._log.enter_context(redirect_stdout(log))  # Ray prints there when a worker dies
        on_cpu = cell.device == "cpu"
        try:
            ray.init(
                address="local",
                num_cpus=cell.gpus if on_cpu else cell.slots,
                num_gpus=0 if on_cpu else cell.gpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=256 * 2**20,
                _temp_dir=str(self._scratch.folder),
                _node_ip_address="127.0.0.1",
            )
        except (OSError, RuntimeError, ValueError) as error:
            self._shut_down()
            raise UserError(f"Ray does not start: {str(error).splitlines()[0]}") from None
        return self._scratch

    def _shut_down(self) -> None:
        if self._scratch is not None:
            import ray

            ray.shutdown()
            self._log.close()
            self._scratch.remove()
            self._scratch = self._gpus = None


def problem_of(cell: Cell) -> Problem:
    """The search that a cell asks of its algorithm."""
    objective = plugins.make("objectives", cell.objective)
    seed = search_seed(cell.objective.name, cell.seed)
    return Problem(objective.space(), cell.max_steps, cell.slots, seed)


def _fit(cell: Cell, recorder: Recorder, scratch: Scratch) -> None:
    from ray import tune

    from bench.engines._seam import BudgetStopper, JournaledScheduler, JournaledSearcher
    from bench.engines._trial import Trial

    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(cell.slots)
    problem = problem_of(cell)
    searcher, scheduler = plugins.make("algorithms", cell.algorithm).ray(problem)
    journaled = JournaledScheduler(scheduler, recorder, scratch.folder)
    storage = scratch.folder / "tune"
    on_cpu, share = cell.device == "cpu", cell.gpus_per_trial
    bundle = {"CPU": share} if on_cpu else {"CPU": 1, "GPU": share}
    trainable = tune.with_parameters(Trial, cell=cell.as_json(), folder=str(scratch.folder))
    tuner = tune.Tuner(
        tune.with_resources(trainable, tune.PlacementGroupFactory([bundle])),
        tune_config=tune.TuneConfig(
            num_samples=-1,
            search_alg=JournaledSearcher(searcher, journaled, recorder, problem.space),
            scheduler=journaled,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=cell.key,
            storage_path=str(storage),
            stop=BudgetStopper(recorder, journaled),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=0, fail_fast=False),
            checkpoint_config=tune.CheckpointConfig(
                checkpoint_frequency=0, checkpoint_at_end=False
            ),
        ),
    )
    tuner.fit()
