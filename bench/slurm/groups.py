"""Cells that need the same of a site make one job array; one larger than allowed is cut."""

from dataclasses import dataclass

from bench import plugins
from bench.cell import Cell
from bench.slurm.site import Site

SCRIPTS = {"ray": "ray-cluster", "optuna": "optuna-workers"}
"""By engine: what runs a cell on several nodes."""


@dataclass(frozen=True)
class Need:
    """What a cell holds while it runs; on "cpu" a GPU is a core."""

    nodes: int
    gpus: int
    """On each node."""
    slots: int
    """On each node: trials that run there at once, as a whole or in part."""


@dataclass(frozen=True)
class Group:
    """The cells of one job array; index i is the cell i."""

    name: str
    need: Need
    cells: list[Cell]

    @property
    def script(self) -> str:
        """The batch script in slurm/ that runs them."""
        if self.need.nodes == 1:
            return "array"
        return SCRIPTS[self.cells[0].engine]


def need(cell: Cell, site: Site) -> Need | None:
    """The fewest nodes that share a cell's GPUs and its slots evenly; None if the site has none.

    Evenly, so that Ray finds on each node room for whole trials, and nothing is held idle. Only a
    trial that is larger than a node lies across nodes, and only on the engine `ray`.
    """
    most = site.max_nodes or cell.gpus
    if plugins.engine(cell.engine).keeps_to_one_node(cell):
        most = 1
    counts = range(1, min(cell.gpus, most) + 1)
    even = [n for n in counts if cell.gpus % n == 0 and cell.gpus // n <= site.gpus_per_node]
    for nodes in even:
        if cell.slots and cell.slots % nodes == 0:
            return Need(nodes, cell.gpus // nodes, cell.slots // nodes)
    if even and cell.slots and cell.ranks > site.gpus_per_node and cell.engine == "ray":
        return Need(even[0], cell.gpus // even[0], -(-cell.slots // even[0]))
    return None


def group(cells: list[Cell], site: Site, most: int) -> list[Group]:
    """Groups of cells that need the same, at most `most` in each; those without a place in none.

    On one node any engine's; on several, one engine's.
    """
    by_need: dict[tuple[Need, str], list[Cell]] = {}
    for cell in cells:
        if (needed := need(cell, site)) is not None:
            engine = "ray" if needed.nodes == 1 else cell.engine
            by_need.setdefault((needed, engine), []).append(cell)
    groups = []
    for (needed, engine), members in by_need.items():
        size = f"g{needed.nodes * needed.gpus}" + ("" if engine == "ray" else f"-{engine}")
        parts = [members[start : start + most] for start in range(0, len(members), most)]
        for number, part in enumerate(parts, start=1):
            name = size if len(parts) == 1 else f"{size}-{number}"
            groups.append(Group(name, needed, part))
    return groups
