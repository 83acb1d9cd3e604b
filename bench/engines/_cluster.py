"""Ray itself: one of this machine alone, gone when closed; or one that is there already.

Its own is told exactly what a cell has, and listens on loopback. A job of several nodes starts Ray
on them (slurm/ray-cluster.sbatch) and says where in BENCH_RAY_ADDRESS.
"""

import os
import secrets
import signal
import time
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

from bench.cell import Cell
from bench.engines._scratch import Scratch
from bench.engines._shares import Share, whole
from bench.errors import UserError

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


LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray has it for other systems; on Linux it takes 127.0.0.1 as an address to be replaced by one
that other hosts can reach."""

JOIN_SECONDS = 120.0
"""So long the nodes of a cluster may take to join it."""


NOTICE_SECONDS = 90.0
"""So long Ray may take to notice that a node is gone."""


def address() -> str | None:
    """Of the Ray to run on, if there is one; None to start one."""
    return os.environ.get("BENCH_RAY_ADDRESS") or None


class Cluster:
    """A Ray of this process's own, restarted when a cell needs other resources; or an existing one.

    To be made before anything imports Ray, which reads its environment as it is imported.
    """

    def __init__(self) -> None:
        os.environ.update(ENVIRONMENT if address() else ENVIRONMENT | LOOPBACK_ONLY)
        # Others on this host reach loopback too; without a token of ours Ray writes one into ~.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        self._open = ExitStack()
        self._scratch: Scratch | None = None
        self._resources: Share | None = None

    def start(self, cell: Cell) -> Scratch:
        """Have a Ray with exactly the cell's GPUs (or cores); UserError if there is none."""
        needs = whole(cell)
        if self._scratch is not None and self._resources == needs:
            return self._scratch
        self.close()
        try:
            existing = address()
            self._scratch = self._start(needs) if existing is None else self._join(existing, needs)
        except (OSError, RuntimeError, ValueError) as error:
            self.close()
            raise UserError(f"Ray does not start: {str(error).splitlines()[0]}") from None
        except BaseException:  # Ctrl-C; a half-started Ray must not serve the next cell
            self.close()
            raise
        self._resources = needs
        return self._scratch

    def close(self) -> None:
        """Stop a Ray of its own, leave another's; remove the files."""
        self._open.close()
        self._scratch = self._resources = None

    def _start(self, needs: Share) -> Scratch:
        scratch = self._open.enter_context(Scratch())
        self._connect(
            scratch.folder,
            address="local",
            num_cpus=needs.cpus,
            num_gpus=needs.gpus,
            include_dashboard=False,
            object_store_memory=256 * 2**20,
            _temp_dir=str(scratch.folder),
            _node_ip_address="127.0.0.1",
        )
        return scratch

    def _join(self, existing: str, needs: Share) -> Scratch:
        shared = os.environ.get("BENCH_SHARED_SCRATCH")
        if not shared:
            raise UserError(
                "BENCH_RAY_ADDRESS is set, BENCH_SHARED_SCRATCH is not: name in it a folder that "
                "all nodes see, as slurm/ray-cluster.sbatch does"
            )
        scratch = self._open.enter_context(Scratch(Path(shared)))
        everywhere = {"env_vars": ENVIRONMENT}
        try:
            self._connect(scratch.folder, address=existing, runtime_env=everywhere)
        except ConnectionError:
            raise UserError(
                f"no Ray at BENCH_RAY_ADDRESS={existing}: start it, or unset that"
            ) from None
        _wait_until_it_has(needs)
        return scratch

    def _connect(self, folder: Path, **settings: Any) -> None:
        import ray

        log = self._open.enter_context((folder / "log").open("a"))
        self._open.enter_context(redirect_stdout(log))  # Ray prints there when a worker dies
        self._open.callback(ray.shutdown)
        on_sigterm = signal.getsignal(signal.SIGTERM)
        ray.init(log_to_driver=False, logging_level="error", **settings)
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray has taken it


def _wait_until_it_has(needs: Share) -> None:
    """Wait for the nodes; UserError if they are not just what a cell needs.

    With less, trials would wait for ever; with more, too many would run at once.
    """
    import ray

    end = time.monotonic() + JOIN_SECONDS
    while True:
        found = ray.cluster_resources()
        have = Share(int(found.get("CPU", 0)), int(found.get("GPU", 0)))
        if have == needs:
            return
        if have.cpus > needs.cpus or have.gpus > needs.gpus or time.monotonic() > end:
            nodes = sum(node["Alive"] for node in ray.nodes())
            raise UserError(
                f"the Ray at {address()} has {_text(have)} on {nodes} nodes, the cell needs "
                f"exactly {_text(needs)}: start its nodes so, as slurm/ray-cluster.sbatch does"
            )
        time.sleep(0.2)


def lost_a_node() -> bool:
    """Whether a node of the Ray that was joined is gone; waits until Ray would have noticed."""
    import ray

    end = time.monotonic() + NOTICE_SECONDS
    while address() is not None:
        if not all(node["Alive"] for node in ray.nodes()):
            return True
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    return False


def _text(share: Share) -> str:
    return f"{share.cpus} CPUs and {share.gpus} GPUs"
