"""Engine `ray` on a Ray that is there already, as a job of several nodes has it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PLUGINS, WriteSuite, of_kind, records, suite_text
from consistent import consistent
from postgresql import free_port

pytestmark = pytest.mark.slow

Bench = Callable[..., subprocess.CompletedProcess[str]]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64, "RAY_USAGE_STATS_ENABLED": "0"}


class Head:
    """A Ray of one node with some cores, in another process; more nodes may join it."""

    def __init__(self, cores: int = 2) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="ray-", dir="/tmp", ignore_cleanup_errors=True
        )
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._processes = [
            self._start("--head", f"--port={port}", "--include-dashboard=false", cores)
        ]
        while not self.healthy():
            assert self._processes[0].poll() is None, "Ray's head ended as it started"

    def join(self, cores: int) -> None:
        """Start another node."""
        self._processes.append(self._start(f"--address={self.address}", cores))

    def _start(self, *more: str | int) -> subprocess.Popen[bytes]:
        *options, cores = more
        return self._ray(
            *("start", "--block", "--node-ip-address=127.0.0.1", f"--num-cpus={cores}"),
            *("--num-gpus=0", f"--object-store-memory={100 * 2**20}"),
            *(f"--temp-dir={self._folder.name}", *map(str, options)),
        )

    def healthy(self) -> bool:
        return self._ray("health-check", "--address", self.address).wait() == 0

    def end(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait()
        self._folder.cleanup()

    @staticmethod
    def _ray(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ray.scripts.scripts", *arguments]
        environment = {**os.environ, **TOKEN}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    found = Head()
    yield found
    found.end()


def test_it_is_used_and_left_as_it_was(
    bench: Bench, write_suite: WriteSuite, head: Head, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    joined = {**TOKEN, "BENCH_RAY_ADDRESS": head.address, "BENCH_SHARED_SCRATCH": str(shared)}
    suite = write_suite(gpus=[2])
    printed = bench("run", suite, "--device", "cpu", **joined)
    assert "1 done; 1 ran now" in printed.stdout, printed.stderr
    (record,) = records(tmp_path)
    assert record.finished
    assert head.healthy()
    assert not list(shared.iterdir())


@pytest.fixture
def two_nodes() -> Iterator[Head]:
    """Each with one core."""
    found = Head(cores=1)
    found.join(cores=1)
    yield found
    found.end()


@pytest.mark.minutes
def test_a_trial_that_no_node_has_room_for_lies_across_nodes(
    bench: Bench, two_nodes: Head, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    joined = {**TOKEN, "BENCH_RAY_ADDRESS": two_nodes.address, "BENCH_SHARED_SCRATCH": str(shared)}
    toy = {"path": str(PLUGINS / "shared.py"), "folder": str(tmp_path), "fault": "kill"}
    (tmp_path / "suite.toml").write_text(suite_text(toys=[toy], gpus=[2], gpus_per_trial=2))
    printed = bench("run", "suite.toml", "--device", "cpu", **joined)
    assert "1 done; 1 ran now" in printed.stdout, printed.stderr
    (record,) = records(tmp_path)
    consistent(record)
    errors = {event.get("error", "") for event in of_kind(record, "finish")}
    assert errors == {
        "",
        "rank 1 of 2: its process died: The actor died unexpectedly before finishing this task",
    }
    log = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert len({parent for _, _, parent, *_ in log}) == 2, "a daemon of Ray for each node"
    for x in {line[3] for line in log}:  # after a death the ranks may change places
        daemons = [parent for _, _, parent, its, _ in log if its == x]
        assert len(daemons) == len(set(daemons)), "no training has both ranks on one node"
    assert not list(shared.iterdir())


def test_one_that_has_not_what_the_cell_needs_is_refused(
    bench: Bench, write_suite: WriteSuite, head: Head, tmp_path: Path
) -> None:
    joined = {**TOKEN, "BENCH_RAY_ADDRESS": head.address, "BENCH_SHARED_SCRATCH": str(tmp_path)}
    printed = bench("run", write_suite(gpus=[1]), "--device", "cpu", **joined)
    assert printed.returncode == 2
    assert printed.stderr.strip().splitlines()[-1] == (
        f"bench: the Ray at {head.address} has 2 CPUs and 0 GPUs on 1 nodes, the cell needs "
        "exactly 1 CPUs and 0 GPUs: start its nodes so, as slurm/ray-cluster.sbatch does"
    )


def test_without_a_folder_that_all_nodes_see_it_is_refused(
    bench: Bench, write_suite: WriteSuite
) -> None:
    printed = bench("run", write_suite(), "--device", "cpu", BENCH_RAY_ADDRESS="127.0.0.1:1")
    assert printed.returncode == 2
    assert "BENCH_SHARED_SCRATCH is not: name in it a folder that all nodes see" in printed.stderr
