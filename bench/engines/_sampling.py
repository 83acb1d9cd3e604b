"""How busy a cell's GPUs are while it runs: sampled by NVML, and written into its journal."""

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from bench import machine
from bench.cell import Cell
from bench.engines._recorder import Sink

SAMPLE_SECONDS = 1.0

INTERVAL_SECONDS = 10.0
"""A line for each GPU at most so often."""


@dataclass(frozen=True)
class Sampled:
    """The GPUs to sample, by their UUIDs; or why none are."""

    gpus: tuple[str, ...] = ()
    why_not: str = ""

    def header(self) -> dict[str, Any]:
        """For the journal's header."""
        return {"gpus": self.gpus} if self.gpus else {"not_sampled": self.why_not}


def sampled(cell: Cell, elsewhere: bool) -> Sampled:
    """What of a cell's can be sampled here; `elsewhere`: its GPUs are those of other processes."""
    if cell.device == "cpu":
        return Sampled(why_not="on cpu nothing is sampled, only GPUs are")
    if elsewhere:
        return Sampled(why_not="the search is on nodes that share it, and GPUs are sampled on one")
    uuids = tuple(gpu.uuid for gpu in machine.gpus()[: cell.gpus])  # that engines use these first
    return Sampled(uuids) if uuids else Sampled(why_not="NVML finds no GPU")


@dataclass
class _Samples:
    """Of one GPU, since its last line."""

    busy: list[float] = field(default_factory=list)
    memory_bytes: int = 0


class Sampling(AbstractContextManager["Sampling"]):
    """A journal that has a line on each GPU before an event, where the last is long enough ago.

    A thread samples; who writes the events writes these lines, too, at the event's `seconds`. No
    cell fails for it: where NVML fails, a line says so, and it is the last.
    """

    def __init__(self, of: Sampled, journal: Sink) -> None:
        self._gpus, self._journal = of.gpus, journal
        self._over, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="NVML", daemon=True)
        self._problem: str | None = None
        self._forget()

    def __enter__(self) -> "Sampling":
        if self._gpus:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._gpus:
            self._thread.join(timeout=SAMPLE_SECONDS + 1)  # NVML may hang with its GPU

    def write(self, event: dict[str, Any]) -> None:
        """Write an event. The time in which a search is brought to where it was is not sampled."""
        kind = event["event"]
        if kind == "resume":
            self._forget()
        elif self._gpus and (kind == "end" or self._interval() >= INTERVAL_SECONDS):
            for line in self._lines():
                self._journal.write({"event": "utilisation", "seconds": event["seconds"], **line})
        self._journal.write(event)

    def _lines(self) -> list[dict[str, Any]]:
        with self._lock:
            interval, problem = self._interval(), self._problem
            lines: list[dict[str, Any]] = [
                {
                    "gpu": uuid,
                    "interval_seconds": interval,
                    "gpu_utilisation": sum(each.busy) / len(each.busy),
                    "memory_bytes": each.memory_bytes,
                }
                for uuid, each in self._samples.items()
                if each.busy
            ]
        self._forget()
        if problem is not None:
            self._gpus = ()
            lines.append({"not_sampled": problem})
        return lines

    def _interval(self) -> float:
        return time.perf_counter() - self._since

    def _forget(self) -> None:
        with self._lock:
            self._since = time.perf_counter()
            self._samples = {uuid: _Samples() for uuid in self._gpus}

    def _watch(self) -> None:
        try:
            import pynvml

            pynvml.nvmlInit()
            try:
                handles = {each: pynvml.nvmlDeviceGetHandleByUUID(each) for each in self._gpus}
                while not self._over.wait(SAMPLE_SECONDS):
                    for uuid, handle in handles.items():
                        busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
                        taken = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
                        with self._lock:
                            samples = self._samples[uuid]
                            samples.busy.append(busy)
                            samples.memory_bytes = max(samples.memory_bytes, taken)
            finally:
                pynvml.nvmlShutdown()
        except Exception as error:  # whatever it is: the search matters more
            self._problem = f"{type(error).__name__}: {error}"[:200]
