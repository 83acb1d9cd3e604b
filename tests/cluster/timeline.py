"""What happens to a job, and when."""

import time

from cluster.slurm import Slurm


class Timeline:
    """What happened when, in seconds from the start."""

    def __init__(self) -> None:
        self._started = time.time()
        self._lines: list[tuple[float, str]] = []

    def add(self, what: str, at: float | None = None) -> None:
        self._lines.append(((at or time.time()) - self._started, what))

    def __str__(self) -> str:
        return "\n".join(f"{seconds:7.1f} s  {what}" for seconds, what in sorted(self._lines))


def nodes_of(slurm: Slurm, job: dict[str, str]) -> list[str]:
    return slurm.run("scontrol", "show", "hostnames", job["NodeList"]).split()
