"""Ray itself, for one machine: told exactly what it has, on loopback, gone when closed."""

import os
import secrets
import signal
from contextlib import ExitStack, redirect_stdout

from bench.cell import Cell
from bench.engines._scratch import Scratch
from bench.errors import UserError

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Listen on loopback only. Ray has it for other systems; on Linux it takes 127.0.0.1 as an
    # address to be replaced by one that other hosts can reach.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
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


class Cluster:
    """A Ray of this process's own, restarted when a cell needs other resources.

    To be made before anything imports Ray, which reads its environment as it is imported.
    """

    def __init__(self) -> None:
        os.environ.update(ENVIRONMENT)
        # Others on this host reach loopback too; without a token of ours Ray writes one into ~.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        self._open = ExitStack()
        self._scratch: Scratch | None = None
        self._resources: tuple[int, int] | None = None

    def start(self, cell: Cell) -> Scratch:
        """Have a Ray with exactly the cell's GPUs (or cores); UserError if it does not start."""
        cpus, gpus = (cell.gpus, 0) if cell.device == "cpu" else (cell.slots, cell.gpus)
        if self._scratch is not None and self._resources == (cpus, gpus):
            return self._scratch
        self.close()
        try:
            self._scratch = self._start(cpus, gpus)
        except (OSError, RuntimeError, ValueError) as error:
            self.close()
            raise UserError(f"Ray does not start: {str(error).splitlines()[0]}") from None
        except BaseException:  # Ctrl-C; a half-started Ray must not serve the next cell
            self.close()
            raise
        self._resources = cpus, gpus
        return self._scratch

    def close(self) -> None:
        """Stop Ray and remove its files."""
        self._open.close()
        self._scratch = self._resources = None

    def _start(self, cpus: int, gpus: int) -> Scratch:
        import ray

        scratch = self._open.enter_context(Scratch())
        log = self._open.enter_context((scratch.folder / "log").open("a"))
        self._open.enter_context(redirect_stdout(log))  # Ray prints there when a worker dies
        self._open.callback(ray.shutdown)
        on_sigterm = signal.getsignal(signal.SIGTERM)
        ray.init(
            address="local",
            num_cpus=cpus,
            num_gpus=gpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            object_store_memory=256 * 2**20,
            _temp_dir=str(scratch.folder),
            _node_ip_address="127.0.0.1",
        )
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray has taken it
        return scratch
