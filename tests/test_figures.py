"""The figures: what each says, and that an algorithm looks the same in all."""

import itertools
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from journals import SMALL, cell, plan_of, results, search
from matplotlib.figure import Figure
from matplotlib.text import Text

from bench import plugins
from bench.metrics._style import look, side_by_side
from bench.report.table import load

ANYTIME = ["ecdf", "mean_rank", "normalised_regret", "performance_profile", "regret"]
METRICS = ["comparisons", *ANYTIME, "ledger", "scaling", "summary", "target"]


def texts(figure: Figure) -> str:
    """All that is written in a figure."""
    return "\n".join(artist.get_text() for artist in figure.findobj(Text))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("device", "clock", "there", "absent"),
    [
        ("cpu", "wall", ["CPU core", "wall clock"], ["GPU", "virtual"]),
        ("cuda", "virtual", ["GPU", "virtual (simulated) clock"], ["CPU core", "wall"]),
    ],
)
def test_every_figure_says_device_clock_n_and_interval(
    name: str, device: str, clock: str, there: list[str], absent: list[str], tmp_path: Path
) -> None:
    for gpus in (1, 2):
        for seed in range(3):
            for algorithm in ("random", "tpe"):
                of = cell(algorithm, gpus, seed, device=device, **SMALL)
                search(tmp_path, of, clock=clock)
    metric = plugins.load_module("metrics", name)
    frame = metric.compute(load(tmp_path))
    if name in ANYTIME:
        frame = frame[frame["axis"] == frame["axis"].iloc[-1]]
    shown = texts(metric.draw(frame)).replace("budget", "")
    assert all(each in shown for each in ["bowl", "n = 3 seeds", "95 % bootstrap", *there]), shown
    assert not any(each in shown for each in absent), shown


@pytest.mark.filterwarnings("error:constrained_layout not applied")
@pytest.mark.parametrize("name", METRICS)
def test_nothing_in_a_figure_of_both_clocks_lies_over_another(name: str, tmp_path: Path) -> None:
    """Virtual at four counts, for real at two: as `make bench GPUS=8` has it."""
    for gpus in (1, 2, 4, 8):
        for algorithm in ("random", "tpe"):
            search(tmp_path, cell(algorithm, gpus, engine="virtual", **SMALL), clock="virtual")
            if gpus <= 2:
                search(tmp_path, cell(algorithm, gpus, **SMALL), clock="wall")
    metric = plugins.load_module("metrics", name)
    frame = side_by_side(metric.compute(load(tmp_path)))
    if name in ANYTIME:
        frame = frame[frame["axis"] == frame["axis"].iloc[-1]]
    made = metric.draw(frame)
    made.savefig(tmp_path / "figure.png")
    labels = [axes.xaxis.label.get_window_extent() for axes in made.axes]
    for left, right in itertools.pairwise(labels):
        assert left.x1 < right.x0
    (below,) = [text for text in made.texts if "full trainings a search" in text.get_text()]
    assert below.get_window_extent().y1 < min(label.y0 for label in labels)


@pytest.mark.parametrize("name", METRICS)
def test_two_engines_of_one_clock_have_labels_of_their_own(name: str, tmp_path: Path) -> None:
    """Optuna's workers beside Ray Tune: one line through both would mean nothing."""
    engines = {"ray": {}, "optuna": {"storage": "sqlite"}}
    for algorithm, (engine, settings) in itertools.product(("random", "tpe"), engines.items()):
        of = cell(algorithm, engine=engine, engine_settings=settings, **SMALL)
        search(tmp_path, of, clock="wall")
        if engine == "ray":
            search(tmp_path, cell(algorithm, engine="virtual", **SMALL), clock="virtual")
    frame = plugins.load_module("metrics", name).compute(load(tmp_path))
    if name in ANYTIME:
        frame = frame[frame["axis"] == frame["axis"].iloc[-1]]
    labels = set(side_by_side(frame)["algorithm"])
    ends = [" (optuna)", " (ray)", " (virtual)"]
    assert all(any(label.endswith(end) for label in labels) for end in ends), labels
    assert all(any(label.endswith(end) for end in ends) for label in labels), labels
    shown = texts(plugins.load_module("metrics", name).draw(side_by_side(frame)))
    assert all(end.strip() in shown for end in ends)


def test_times_far_apart_are_on_a_logarithmic_axis(tmp_path: Path) -> None:
    for gpus, seconds in ((1, 100.0), (64, 2.0)):
        results(tmp_path, cell(gpus=gpus), (seconds, 1.0), wall=seconds)
    metric = plugins.load_module("metrics", "target")
    (axes,) = metric.draw(metric.compute(load(tmp_path))).axes
    assert axes.get_yscale() == "log"


def test_an_algorithm_looks_the_same_whichever_others_are_drawn(tmp_path: Path) -> None:
    plan_of(tmp_path)
    frame = plugins.load_module("metrics", "summary").compute(load(tmp_path))
    everyone = look(frame)
    assert look(frame[frame["algorithm"] == "tpe"]) == {"tpe": everyone["tpe"]}
    for part in ("color", "linestyle", "marker"):
        assert len({str(each[part]) for each in everyone.values()}) == 3


def test_no_two_algorithms_look_the_same() -> None:
    names = pd.Categorical([f"algorithm {n}" for n in range(40)])
    looks = look(pd.DataFrame({"algorithm": names})).values()
    assert len({(str(each["color"]), each["marker"]) for each in looks}) == 40


def test_all_of_many_algorithms_are_within_the_axis_and_beside_their_gpu_count(
    tmp_path: Path,
) -> None:
    names = [f"algorithm{n:02}" for n in range(13)]
    for name, gpus in itertools.product(names, (1, 2)):
        search(tmp_path, cell(name, gpus=gpus, **SMALL))
    metric = plugins.load_module("metrics", "summary")
    axes = metric.draw(metric.compute(load(tmp_path))).axes[0]
    low, high = axes.get_xlim()
    drawn = [x for bars in axes.containers for x in bars.lines[0].get_xdata()]  # type: ignore[union-attr]
    middle = 2**0.5
    assert len(drawn) == 26 and all(low < x < high for x in drawn)
    assert sum(x < middle for x in drawn) == 13


def test_metrics_do_not_import_the_report_nor_each_other() -> None:
    code = (
        "import sys; from bench import plugins\n"
        "plugins.load_module('metrics', 'summary')\n"
        "found = [m for m in ('bench.report', 'bench.metrics.target', 'seaborn', 'ray', 'torch')"
        " if m in sys.modules]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
