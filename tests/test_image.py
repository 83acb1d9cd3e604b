"""The image's labels, its digest, and how a command gets into it; without Apptainer."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import run_bench

from bench import machine, provenance
from bench.errors import UserError
from bench.image import disagreements, label_lines, labels_of, lock_hash

ROOT = Path(__file__).parent.parent
COMMIT, OTHER = "a" * 40, "b" * 40


def labels(**changes: str) -> dict[str, str]:
    built = {"commit": COMMIT, "dirty": "false", "lock": "1" * 64, "torch": "cpu", **changes}
    return {f"searchbench.{name}": value for name, value in built.items()}


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], env={**os.environ, **environment}, capture_output=True, text=True
    )


def program(path: Path, *lines: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines]))
    path.chmod(0o755)


# --- does it agree?


def test_an_image_of_this_commit_and_lock_agrees() -> None:
    assert disagreements(labels(), "1" * 64, COMMIT, False) == []


@pytest.mark.parametrize(
    ("of_image", "lock", "commit", "dirty", "line"),
    [
        (labels(commit=OTHER), "1" * 64, COMMIT, False, "is of commit bbbbbbbbbbbb, the checkout"),
        (labels(dirty="true"), "1" * 64, COMMIT, False, "was built from a checkout with uncommit"),
        (labels(), "1" * 64, COMMIT, True, "the checkout has uncommitted changes"),
        (labels(), "2" * 64, COMMIT, False, "lock 111111111111, here it is 222222222222"),
        (labels(), None, COMMIT, False, "lock 111111111111, here it is missing"),
        (labels(), "1" * 64, None, None, "this code is no git checkout"),
    ],
)
def test_each_disagreement_is_a_line(
    of_image: dict[str, str], lock: str, commit: str, dirty: bool, line: str
) -> None:
    (found,) = disagreements(of_image, lock, commit, dirty)
    assert line in found and "\n" not in found


def test_the_hash_of_the_locks_is_the_one_that_the_build_writes(tmp_path: Path) -> None:
    for name in ("lock.txt", "torch-cpu.txt", "torch-cuda.txt", "uv.txt"):
        (tmp_path / name).write_text(f"of {name}\n")
    built = run("bash", "-c", f"cd {tmp_path} && cat lock.txt torch-cpu.txt uv.txt | sha256sum")
    assert lock_hash("cpu", tmp_path) == built.stdout.split()[0]
    assert lock_hash("cuda", tmp_path) not in (None, lock_hash("cpu", tmp_path))
    (tmp_path / "uv.txt").unlink()
    assert lock_hash("cpu", tmp_path) is None


def test_labels_are_read_from_what_apptainer_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "some.sif"
    image.touch()
    printed = json.dumps({"data": {"attributes": {"labels": labels()}}})
    program(tmp_path / "bin" / "apptainer", f"echo '{printed}'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert labels_of(image) == labels()
    program(tmp_path / "bin" / "apptainer", 'echo \'{"data": {"attributes": {"labels": {}}}}\'')
    with pytest.raises(UserError, match=r"some\.sif is no image of searchbench"):
        labels_of(image)
    program(tmp_path / "bin" / "apptainer", "echo FATAL >&2; exit 255")
    with pytest.raises(UserError, match=r"some\.sif is no image of searchbench"):
        labels_of(image)


def test_verify_image_without_image_or_apptainer_is_one_line_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "some.sif").touch()
    for image, message in (("none.sif", "make container builds"), ("some.sif", "no apptainer")):
        printed = run_bench(tmp_path, "verify-image", image, PATH="/nowhere")
        assert printed.returncode == 2 and printed.stdout == ""
        assert message in printed.stderr and printed.stderr.count("\n") == 1, printed.stderr


# --- what a journal's header says of it


def test_outside_an_image_the_header_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_IMAGE_SHA256", "left over from somewhere")
    assert provenance.image() is None


def test_in_an_image_the_commit_is_known_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = {"commit": COMMIT, "dirty": True, "lock": "1" * 64, "torch": "cpu"}
    (tmp_path / "image.json").write_text(json.dumps(built))
    monkeypatch.setattr(provenance, "CHECKOUT", tmp_path)
    monkeypatch.setenv("BENCH_IMAGE_SHA256", "c" * 64)
    assert provenance.image() == {"sha256": "c" * 64, **built}
    assert provenance.commit() == (COMMIT, True)
    monkeypatch.delenv("BENCH_IMAGE_SHA256")
    assert provenance.image() == {"sha256": None, **built}
    lines = dict(line.split(" ", 1) for line in label_lines().splitlines())
    assert lines["searchbench.dirty"] == "true"
    assert lines["searchbench.version.ray"] == provenance.packages()["ray"]
    assert labels(dirty="true").items() <= lines.items()


# --- the digest


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "some.sif"
    path.write_bytes(b"an image")
    return path


def digest(image: Path) -> str:
    return run(ROOT / "containers" / "digest.sh", image).stdout.strip()


def of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_digest_is_hashed_once_and_kept_in_the_form_of_sha256sum(image: Path) -> None:
    sidecar = Path(f"{image}.sha256")
    assert digest(image) == of(b"an image")
    assert sidecar.read_text().startswith(f"{of(b'an image')}  some.sif\n# 8 bytes, modified ")
    checked = subprocess.run(["sha256sum", "--check", "--strict", sidecar], cwd=image.parent)
    assert checked.returncode == 0
    sidecar.write_text(sidecar.read_text().replace(of(b"an image"), "d" * 64))
    assert digest(image) == "d" * 64, "not hashed again"


@pytest.mark.parametrize("change", ["size", "time", "only the sidecar's first line is there"])
def test_a_stale_digest_is_not_believed(image: Path, change: str) -> None:
    digest(image)
    if change == "size":
        changed = image.stat()
        image.write_bytes(b"another image")
        os.utime(image, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    elif change == "time":
        changed = image.stat()
        image.write_bytes(b"an  mage")
        os.utime(image, ns=(changed.st_atime_ns, changed.st_mtime_ns + 1))
    else:
        Path(f"{image}.sha256").write_text(f"{'d' * 64}  some.sif\n")
    assert digest(image) == of(image.read_bytes())
    assert Path(f"{image}.sha256").read_text().startswith(digest(image)), "mended"


# --- getting in


def inside(image: Path, **environment: str) -> dict[str, Any]:
    """What apptainer gets when slurm/exec is called: arguments, and variables for the image."""
    bin_ = image.parent / "bin"
    program(bin_ / "apptainer", 'for each in "$@"; do echo "$each"; done', "env >env")
    path = f"{bin_}:{os.environ['PATH']}"
    clean = dict.fromkeys(("BENCH_BINDS", "BENCH_RESULTS", "BENCH_DATA", "TMPDIR"), "")
    printed = subprocess.run(
        [ROOT / "slurm" / "exec", "bench", "run", "some suite"],
        cwd=image.parent,
        env={**os.environ, **clean, **environment, "PATH": path, "BENCH_IMAGE": str(image)},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(
        line.removeprefix("APPTAINERENV_").split("=", 1)
        for line in (image.parent / "env").read_text().splitlines()
        if line.startswith("APPTAINERENV_")
    )
    return {"arguments": printed.stdout.splitlines(), "variables": variables}


def test_a_command_gets_the_working_folder_and_nothing_of_home(image: Path) -> None:
    arguments = inside(image)["arguments"]
    assert {"--contain", "--cleanenv"} <= {*arguments}
    assert arguments[arguments.index("--pwd") + 1] == str(image.parent)
    assert arguments[-4:] == [str(image), "bench", "run", "some suite"]
    assert ("--nv" in arguments) == bool(machine.gpus())


def test_folders_that_are_named_are_bound(image: Path, tmp_path: Path) -> None:
    results = tmp_path / "new" / "results"
    arguments = inside(image, BENCH_RESULTS=str(results), BENCH_BINDS="/usr,/etc:/mnt")["arguments"]
    binds = [arguments[at + 1] for at, each in enumerate(arguments) if each == "--bind"]
    assert binds == [str(image.parent), "/tmp", str(results), "/usr,/etc:/mnt"]
    assert results.is_dir()


def test_what_the_job_says_is_passed_on_with_the_images_digest(image: Path) -> None:
    variables = inside(image, CUDA_VISIBLE_DEVICES="0,1", SLURM_JOB_ID="7", OTHER="x")["variables"]
    assert variables["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert variables["SLURM_JOB_ID"] == "7"
    assert variables["BENCH_IMAGE_SHA256"] == of(b"an image")
    assert "OTHER" not in variables and "PATH" not in variables


def test_without_an_image_the_checkouts_own_environment_is_used(tmp_path: Path) -> None:
    printed = run(ROOT / "slurm" / "bench", "list", BENCH_IMAGE="")
    assert printed.returncode == 0 and "algorithms:" in printed.stdout


def test_an_image_that_is_not_there_is_one_line_and_status_2(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "apptainer")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    printed = run(ROOT / "slurm" / "bench", "list", BENCH_IMAGE="/no/such.sif", PATH=path)
    assert printed.returncode == 2
    assert "cannot read the image /no/such.sif" in printed.stderr
    assert printed.stderr.count("\n") == 1
