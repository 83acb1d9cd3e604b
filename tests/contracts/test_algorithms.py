"""What every algorithm must do, found by its file: the rules are those of bench.check."""

from collections.abc import Callable
from typing import Any

import pytest

from bench import plugins
from bench.algorithm import Algorithm
from bench.audit.text import NEEDED
from bench.check.algorithms import CHECKS, it_beats_random_search_where_it_claims_to

SLOW = {"hebo", "hebo_asha"}
"""A suggestion takes about a second."""

SLOW_TO_BEAT = {"bayesopt"}
"""A search of theirs takes seconds, and it takes many of them to beat random search."""


def cases() -> list[Any]:
    """Each algorithm with each check; those that take minutes are marked."""
    found = []
    for name in plugins.names("algorithms"):
        for check in CHECKS:
            race = check is it_beats_random_search_where_it_claims_to
            minutes = name in SLOW or (race and name in SLOW_TO_BEAT)
            marks = [pytest.mark.minutes] if minutes else []
            found.append(pytest.param(name, check, id=f"{name}-{check.__name__}", marks=marks))
    return found


@pytest.mark.parametrize(("name", "check"), cases())
def test_rule(name: str, check: Callable[[Algorithm], None]) -> None:
    made = plugins.load_class("algorithms", name)(**NEEDED.get(name, {}))
    assert isinstance(made, Algorithm)
    check(made)
