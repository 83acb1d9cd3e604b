"""A SLURM of four nodes with two GPUs each, and the image, for all tests of this folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.slurm import ROOT, Case, Slurm

TRAINING = ("seconds", "max_steps", "processes")

MakeCase = Callable[..., Case]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """The cluster; where it cannot be, the tests are skipped, and say why.

    One that is in CLUSTER_ROOT stays there afterwards.
    """
    kept = os.environ.get("CLUSTER_ROOT")
    folder = Path(kept or tempfile.mkdtemp(prefix="bench-cluster-", dir="/tmp"))
    cluster = Slurm(folder, {"SLURM_CONF": str(folder / "etc/slurm.conf")})
    try:
        up = cluster.script("up")
        if up.returncode == 3:
            pytest.skip(up.stderr.strip())
        assert up.returncode == 0, up.stdout + up.stderr
        yield cluster
    finally:
        if not kept:
            cluster.script("down")


@pytest.fixture
def case(slurm: Slurm, request: pytest.FixtureRequest) -> MakeCase:
    """Make a suite in a folder of the test's own: `case(seconds=0.1, gpus=[2])`.

    Options of the objective and keys of the suite have different names.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{request.node.name[5:35]}-", dir=slurm.shared))
    folder.chmod(0o755)

    def make(of: Slurm = slurm, **keys: Any) -> Case:
        shutil.chown(folder, of.user)
        training = {name: keys.pop(name) for name in TRAINING if name in keys}
        return Case.make(of, folder, training, **keys)

    return make


@pytest.fixture(scope="session")
def image(slurm: Slurm) -> dict[str, str]:
    """The environment of a job that runs in the image: Apptainer in PATH, and where the image is.

    Where there is no Apptainer the tests are skipped; an image that cannot be built fails them.
    """
    apptainer = slurm.folder / "apptainer"
    found = subprocess.run(
        [ROOT / "tests/cluster/apptainer.sh", apptainer], capture_output=True, text=True
    )
    if found.returncode == 3:
        pytest.skip(found.stderr.strip())
    assert found.returncode == 0, found.stderr
    sif = ROOT / "containers" / "bench.sif"
    assert sif.exists(), "no image to test: make container"
    path = f"{found.stdout.strip()}:{os.environ['PATH']}"
    return {"PATH": path, "BENCH_IMAGE": str(sif)}


@pytest.fixture(scope="session")
def site(slurm: Slurm) -> Path:
    """The site file of this cluster."""
    path = slurm.shared / "site.toml"
    path.write_text(
        'verified = "by this test"\ndevice = "cpu"\ngpus_per_node = 2\nmemory_gb_per_gpu = 1\n'
        'gpu_option = "--gres=gpu:{gpus}"\ndefault_time = "0:10:00"\nmax_time = "0:30:00"\n'
    )
    return path
