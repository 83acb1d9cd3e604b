"""Pairs that cannot work are refused when planning; what must be known of the others is said."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteSuite
from journals import cell, end, report, suggest, write

from bench import plugins
from bench.engines._simulation import search_of
from bench.report import write as write_report

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("algorithm", "toy", "reason"),
    [
        ({"name": "grid"}, {}, "a grid needs a number of points for x, shift: give resolution"),
        ({"name": "grid", "resolution": 2}, {}, "fewer than the budget"),
        ({"name": "asha"}, {"max_steps": 1}, "there is no rung to stop at"),
        ({"name": "hyperband"}, {"max_steps": 2}, "fewer than reduction_factor = 3"),
        ({"name": "bohb"}, {"max_steps": 1}, "fewer than reduction_factor = 3"),
        ({"name": "tpe_asha", "grace_period": 9}, {}, "grace_period = 9 is more than a full"),
    ],
)
def test_a_pair_that_cannot_work_is_refused_with_the_reason(
    bench: Bench,
    write_suite: WriteSuite,
    algorithm: dict[str, Any],
    toy: dict[str, Any],
    reason: str,
) -> None:
    printed = bench("plan", write_suite([algorithm], [toy], budget=99))
    assert printed.returncode == 2 and printed.stderr.count("\n") == 1
    assert f"algorithms[0] ({algorithm['name']}) on toy: " in printed.stderr
    assert reason in printed.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("reduction_factor", 1, "greater than or equal to 2, not 1"),
        ("reduction_factor", 2.5, "valid integer, not 2.5"),
        ("eta", 3, "unknown key; legal: grace_period, reduction_factor"),
    ],
)
def test_a_wrong_option_is_one_line_with_what_is_legal(
    bench: Bench, write_suite: WriteSuite, name: str, value: object, says: str
) -> None:
    printed = bench("plan", write_suite([{"name": "asha", name: value}]))
    assert printed.returncode == 2 and printed.stderr.count("\n") == 1
    assert says in printed.stderr


def test_the_plan_says_what_to_know_of_each_algorithm_once(
    bench: Bench, write_suite: WriteSuite
) -> None:
    toys = [{"max_steps": 9}, {"max_steps": 9, "seconds": 0.5}]
    printed = bench("plan", write_suite(["random", "cmaes", "bohb"], toys, seeds=2))
    said = printed.stdout.rpartition("\n\n")[2]
    assert max(map(len, said.splitlines())) <= 100
    heading, cmaes, bohb = said.replace("\n      ", " ").splitlines()
    assert heading == "what to know of the algorithms:"
    assert cmaes.startswith("  cmaes on toy: ") and bohb.startswith("  bohb on toy: ")
    assert "categoricals (kind) and conditional parameters (shift) are drawn at random" in cmaes
    assert "which is more than the budget: it is hyperband" in bohb


def test_the_journals_header_has_it_beside_the_effective_settings() -> None:
    toy = plugins.load_class("objectives", "counting_ones")()
    algorithm = plugins.load_class("algorithms", "gp")()
    header = search_of(toy, algorithm, budget=3).header()  # type: ignore[arg-type]
    assert "random until 10 trials have ended, and the budget is 3" in header["remark"]
    assert header["effective"]["searcher"]["_sampler"]["_n_startup_trials"] == 10


def test_the_report_has_it_too(tmp_path: Path) -> None:
    cells = [cell(name, seed=seed) for name in ("random", "gp") for seed in (0, 1)]
    for each in cells:
        events = [suggest(n) for n in range(3)] + [report(n, 1.0 + n, 0.5) for n in range(3)]
        remark = "sees <nothing>" if each.algorithm.name == "gp" else None
        write(tmp_path, each, [*events, end(4.0)], remark=remark)
    write_report(tmp_path, cells, [])
    page = (tmp_path / "report" / "report.md").read_text()
    section = page.partition("## What to know of the algorithms\n\n")[2].partition("\n\n")[0]
    assert section.splitlines()[2:] == [r"| gp | bowl | sees \<nothing\> |"]
