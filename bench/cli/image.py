"""The verb that is about the container image: verify-image."""

from pathlib import Path
from typing import Annotated

import typer


def verify_image(
    image: Annotated[Path, typer.Argument(envvar="BENCH_IMAGE", help="The image's file.")] = Path(
        "containers/bench.sif"
    ),
) -> None:
    """Say whether an image is of this checkout's commit and lock; exit status 1 if not."""
    from bench import provenance
    from bench.image import PREFIX, disagreements, labels_of, lock_hash

    labels = labels_of(image)
    torch = labels[f"{PREFIX}torch"]
    found = disagreements(labels, lock_hash(torch), *provenance.commit())
    for line in found:
        print(f"{image}: {line}")
    if found:
        print("make container builds it anew")
        raise SystemExit(1)
    commit, lock = (labels[PREFIX + name][:12] for name in ("commit", "lock"))
    print(f"{image}: commit {commit}, lock {lock}, torch for {torch}: as in this checkout")
