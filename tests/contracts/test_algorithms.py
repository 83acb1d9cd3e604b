"""What every algorithm must do, found by its file: the rules are those of bench.check."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from bench import plugins
from bench.algorithm import Algorithm
from bench.audit.text import NEEDED
from bench.check._searches import Tried, forms
from bench.check.algorithms import CHECKS, it_beats_random_search_where_it_claims_to

SLOW = {"hebo", "hebo_asha"}
"""A suggestion takes about a second."""

SLOW_AGAIN = {"gp"}
"""A suggestion takes a tenth of that; in one form it is tried at once."""

SLOW_TO_BEAT = {"bayesopt", "gp"}
"""A search of theirs takes seconds, and it takes many of them to beat random search."""


def made(name: str) -> Algorithm:
    plugin = plugins.load_class("algorithms", name)(**NEEDED.get(name, {}))
    assert isinstance(plugin, Algorithm)
    return plugin


def cases() -> list[Any]:
    """Each algorithm in each form with each check; those that take minutes are marked."""
    found = []
    for name in plugins.names("algorithms"):
        for tried, check in product(forms(made(name)), CHECKS):
            race = check is it_beats_random_search_where_it_claims_to
            again = tried.form == "optuna"  # its sampler is that of the other form
            slow = name in SLOW or (again and name in SLOW_AGAIN)
            minutes = slow or (race and (again or name in SLOW_TO_BEAT))
            marks = [pytest.mark.minutes] if minutes else []
            case = f"{name}-{tried.form}-{check.__name__}"
            found.append(pytest.param(tried, check, id=case, marks=marks))
    return found


@pytest.mark.parametrize(("tried", "check"), cases())
def test_rule(tried: Tried, check: Callable[[Tried], None]) -> None:
    check(tried)


def test_these_have_a_form_for_optunas_workers() -> None:
    """And grid, whose form refuses the condition in the space of the checks."""
    found = {name for name in plugins.names("algorithms") if len(forms(made(name))) == 2}
    expected = "random tpe cmaes gp nsga2 asha hyperband tpe_asha"
    assert found == set(expected.split())
