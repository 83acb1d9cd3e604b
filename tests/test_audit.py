"""What the audit finds of each algorithm: the figures of docs/audit.md."""

import itertools
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PLUGINS
from defects.library import TABLE_1, Library

from bench import plugins
from bench.algorithm import Algorithm, Problem
from bench.audit.landscape import MnistSpace, SmallSpace
from bench.audit.models import ModelFigures, look
from bench.audit.rungs import climb
from bench.audit.text import SUGGESTIONS, Long
from bench.space import parameters

Bench = Callable[..., subprocess.CompletedProcess[str]]


def made(name: str, **options: Any) -> Algorithm:
    algorithm = plugins.load_class("algorithms", name)(**options)
    assert isinstance(algorithm, Algorithm)
    return algorithm


def small(name: str, slots: int = 1) -> ModelFigures:
    return look(made(name), SmallSpace(), slots, SUGGESTIONS)


@pytest.mark.parametrize("slots", [1, 4, 16])
@pytest.mark.parametrize("name", ["hyperband", "bohb"])
def test_hyperband_and_bohb_run_table_1_to_the_trial(name: str, slots: int) -> None:
    found = [(r.bracket, r.arrived, r.steps, r.went_on) for r in climb(made(name), Long(), slots)]
    assert found == [
        (bracket, places, steps, after)
        for bracket, rungs in enumerate(TABLE_1)
        for (places, steps), (after, _) in itertools.pairwise(rungs)
    ]


@pytest.mark.parametrize(
    ("slots", "stopped"),
    [(1, [65, 58, 38, 21]), (4, [65, 60, 41, 23]), (16, [66, 61, 45, 23])],
)
def test_ashas_rungs_are_the_papers_and_fewer_are_stopped(slots: int, stopped: list[int]) -> None:
    """Ray's is the stopping variant: what goes on is decided on arrival, by those before."""
    searches = [climb(made("asha"), Long(), slots, seed) for seed in range(30)]
    for rungs in searches:
        assert [rung.steps for rung in rungs] == [1, 3, 9, 27]
        assert all(rung.paper_went_on == rung.arrived // 3 for rung in rungs)
    shares = [[rung.stopped_share for rung in rungs] for rungs in zip(*searches, strict=True)]
    assert [round(100 * sum(each) / len(each)) for each in shares] == stopped
    assert climb(made("tpe_asha"), Long(), slots) == searches[0]


@pytest.mark.parametrize("name", ["random", "grid", "asha", "hyperband"])
def test_those_without_a_model_have_none_and_repeat_nothing(name: str) -> None:
    options = {"resolution": 8} if name == "grid" else {}
    figures = look(made(name, **options), SmallSpace(), 1, SUGGESTIONS)
    assert not figures.has_model and figures.first is None and figures.duplicates == 0


@pytest.mark.parametrize("name", ["tpe", "tpe_asha"])
def test_tpe_models_from_the_eleventh_on_all_parameters_and_lacks_only_what_runs(
    name: str,
) -> None:
    for slots, first in ((1, 11), (4, 14), (16, 26)):
        figures = small(name, slots)
        assert (figures.first, figures.random_after, figures.unseen) == (first, 0, ())
        assert figures.lacking == slots - 1 and figures.duplicates == 0
    assert look(made(name), MnistSpace(), 1, SUGGESTIONS).unseen == ()


def test_tpe_that_models_each_parameter_by_itself_is_a_model_too() -> None:
    apart = made("tpe", multivariate=False, group=False)
    figures = look(apart, SmallSpace(), 1, SUGGESTIONS)
    assert (figures.first, figures.random_after, figures.unseen) == (11, 0, ())


@pytest.mark.parametrize("reduction_factor", [2, 4, 5])
def test_the_first_round_of_brackets_is_whole(reduction_factor: int) -> None:
    rungs = climb(made("hyperband", reduction_factor=reduction_factor), Long(), 16)
    assert rungs and all(
        (r.arrived, r.went_on) == (r.paper_arrived, r.paper_went_on) for r in rungs
    )


@pytest.mark.parametrize(("slots", "first"), [(1, 11), (4, 14), (16, 26)])
def test_gp_models_all_but_the_conditional_parameters(slots: int, first: int) -> None:
    figures = look(made("gp"), SmallSpace(), slots, first + 3)
    assert (figures.first, figures.random_after) == (first, 0)
    assert figures.lacking == slots - 1
    assert figures.unseen == ("shift",)


@pytest.mark.parametrize(
    ("name", "slots", "first", "random_after", "lacking", "duplicates", "unseen"),
    [
        ("cmaes", 1, 2, 0, 3.4, 0, ("kind", "shift")),  # a generation has 6
        ("cmaes", 4, 5, 0, 12.5, 0, ("kind", "shift")),
        ("cmaes", 16, 17, 0, 26.8, 0, ("kind", "shift")),
        ("nsga2", 1, 11, 0.03, 4.5, 0, ("shift",)),  # a generation has 10
        ("nsga2", 4, 14, 0.04, 10.6, 0, ("shift",)),
        ("nsga2", 16, 26, 0.07, 21.5, 1, ("shift",)),
        ("bohb", 1, 17, 0.42, 16.1, 0, ()),
        ("bohb", 4, 18, 0.52, 15.1, 0, ()),
        ("bohb", 16, 26, 0.47, 16.6, 0, ()),
    ],
)
def test_what_learns_by_generations_or_rungs_lacks_more_than_what_runs(
    name: str,
    slots: int,
    first: int,
    random_after: float,
    lacking: float,
    duplicates: int,
    unseen: tuple[str, ...],
) -> None:
    figures = small(name, slots)
    assert (figures.first, figures.duplicates, figures.unseen) == (first, duplicates, unseen)
    assert figures.random_after == pytest.approx(random_after, abs=0.006)
    assert figures.lacking == pytest.approx(lacking, abs=0.06)


def test_bohb_models_after_ten_results_at_a_rung_and_draws_a_third_at_random() -> None:
    """In 4 dimensions; 9 trials come to the first rung of R = 9 before the second bracket."""
    figures = look(made("bohb"), SmallSpace(), 1, 100)
    assert figures.first is not None and 10 < figures.first < 20
    assert figures.random_after == pytest.approx(1 / 3, abs=0.15)
    assert (figures.unseen, figures.duplicates) == ((), 0)
    assert figures.lacking is not None and 5 < figures.lacking < 60, "it asks the highest rung"


def test_bohb_has_no_model_of_sixteen_parameters_in_forty_trials_as_it_says() -> None:
    """It needs 34 results at one rung."""
    space = MnistSpace()
    assert look(made("bohb"), space, 1, SUGGESTIONS).first is None
    remark = made("bohb").remark(space, budget=10)
    assert remark is not None and "34 results" in remark and "more than the budget" in remark


@pytest.mark.parametrize(("slots", "first"), [(1, 11), (4, 14), (16, 26)])
def test_bayesopt_models_from_the_eleventh_on(slots: int, first: int) -> None:
    figures = look(made("bayesopt"), SmallSpace(), slots, first + 2)
    assert (figures.first, figures.random_after, figures.unseen) == (first, 0, ())
    assert figures.lacking == slots - 1


@pytest.mark.minutes
@pytest.mark.parametrize(("slots", "first"), [(1, 6), (4, 9), (16, 21)])
def test_hebo_models_after_one_trial_more_than_it_has_parameters(slots: int, first: int) -> None:
    figures = look(made("hebo"), SmallSpace(), slots, first + 2)
    assert (figures.first, figures.random_after, figures.unseen) == (first, 0, ())
    assert (figures.lacking, figures.duplicates) == (slots - 1, 0)


class StaleHebo(Algorithm):
    """Ray's HEBOSearch as it is: eight suggestions at once."""

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        from hebo.design_space.design_space import DesignSpace
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search.hebo import HEBOSearch

        axes: list[dict[str, Any]] = []
        for each in parameters(problem.space):
            if each.kind == "choice":
                axes.append({"name": each.name, "type": "cat", "categories": list(each.choices)})
            else:
                kind = "int" if each.kind == "int" else "num"
                axes.append({"name": each.name, "type": kind, "lb": each.lower, "ub": each.upper})
        space = DesignSpace().parse(axes)
        return HEBOSearch(space, metric="loss", mode="min", random_state_seed=1), FIFOScheduler()


def test_the_audit_sees_a_model_that_is_stale() -> None:
    figures = look(StaleHebo(), SmallSpace(), 1, 16)
    assert figures.first == 9 and figures.lacking == 3.5, "0 to 7 trials at one slot"


def test_the_audit_sees_a_bohb_that_never_models() -> None:
    figures = look(Library(model=True), MnistSpace(), 1, SUGGESTIONS)
    assert figures.has_model and figures.first is None


def test_the_command_prints_it(bench: Bench) -> None:
    printed = bench("audit", "hyperband")
    assert printed.returncode == 0, printed.stderr
    assert "slots  bracket  steps  arrived  paper  went on  paper  stopped" in printed.stdout
    assert "1      0        1      81       81     27       27     67%" in printed.stdout
    assert "scheduler._eta = 3" in printed.stdout


def test_an_unknown_or_broken_algorithm_is_one_line(bench: Bench) -> None:
    broken = PLUGINS / "broken_algorithm.py"
    for arguments in (["best"], ["branin"], [broken, "fault=not in the space"]):
        printed = bench("audit", *arguments)
        assert printed.returncode == 2 and printed.stderr.count("\n") == 1, printed.stderr
