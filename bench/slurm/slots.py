"""How many slots of a cell are on each node: `python -m bench.slurm.slots PLAN INDEX NODES`.

slurm/optuna-workers.sbatch asks it; it starts a worker for each. A second number says how many
processes a worker is, each with a CPU of its own.
"""

import sys
from pathlib import Path

from bench.errors import UserError
from bench.slurm import plans


def per_node(plan: Path, index: int, nodes: int) -> tuple[int, int]:
    """What it prints. UserError for a plan or a line that is none, and slots that do not divide."""
    _, cell = plans.read_line(plan, index)
    if cell.engine != "optuna":
        raise UserError(f"{plan}, line {index}: its engine is {cell.engine}, not optuna")
    slots, rest = divmod(cell.slots, nodes)
    if rest or not slots:
        raise UserError(
            f"{plan}, line {index}: {cell.slots} slots are not shared evenly by {nodes} nodes: "
            "give another number, sbatch --nodes=N"
        )
    return slots, cell.ranks


if __name__ == "__main__":
    try:
        print(*per_node(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
    except UserError as error:
        sys.exit(f"bench: {error}")
