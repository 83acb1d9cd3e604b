"""The container image: what it is labelled with, and whether that agrees with this checkout."""

import hashlib
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

from bench import __version__, provenance
from bench.errors import UserError

PREFIX = "searchbench."


def label_lines() -> str:
    """Labels for the image that this runs in, a line each; containers/bench.def asks for them."""
    built = provenance.image() or {}
    versions = {"python": platform.python_version(), **provenance.packages()}
    labels = {
        "version": __version__,
        "commit": built["commit"],
        "dirty": json.dumps(built["dirty"]),
        "lock": built["lock"],
        "torch": built["torch"],
        **{f"version.{name.lower()}": found for name, found in versions.items()},
    }
    return "\n".join(f"{PREFIX}{name} {value}" for name, value in labels.items())


def labels_of(image: Path) -> dict[str, str]:
    """The labels of an image's file; UserError if it cannot be read or is none of ours."""
    if not image.is_file():
        raise UserError(f"no image {image}: make container builds one, or give the path of another")
    command = ["apptainer", "inspect", "--json", "--labels", str(image)]
    try:
        printed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise UserError(
            "no apptainer in PATH: load its module, or install it (apptainer.org)"
        ) from None
    found: dict[str, str] = {}
    if printed.returncode == 0:
        attributes: dict[str, Any] = json.loads(printed.stdout)["data"]["attributes"]
        found = attributes.get("labels") or {}
    if f"{PREFIX}commit" not in found:
        raise UserError(f"{image} is no image of searchbench: make container builds one")
    return found


def lock_hash(torch: str, requirements: Path = provenance.CHECKOUT / "requirements") -> str | None:
    """SHA-256 over the locks that an image with this build of torch has; None without them."""
    names = ("lock.txt", f"torch-{torch}.txt", "uv.txt")
    try:
        return hashlib.sha256(b"".join((requirements / n).read_bytes() for n in names)).hexdigest()
    except OSError:
        return None


def disagreements(
    of_image: dict[str, str], lock: str | None, commit: str | None, dirty: bool | None
) -> list[str]:
    """How an image's labels differ from a checkout's lock, commit and state; a line for each."""
    built = {name: of_image.get(PREFIX + name, "") for name in ("commit", "dirty", "lock", "torch")}
    found = []
    if commit is None:
        found.append("this code is no git checkout: nothing says of which commit it is")
    elif built["commit"] != commit:
        found.append(f"is of commit {built['commit'][:12]}, the checkout of {commit[:12]}")
    if built["dirty"] != "false":
        found.append("was built from a checkout with uncommitted changes")
    if dirty:
        found.append("the checkout has uncommitted changes (git status)")
    if built["lock"] != lock:
        files = f"lock.txt, torch-{built['torch']}.txt and uv.txt in requirements/"
        here = lock[:12] if lock else "missing"
        found.append(f"was built from lock {built['lock'][:12]}, here it is {here} ({files})")
    return found
