"""The report's answers: those of `bench recommend`, in the page and beside it as CSV."""

from pathlib import Path

import pandas as pd
import pytest
from journals import HOUR, cell, end, results, two_algorithms, write

from bench.cell import Cell, PlugIn
from bench.metrics import target
from bench.report import write as write_report
from bench.report.answer import Given, as_frame, given
from bench.report.table import load

NAMES = ["random", "tpe"]


def of(folder: Path, cells: list[Cell]) -> list[Given]:
    table = load(folder)
    return given(table, target.compute(table), cells, folder, "mine.toml")


def both(folder: Path) -> list[Given]:
    """The answers of `two_algorithms`: by the least loss, and to the target."""
    two_algorithms(folder)
    return of(folder, [cell(n, g, s) for n, g in zip(NAMES, (1, 2), strict=True) for s in (0, 1)])


def test_the_pareto_sets_are_of_all_that_was_recorded(tmp_path: Path) -> None:
    """Random has 4, 2 and 1 h of its record of 4 h on a GPU; tpe 3 and 1.5 h of its 3 h on two.

    Random: (0.4 + 0.4)/2, (0.6 + 0.6)/2, (0.8 + 0.6)/2; tpe: (0.3 + 0.3)/2, (0.4 + 0.8)/2. None is
    as good as another in time, GPU-hours and loss. The target is random's median final loss, 0.4:
    random is there after 4 and 3 h; tpe after 1 and 3 h.
    """
    frame = as_frame(both(tmp_path / "suite"))
    hours = frame["wall_seconds"] / HOUR
    columns = [frame[name] for name in ("gpu_hours", "recommended")]
    rows = list(zip(frame["algorithm"], frame["gpus"], hours, *columns, strict=True))
    assert rows == [
        ("random", 1, 1.0, 1.0, False),
        ("random", 1, 2.0, 2.0, False),
        ("tpe", 2, 1.5, 3.0, False),
        ("random", 1, 4.0, 4.0, False),
        ("tpe", 2, 3.0, 6.0, True),
        ("random", 1, 3.5, 3.5, True),
        ("tpe", 2, 2.0, 4.0, False),
    ]
    assert frame["expected_loss"].tolist()[:5] == pytest.approx([0.7, 0.6, 0.6, 0.4, 0.3])
    assert frame["target"].isna().tolist() == [True] * 5 + [False] * 2
    assert frame["target"].tolist()[5:] == [0.4, 0.4] and not frame["misses_target"][5:].any()
    assert (frame["seeds"] == 2).all()


def test_two_seeds_cannot_tell_and_the_commands_run_what_is_missing(tmp_path: Path) -> None:
    """Tpe is 0.1 better on both seeds: d = Φ⁻¹(5/6)/√2 = 0.68, which 20 pairs show: 18 more."""
    least, _ = both(tmp_path / "suite")
    assert least.said.startswith("cannot tell; ahead: tpe on 2 cores for 03:00:00: 6 core-hours")
    assert least.said.endswith("not to be told from random on 1")
    (unclear,) = [line for line in least.why if "cannot tell" in line]
    assert "random on 1 (loss +0.1 to +0.1: run 18 more seeds of both)" in unclear
    assert f"seeds = {list(range(2, 20))}" in least.settle
    asked = f"--objective bowl --results {tmp_path}"
    assert least.again == f"bench recommend mine.toml {asked}"
    assert least.settle.endswith(asked) and "bench run settle-" in least.settle


def test_what_is_shown_on_six_seeds_is_told(tmp_path: Path) -> None:
    plan = [cell(name, seed=seed) for name in NAMES for seed in range(6)]
    for each in plan:
        loss = 0.2 if each.algorithm.name == "tpe" else 0.3
        results(tmp_path / "suite", each, *[(s, loss) for s in (1, 2, 3)], wall=4)
    least, to_target = of(tmp_path / "suite", plan)
    assert least.said.startswith("tpe on 1 core for ") and not least.settle and not least.rivals
    assert least.row(least.said)[3:6] == ["0.2 (0.2 to 0.2)", "1.00", "6"]
    assert to_target.asked == "cheapest to a loss of 0.3"


def test_searches_without_a_result_are_no_answer(tmp_path: Path) -> None:
    write(tmp_path / "suite", cell(), [end(9, "failed", "no")])
    (answer,) = of(tmp_path / "suite", [cell()])
    assert answer.said == "no answer: no search had a result"
    assert answer.why == [] and as_frame([answer]).empty


def test_an_objective_is_named_as_the_command_knows_it(tmp_path: Path) -> None:
    """Of two variants in the plan one has run: its name alone would be ambiguous."""
    plan = [cell(objective=PlugIn("bowl", {"max_steps": 1, "tilt": tilt})) for tilt in (0, 1)]
    results(tmp_path / "suite", plan[1], (1, 0.5), (2, 0.5), (3, 0.5), wall=4)
    answer, _ = of(tmp_path / "suite", plan)
    assert "--objective 'bowl tilt=1'" in answer.again


def test_the_report_has_them_beside_the_page_and_in_its_text(tmp_path: Path) -> None:
    folder = two_algorithms(tmp_path / "suite")
    plan = [cell("random", 1, s) for s in (0, 1)] + [cell("tpe", 2, s) for s in (0, 1)]
    written = write_report(folder, plan, [])
    assert len(pd.read_csv(written.folder / "recommend.csv")) == 7
    page = (written.folder / "report.md").read_text()
    assert page.index("cannot tell; ahead: tpe on 2 cores") < page.index("## Medians")
    assert "bench recommend suite " in page, "the folder's name is the suite's"
