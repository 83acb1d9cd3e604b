"""How to start Ray on the nodes of a job: `python -m bench.slurm.ray_nodes PLAN INDEX NODES`.

slurm/ray-cluster.sbatch asks it on the first node. The first line that it prints is an address for
Ray's head, this node's with a port that is free; the others are options of `ray start`, a line for
each node: together they offer exactly what the cell of that line of the plan asks for.
"""

import socket
import sys
from pathlib import Path

from bench.engines._shares import shares
from bench.errors import UserError
from bench.slurm import plans


def lines(plan: Path, index: int, nodes: int) -> list[str]:
    """What it prints. Raises UserError for a plan or a line that is none."""
    _, cell = plans.read_line(plan, index)
    options = [f"--num-cpus={share.cpus} --num-gpus={share.gpus}" for share in shares(cell, nodes)]
    return [_free_address(), *options]


def _free_address() -> str:
    from ray.util import get_node_ip_address

    with socket.socket() as any_port:
        any_port.bind(("", 0))
        return f"{get_node_ip_address()}:{any_port.getsockname()[1]}"


if __name__ == "__main__":
    try:
        print("\n".join(lines(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
    except UserError as error:
        sys.exit(f"bench: {error}")
