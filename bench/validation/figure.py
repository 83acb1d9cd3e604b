"""Real and virtual incumbents, one over the other."""

from typing import TYPE_CHECKING

from bench.metrics import _style as style
from bench.validation.errors import Pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ["C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]


def draw(pairs: list[Pair], target: float, error: str) -> "Figure":
    """A panel for each algorithm and GPU count; solid: real, dotted: virtual; a colour a seed."""
    kinds = list(dict.fromkeys((pair.cell.algorithm.name, pair.cell.gpus) for pair in pairs))
    made, panels = style.figure(len(kinds), sharey=True)
    for axes, (algorithm, gpus) in zip(panels, kinds, strict=True):
        of_kind = [p for p in pairs if (p.cell.algorithm.name, p.cell.gpus) == (algorithm, gpus)]
        for index, pair in enumerate(of_kind):
            colour = COLOURS[index % len(COLOURS)]
            for course, line in ((pair.real, "-"), (pair.virtual["all"], ":")):
                x, y = [*course.seconds, course.end], [*course.incumbent, course.incumbent[-1]]
                axes.plot(x, y, line, color=colour, drawstyle="steps-post", linewidth=1.5)
        axes.axhline(target, color="0.3", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.set_title(f"{algorithm}, gpus = {gpus}")
        axes.set_yscale("log")
        axes.set_xlabel("seconds")
    panels[0].set_ylabel("incumbent (loss)")
    cell = pairs[0].cell
    made.suptitle(
        f"Real (solid) and virtual (dotted, simulated) searches of {cell.objective.name}",
        fontsize=12, fontweight="bold",
    )  # fmt: skip
    what = (
        f"a colour is a seed; dashed: target {target:.4g}; device {cell.device}, budget of "
        f"{cell.budget} full trainings a search"
    )
    style.caption(made, [what, error])
    return made
