"""How busy GPUs are, in the journal: of the cell's GPUs alone, few lines, and no cell fails for it.

NVML is played: there is no GPU where these tests run.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from journals import cell, end, finish, report, suggest, write

from bench import machine
from bench.engines import _sampling
from bench.engines._clock import WallClock
from bench.engines._past import Past
from bench.engines._sampling import Sampled, Sampling, sampled
from bench.engines._simulation import Events
from bench.journal import EVENTS, read
from bench.report.extract import extract
from bench.report.journal import by_arrow, of_record


class Nvml:
    """Two GPUs; each sampling finds the first busier by a tenth, and the other idle."""

    def __init__(self, fails_after: int = 10**9) -> None:
        self.samples = 0
        self.asked: set[str] = set()
        self.fails_after = fails_after
        self.nvmlInit = self.nvmlShutdown = lambda: None

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        self.asked.add(uuid)
        return uuid

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> Any:  # noqa: N802
        self.samples += 1
        if self.samples > self.fails_after:
            raise RuntimeError("GPU is lost")
        return SimpleNamespace(gpu=50 if handle == "GPU-a" else 0)

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> Any:  # noqa: N802
        return SimpleNamespace(used=1000 + self.samples)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sampling, "SAMPLE_SECONDS", 0.001)
    monkeypatch.setattr(_sampling, "INTERVAL_SECONDS", 0.0)


def play(monkeypatch: pytest.MonkeyPatch, nvml: Nvml) -> Nvml:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    return nvml


def until_sampled(nvml: Nvml, more: int = 4) -> None:
    wanted = nvml.samples + more
    while nvml.samples < wanted:
        pass


def test_before_an_event_there_is_a_line_for_each_gpu(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    nvml, journal = play(monkeypatch, Nvml()), Events()
    with Sampling(Sampled(("GPU-a", "GPU-b")), journal) as sampling:
        until_sampled(nvml)
        sampling.write(suggest(0, 1.5))
        until_sampled(nvml)
        sampling.write(end(2.5))
    kinds = [event["event"] for event in journal]
    assert kinds == [*["utilisation"] * 2, "suggest", *["utilisation"] * 2, "end"]
    first, second = journal[:2]
    assert (first["gpu"], first["gpu_utilisation"], first["seconds"]) == ("GPU-a", 0.5, 1.5)
    assert (second["gpu"], second["gpu_utilisation"]) == ("GPU-b", 0.0)
    assert first["memory_bytes"] > 1000 and first["interval_seconds"] > 0
    assert nvml.asked == {"GPU-a", "GPU-b"}
    assert set(first) - {"event"} == {
        *("seconds", "gpu", "interval_seconds", "gpu_utilisation", "memory_bytes")
    }


def test_there_are_few_lines_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    monkeypatch.setattr(_sampling, "INTERVAL_SECONDS", 3600.0)
    nvml, journal = play(monkeypatch, Nvml()), Events()
    with Sampling(Sampled(("GPU-a",)), journal) as sampling:
        for trial in range(20):
            until_sampled(nvml, 1)
            sampling.write(suggest(trial, float(trial)))
        sampling.write(end(20.0))
    assert [event["event"] for event in journal] == [*["suggest"] * 20, "utilisation", "end"]


def test_nvml_that_fails_fails_no_search_and_the_journal_says_so_once(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    nvml, journal = play(monkeypatch, Nvml(fails_after=2)), Events()
    with Sampling(Sampled(("GPU-a",)), journal) as sampling:
        sampling._thread.join()
        assert nvml.samples == 3
        for trial in range(3):
            sampling.write(suggest(trial, float(trial)))
        sampling.write(end(3.0))
    lines = [event for event in journal if event["event"] == "utilisation"]
    assert [("gpu" in line, line.get("not_sampled")) for line in lines] == [
        (True, None),
        (False, "RuntimeError: GPU is lost"),
    ]
    assert [each["event"] for each in journal][-4:] == ["suggest", "suggest", "suggest", "end"]


def test_without_the_module_nothing_fails(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    journal = Events()
    with Sampling(Sampled(("GPU-a",)), journal) as sampling:
        sampling._thread.join()
        sampling.write(end(1.0))
    assert "ModuleNotFoundError" in journal[0]["not_sampled"]


GPUS = [machine.Gpu("One", 10, f"GPU-{each}") for each in "abcd"]


def test_only_the_cells_gpus_are_sampled_the_first_that_are_visible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: GPUS)
    two = cell(device="cuda", gpus=2)
    assert sampled(two, elsewhere=False) == Sampled(("GPU-a", "GPU-b"))
    assert sampled(two, elsewhere=False).header() == {"gpus": ("GPU-a", "GPU-b")}
    assert "on one" in sampled(two, elsewhere=True).header()["not_sampled"]
    on_cpu = sampled(cell(device="cpu"), elsewhere=False)
    assert on_cpu.header() == {"not_sampled": "on cpu nothing is sampled, only GPUs are"}
    monkeypatch.setattr(machine, "gpus", list)
    assert sampled(two, elsewhere=False).header() == {"not_sampled": "NVML finds no GPU"}


def test_cuda_visible_devices_say_which_are_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [("One", 10, f"GPU-{each}") for each in "abcd"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-b")
    monkeypatch.setattr(machine, "_nvml", lambda: ("1.0", machine.visible(found)))
    machine.gpus.cache_clear()
    try:
        assert sampled(cell(device="cuda"), elsewhere=False).gpus == ("GPU-d",)
        assert sampled(cell(device="cuda", gpus=2), elsewhere=False).gpus == ("GPU-d", "GPU-b")
    finally:
        machine.gpus.cache_clear()


LINE = {"event": "utilisation", "gpu": "GPU-a", "interval_seconds": 10.0, "gpu_utilisation": 0.5}
WITHOUT = [
    suggest(0, 1.0, suggest_seconds=1.0),
    suggest(1, 2.0, suggest_seconds=1.0),
    report(0, 6.0, 0.5, setup_seconds=1.0, step_seconds=2.0),
    report(1, 8.0, 0.6, step_seconds=3.0),
    finish(0, 8.5, "completed", step=1),
    finish(1, 9.0, "completed", step=1),
    end(9.0),
]


def with_samples() -> list[dict[str, Any]]:
    """The same search with a line before each event."""
    lines = [{**LINE, "seconds": each["seconds"], "memory_bytes": 7} for each in WITHOUT]
    both = [each for pair in zip(lines, WITHOUT, strict=True) for each in pair]
    return [{**LINE, "seconds": 0.5, "not_sampled": "x", "gpu_utilisation": None}, *both]


def test_the_report_of_a_search_is_the_same_with_and_without_samples(tmp_path: Path) -> None:
    of = cell(gpus=2, budget=2)
    rows = []
    for name, events in (("without", WITHOUT), ("with", with_samples())):
        found = extract(write(tmp_path / name, of, events))
        assert found.problems == []
        assert found.row is not None
        rows.append({k: v for k, v in found.row.items() if not k.startswith("gpu_")})
        assert [each["trial"] for each in found.configurations] == [0, 1]
    assert str(rows[0]) == str(rows[1])


def test_both_ways_of_reading_know_the_samples(tmp_path: Path) -> None:
    path = write(tmp_path, cell(gpus=2, budget=2), with_samples())
    quickly, slowly = by_arrow(path), of_record(read(path))
    assert quickly is not None
    for name in ("gpu_utilisation", "interval_seconds", "memory_bytes"):
        assert str(quickly.events.numbers[name]) == str(slowly.events.numbers[name])
    assert (quickly.events.kind == slowly.events.kind).all()
    assert "utilisation" in EVENTS


def test_a_resumed_search_does_not_do_its_samples_again(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """Nor is the time sampled that it takes to be where it was."""
    nvml, journal, clock = play(monkeypatch, Nvml()), Events(), WallClock()
    were = [suggest(0, 1.0), {**LINE, "seconds": 2.0}, report(0, 2.0, 0.5)]
    with Sampling(Sampled(("GPU-a",)), journal) as sampling:
        past = Past(sampling, were, clock, {})
        until_sampled(nvml)
        for event in (suggest(0, 1.0), report(0, 2.0, 0.5)):
            past.write(event)
        assert past.over
        assert [each["event"] for each in journal] == ["resume"]
        until_sampled(nvml)
        past.write(finish(0, 3.0, "completed", step=1))
    assert [each["event"] for each in journal] == ["resume", "utilisation", "finish"]
