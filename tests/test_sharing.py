"""Trials that share a GPU or a core: where each is, and what it may take."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import PLUGINS, of_kind, records
from consistent import consistent

from bench.cell import Cell, PlugIn
from bench.engines import _sharing, _workers
from bench.engines._failure import last_error
from bench.engines._shares import bundles
from bench.engines._sharing import in_plain_words, keep_to_share, with_kills
from bench.engines._slots import environment
from bench.engines._workers import Worker
from bench.suite import plan

CELL = Cell(
    PlugIn("any"), PlugIn("any"), "ray", "cuda", gpus=1, gpus_per_trial=0.1, seed=0, budget=1,
    max_steps=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("device", "share", "expected"),
    [
        ("cuda", 0.1, {"CPU": 1, "GPU": 0.1}),
        ("cuda", 1 / 6, {"CPU": 1, "GPU": 0.1666}),
        ("cuda", 2.0, {"CPU": 1, "GPU": 1.0}),
        ("cpu", 0.25, {"CPU": 0.25}),
        ("cpu", 1 / 7, {"CPU": 0.1428}),
    ],
)
def test_ray_finds_room_for_all_that_share_a_device(
    device: str, share: float, expected: dict[str, float]
) -> None:
    """Ray rounds to ten-thousandths: six times 0.1667 is more than a GPU."""
    one = replace(CELL, device=device, gpus_per_trial=share)
    assert bundles(one) == [expected] * one.ranks
    assert one.slots * expected["CPU" if device == "cpu" else "GPU"] <= one.gpus


@pytest.mark.parametrize(("share", "trials"), [(0.1, 10), (0.25, 4), (1 / 3, 3), (0.5, 2)])
def test_workers_of_optuna_share_one_gpu_after_the_other(
    share: float, trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    one = replace(CELL, engine="optuna", gpus=2, gpus_per_trial=share)
    seen = [environment(one, slot)["CUDA_VISIBLE_DEVICES"] for slot in range(one.slots)]
    assert seen == ["GPU-a"] * trials + ["GPU-b"] * trials


@pytest.mark.minutes
@pytest.mark.parametrize(("gpus", "share"), [(2, 0.5), (1, 1 / 6)])
def test_trials_of_ray_share_one_gpu_and_no_more_than_have_room(
    gpus: int, share: float, tmp_path: Path
) -> None:
    """GPUs that Ray is told of and that are not there; each trial says which it was given.

    No trial goes on before all slots have one: if one found no room, the cell would fail.
    """
    (tmp_path / "where.py").write_text(WHERE)
    (tmp_path / "suite.toml").write_text(
        f"gpus_per_trial = {share!r}\nseeds = 1\nbudget = 12\nmax_seconds = 600\n"
        '[[objectives]]\npath = "where.py"\n[[algorithms]]\nname = "random"\n'
    )
    (one,) = plan(tmp_path / "suite.toml", [gpus], "cuda")
    assert one.slots == gpus * round(1 / share)
    environment = {**os.environ, "WHERE": str(tmp_path), "TMPDIR": str(tmp_path)}
    environment["SLOTS"] = str(one.slots)
    environment["PYTHONPATH"] = f"{Path(__file__).parent.parent}:{PLUGINS.parent}"
    done = subprocess.run(
        [sys.executable, "-c", RUN, tmp_path / "suite.toml", str(gpus), tmp_path / "results/suite"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path)
    consistent(record)
    assert {each["status"] for each in of_kind(record, "finish")} <= {"completed", "cut"}
    given = [path.read_text() for path in tmp_path.glob("process-*")]
    assert sorted(given) == sorted([str(gpu) for gpu in range(gpus)] * round(1 / share))


WHERE = """
import os, time
from pathlib import Path
from bench.objective import Objective

class Where(Objective):
    max_steps: int = 1
    worst_loss = 10.0

    def space(self):
        import ConfigSpace as cs
        space = cs.ConfigurationSpace()
        space.add(cs.Float("x", (0.0, 1.0)))
        return space

    def train(self, configuration, seed, device):
        return Training(configuration)

class Training:
    def __init__(self, configuration):
        self.x = configuration["x"]

    def step(self):
        folder = Path(os.environ["WHERE"])
        said = folder / f".process-{os.getpid()}"
        said.write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        said.rename(folder / said.name[1:])  # whole: the others go on when they see it
        while len([*folder.glob("process-*")]) < int(os.environ["SLOTS"]):
            time.sleep(0.1)
        return {"loss": self.x}

    def state(self):
        return b""

    def load(self, state):
        pass
"""

RUN = """
import sys
from pathlib import Path
from bench import machine
from bench.results import Results
from bench.run import run_cells
from bench.suite import plan

machine.why_not = lambda device, wanted: None  # as if there were GPUs

class Watcher:
    def begin(self, cell): pass
    def event(self, event): pass

cells = plan(Path(sys.argv[1]), [int(sys.argv[2])], "cuda")
(outcome,) = run_cells(cells, Results(Path(sys.argv[3])), Watcher())
sys.exit(0 if outcome.state == "done" else outcome.reason)
"""


def cores_of(cell: dict[str, Any], gpus: int = 1) -> list[int]:
    """How many cores a process and a thread of it may use, after it kept to its share."""
    code = f"""
import os, threading
from bench.cell import Cell, PlugIn
from bench.engines._sharing import keep_to_share
going = threading.Event()
other = threading.Thread(target=going.wait)
other.start()
keep_to_share(Cell(PlugIn("any"), PlugIn("any"), "ray", seed=0, budget=1, max_steps=1, **{cell}))
found = [len(os.sched_getaffinity(each)) for each in (0, other.native_id)]
going.set()
print(*found)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [int(each) for each in done.stdout.split()]


def test_on_cpu_trials_that_share_cores_are_on_the_cores_that_the_cell_holds() -> None:
    """Else each of two trials of half a core would have a core."""
    have = len(os.sched_getaffinity(0))
    if have < 2:
        pytest.skip("there is one core only")
    shared = {"device": "cpu", "gpus": 1, "gpus_per_trial": 0.5}
    assert cores_of(shared) == [1, 1]
    assert cores_of({**shared, "gpus": 2}) == [2, 2]
    assert cores_of({**shared, "gpus_per_trial": 1.0}) == [have, have]


def test_on_a_gpu_torch_may_allocate_the_trials_share(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", allowed.append)
    keep_to_share(CELL)
    keep_to_share(replace(CELL, gpus_per_trial=1.0))
    keep_to_share(replace(CELL, gpus_per_trial=2.0, gpus=2))
    assert allowed == [0.1]


def test_a_failed_step_keeps_to_its_share_before_it_builds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the guard raises is that trial's failure, as is all else that building raises."""
    from bench.engines import _training
    from bench.engines._states import States

    def full(cell: Cell) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(_training, "keep_to_share", full)
    running = _training.Running(CELL, None, {}, States(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(torch.OutOfMemoryError):
        running.train(0, tmp_path / "hung")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "torch.AcceleratorError: CUDA error: out of memory",
            "out of GPU memory: torch.AcceleratorError: CUDA error: out of memory",
        ),
        (
            "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(h)`",
            "out of GPU memory: RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling "
            "`cublasCreate(h)`",
        ),
        ("ValueError: no", "ValueError: no"),
        (
            "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on m",
            "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on m",
        ),
        ("MemoryError", "MemoryError"),
    ],
)
def test_the_reason_says_that_it_was_a_gpus_memory_where_it_was(error: str, said: str) -> None:
    assert in_plain_words(error) == said
    assert last_error(f"1 (occurred at)\nTraceback\n  File x\n{error}\n") == said


def test_torchs_own_error_is_known() -> None:
    from bench.engines._worker import words_of

    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert words_of(error) == "out of GPU memory: tried to allocate 2.00 GiB"


def test_a_process_that_was_killed_says_that_the_kernel_kills_for_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kills = [3]
    for module in (_sharing, _workers):
        monkeypatch.setattr(module, "kills_for_memory", lambda: kills[0])
    killed = Worker(0, 1, subprocess.Popen(["sleep", "60"]), kills=3)
    killed.kill()
    assert killed.how_it_ended() == "killed by SIGKILL"
    kills[0] = 4
    said = "by then the kernel had killed a process of this machine for its memory"
    assert killed.how_it_ended() == f"killed by SIGKILL; {said}"
    assert with_kills("The actor died", 4) == "The actor died"


def test_the_kernel_counts_its_kills() -> None:
    assert _sharing.kills_for_memory() >= 0
