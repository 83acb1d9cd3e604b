"""The image, for real: built by `make container`, run by Apptainer as root and as anyone."""

import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.image import labels_of
from bench.journal import read
from cluster.users import NAME, created

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parent.parent.parent
IMAGE = ROOT / "containers" / "bench.sif"
SUITE = """
budget = 2
seeds = 1
gpus = [1]
objectives = [{ name = "branin" }]
algorithms = [{ name = "random" }]
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", autouse=True)
def apptainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put Apptainer into PATH, for everyone on this machine."""
    assert IMAGE.exists(), "no image to test: make container"
    folder = Path(tempfile.mkdtemp(prefix="apptainer-"))
    folder.chmod(0o755)
    script = ROOT / "tests" / "cluster" / "apptainer.sh"
    found = subprocess.run([script, folder], capture_output=True, text=True)
    if found.returncode == 3:
        pytest.skip(found.stderr.strip())
    assert found.returncode == 0, found.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{found.stdout.strip()}:{os.environ['PATH']}")
        yield
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["root", NAME])
def user(request: pytest.FixtureRequest) -> Iterator[str]:
    """Who runs it: root, or one who is created here and may use /dev/fuse, as udev has it."""
    name: str = request.param
    if os.getuid() != 0:
        pytest.skip("only root can be several users")
    if name == "root":
        yield name
        return
    fuse = Path("/dev/fuse")
    mode = fuse.stat().st_mode
    with created():
        fuse.chmod(0o666)
        try:
            yield name
        finally:
            fuse.chmod(mode)


@pytest.fixture
def folder(user: str) -> Iterator[Path]:
    """The user's working folder."""
    path = Path(tempfile.mkdtemp(prefix="bench-test-"))
    (path / "tiny.toml").write_text(SUITE)
    shutil.chown(path, user)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def run(user: str, folder: Path) -> Run:
    """Run a command as the user in its folder, as a batch job would."""

    def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            as_user(user, *command), cwd=folder, env=job(user, **environment), text=True,
            capture_output=True,
        )  # fmt: skip

    return run


def as_user(user: str, *command: object) -> list[str]:
    who = [] if user == "root" else ["runuser", "--user", user, "--"]
    return [*who, *map(str, command)]


def job(user: str, **environment: str) -> dict[str, str]:
    home = pwd.getpwnam(user).pw_dir
    path = os.environ["PATH"]
    return {"PATH": path, "HOME": home, "USER": user, "BENCH_IMAGE": str(IMAGE), **environment}


BENCH = ROOT / "slurm" / "bench"
EXEC = ROOT / "slurm" / "exec"


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_cell_runs_and_its_journal_names_the_image(run: Run, folder: Path) -> None:
    assert "1 done; 1 ran now" in ok(run(BENCH, "run", "tiny.toml", "--device", "cpu"))
    ok(run(BENCH, "report", "tiny.toml", "--device", "cpu"))
    (journal,) = (folder / "results" / "tiny").glob("*.jsonl")
    record = read(journal)
    assert record.finished
    where = record.header["provenance"]
    with IMAGE.open("rb") as file:
        assert where["image"]["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()
    labels = labels_of(IMAGE)
    assert where["commit"] == where["image"]["commit"] == labels["searchbench.commit"]
    assert json.dumps(where["dirty"]) == labels["searchbench.dirty"]
    assert where["image"]["lock"] == labels["searchbench.lock"]
    assert where["python"] == labels["searchbench.version.python"]


def test_nothing_of_home_or_of_the_users_packages_gets_in(
    run: Run, user: str, folder: Path
) -> None:
    home = Path(pwd.getpwnam(user).pw_dir)
    if user == NAME:
        packages = home / ".local" / "lib" / "python3.11" / "site-packages"
        packages.mkdir(parents=True)
        (packages / "leak.py").touch()
    else:
        packages = folder / "packages"
        packages.mkdir()
        (packages / "leak.py").touch()
    assert [*home.iterdir()], "else there is nothing that could get in"
    assert ok(run(EXEC, "sh", "-c", 'ls -A "$HOME"')) == ""
    script = "import importlib.util, sys; print(importlib.util.find_spec('leak'), *sys.path)"
    found = ok(run(EXEC, "python", "-c", script, PYTHONPATH=str(packages)))
    assert found.startswith("None") and ".local" not in found and str(packages) not in found
    direct = ["apptainer", "--silent", "exec", *flags(user), IMAGE, "python", "-c", script]
    found = ok(run(*direct, PYTHONPATH=str(packages)))
    assert found.startswith("None"), "not even with the home, which Apptainer binds by itself"


def test_what_the_job_says_gets_in_and_nothing_else(run: Run) -> None:
    given = {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "SLURM_JOB_ID": "7",
        "RAY_AUTH_TOKEN": "t",
        "OTHER": "x",
    }
    found = dict(line.split("=", 1) for line in ok(run(EXEC, "env", **given)).splitlines())
    assert given.items() - found.items() == {("OTHER", "x")}


def test_only_the_working_folder_can_be_written(run: Run, folder: Path) -> None:
    ok(run(EXEC, "touch", "here"))
    assert (folder / "here").exists()
    assert run(EXEC, "touch", "/opt/searchbench/there").returncode == 1


def flags(user: str) -> list[str]:
    """What root needs where it may not do everything."""
    return ["--userns"] if user == "root" else []


@pytest.mark.parametrize("gpus", [[], ["--nv"]], ids=["without --nv", "with --nv"])
def test_it_is_bench_with_and_without_gpus(run: Run, user: str, gpus: list[str]) -> None:
    printed = ok(run("apptainer", "run", *flags(user), *gpus, IMAGE, "list"))
    assert "algorithms: asha" in printed


def test_a_signal_and_the_exit_status_go_through(user: str, folder: Path) -> None:
    script = "trap 'exit 75' TERM; echo ready; while :; do sleep 0.1; done"
    started = subprocess.Popen(
        [EXEC, "bash", "-c", script], cwd=folder, env=job(user), stdout=subprocess.PIPE,
        user=user, group=pwd.getpwnam(user).pw_gid,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=60) == 75


def test_its_own_test_passes(run: Run, user: str) -> None:
    assert "1 done; 1 ran now" in ok(run("apptainer", "--silent", "test", *flags(user), IMAGE))


def test_make_bench_runs_in_it(folder: Path, user: str) -> None:
    if user != "root":
        pytest.skip("the checkout is root's")
    made = subprocess.run(
        ["make", "-C", ROOT, "bench", f"CONTAINER={IMAGE}", f"SUITE={folder / 'tiny.toml'}"],
        env=job(user, BENCH_RESULTS=str(folder / "results")), capture_output=True, text=True,
    )  # fmt: skip
    assert "1 ran now" in ok(made)
    (journal,) = (folder / "results" / "tiny").glob("*.jsonl")
    assert read(journal).header["provenance"]["image"]["sha256"]
    assert (folder / "results" / "tiny" / "report" / "report.md").exists()


def test_verify_image_compares_with_the_checkout_that_it_is_run_in(folder: Path) -> None:
    labels = labels_of(IMAGE)
    if labels["searchbench.dirty"] == "true":
        pytest.fail("the image was built from uncommitted changes: commit, then make container")
    checkout = folder / "checkout"

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        subprocess.run(["git", "-C", checkout, *who, *arguments], check=True, capture_output=True)

    def verify() -> tuple[int, list[str]]:
        command: list[str | Path] = [
            ROOT / ".venv" / "bin" / "python",
            "-m",
            "bench",
            "verify-image",
            IMAGE,
        ]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        done = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    git("checkout", "--quiet", labels["searchbench.commit"])
    assert verify()[0] == 0
    lock = checkout / "requirements" / "lock.txt"
    lock.write_text(lock.read_text() + "# changed\n")
    status, lines = verify()
    assert status == 1
    assert "the checkout has uncommitted changes" in lines[0] and "here it is" in lines[1]
    git("commit", "--all", "--message", "Change the lock")
    status, lines = verify()
    assert status == 1
    assert "is of commit" in lines[0] and "here it is" in lines[1]
