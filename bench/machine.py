"""What this machine has: its device, how many of it, and what they are."""

import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from bench.errors import UserError

Device = Literal["cpu", "cuda"]

UNLIMITED = 1e9


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU."""

    name: str
    memory_bytes: int
    uuid: str


@cache
def cores() -> int:
    """Cores that this process may use: in a SLURM job or a container not all that there are."""
    return max(1, min(len(os.sched_getaffinity(0)), int(_quota())))


@cache
def gpus() -> list[Gpu]:
    """NVIDIA GPUs that this process may use: those of CUDA_VISIBLE_DEVICES, if that is set."""
    return [Gpu(*found) for found in _nvml()[1]]


def default_device() -> Device:
    """What cells run on unless told: cuda if there are GPUs and torch was built for them."""
    return "cuda" if gpus() and not _torch_is_for_cpu() else "cpu"


def count(device: Device) -> int:
    """GPUs of this machine; on "cpu" one core counts as one."""
    return len(gpus()) if device == "cuda" else cores()


def why_not(device: Device, wanted: int) -> str | None:
    """Why a cell of so many GPUs cannot run here, or None if it can."""
    if device == "cuda" and _torch_is_for_cpu():
        return "needs GPUs, and the torch here is the CPU build (make setup TORCH=cuda)"
    have = count(device)
    if wanted <= have:
        return None
    unit = "GPU" if device == "cuda" else "CPU core"
    return f"needs {wanted} {unit}s, this machine has {have}"


def check_device(device: str) -> Device:
    """Raises UserError for a device that is none."""
    if device not in ("cpu", "cuda"):
        raise UserError(f"unknown device '{device}'; legal: cpu, cuda")
    return device  # type: ignore[return-value]


def describe() -> dict[str, Any]:
    """The machine, for a journal's header."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cpu_model": _cpu_model(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": [{"name": gpu.name, "memory_bytes": gpu.memory_bytes} for gpu in gpus()],
        "driver": _nvml()[0],
    }


@cache
def _nvml() -> tuple[str | None, list[tuple[str, int, str]]]:
    """Driver version and (name, bytes, UUID) of the visible GPUs; (None, []) without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None, []
    try:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            uuid = str(pynvml.nvmlDeviceGetUUID(handle))
            try:
                memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
            except pynvml.NVMLError:  # memory shared with the CPU
                memory = 0
            found.append((str(pynvml.nvmlDeviceGetName(handle)), memory, uuid))
        return str(pynvml.nvmlSystemGetDriverVersion()), visible(found)
    finally:
        pynvml.nvmlShutdown()


def visible(found: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """Those of the (name, bytes, UUID) that CUDA_VISIBLE_DEVICES lets a process use.

    Like CUDA, stops at the first entry that names no device. MIG slices count as devices.
    """
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is None:
        return found
    chosen = []
    for entry in map(str.strip, setting.split(",")):
        if entry.startswith("MIG-") and found:
            chosen.append(("MIG slice", 0, entry))
            continue
        matches = [
            gpu
            for index, gpu in enumerate(found)
            if entry == str(index) or (entry and gpu[2].startswith(entry))
        ]
        if not matches:
            break
        chosen.append(matches[0])
    return chosen


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores' worth of time that a container's control group grants; UNLIMITED without."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return UNLIMITED
    return int(quota) / int(period) if quota.isdecimal() else UNLIMITED


def _torch_is_for_cpu() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
