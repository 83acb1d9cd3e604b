"""Engine `ray` on a Ray that is there already, as a job of several nodes has it."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import WriteSuite, records

pytestmark = pytest.mark.slow

Bench = Callable[..., subprocess.CompletedProcess[str]]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64, "RAY_USAGE_STATS_ENABLED": "0"}


class Head:
    """A Ray of one node with two cores, in another process."""

    def __init__(self) -> None:
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{any_port.getsockname()[1]}"
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp")
        options = {
            "node-ip-address": "127.0.0.1",
            "port": self.address.partition(":")[2],
            "num-cpus": "2",
            "num-gpus": "0",
            "include-dashboard": "false",
            "object-store-memory": str(100 * 2**20),
            "temp-dir": self._folder.name,
        }
        start = ["start", "--head", "--block", *(f"--{k}={v}" for k, v in options.items())]
        self._process = self._ray(*start)
        while not self.healthy():
            assert self._process.poll() is None, "Ray's head ended as it started"

    def healthy(self) -> bool:
        return self._ray("health-check", "--address", self.address).wait() == 0

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
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
