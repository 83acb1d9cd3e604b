"""What a slot's process sees of the machine: its GPU or GPUs, and one thread."""

import os

from bench.cell import Cell


def environment(cell: Cell, slot: int) -> dict[str, str]:
    """Environment variables that bind a process to one of a cell's slots, counted from 0.

    GPUs are those of CUDA_VISIBLE_DEVICES, where that is set. As with the engine `ray`, slots that
    share a GPU are not kept apart in its memory, and on "cpu" a process has one thread and no core
    of its own; a trial of several cores has a process for each.
    """
    if cell.device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    share = cell.gpus_per_trial
    if share < 1:
        mine = [slot // int(1 / share + 1e-9)]
    else:
        mine = [*range(slot * int(share), (slot + 1) * int(share))]
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = setting.split(",") if setting else [str(each) for each in range(cell.gpus)]
    return {
        "CUDA_VISIBLE_DEVICES": ",".join(names[each].strip() for each in mine),
        "OMP_NUM_THREADS": "1",
    }
