"""The checks of algorithms find what they look for."""

import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import PLUGINS

from bench import plugins
from bench.algorithm import Algorithm
from bench.check import algorithms as checks
from bench.check._searches import Tried, forms
from bench.check._violation import Violation

Bench = Callable[..., subprocess.CompletedProcess[str]]
FILE = PLUGINS / "broken_algorithm.py"

FOUND = {
    "not seeded": (checks.the_seed_alone_decides, "in another process event 0 was"),
    "seeded by hash()": (checks.the_seed_alone_decides, "in another process event 0 was"),
    "the same for all seeds": (
        checks.another_seed_suggests_something_else,
        "seeds 0 and 1 suggested the same",
    ),
    "draws from numpy's generator": (
        checks.it_draws_from_no_global_generator,
        "draws from numpy's global generator",
    ),
    "draws from python's generator": (
        checks.it_draws_from_no_global_generator,
        "draws from python's global generator",
    ),
    "out of bounds": (checks.it_keeps_to_a_large_space, "the search fails: ValueError: .* outside"),
    "of another type": (checks.it_keeps_to_a_large_space, "= '0.5' is outside"),
    "not in the space": (checks.it_keeps_to_a_large_space, r"not in the search space: \['z'\]"),
    "fails when a trial fails": (checks.it_survives_failed_trials, "the search fails: Asser"),
    "fails when nothing is better": (
        checks.it_survives_a_constant_objective,
        "the search fails: ZeroDivisionError",
    ),
    "gives up": (
        checks.it_survives_a_constant_objective,
        r"ends early: the algorithm made no more suggestions \(18 of 180 steps\)",
    ),
    "one at a time": (checks.it_keeps_to_its_slots, "only 1 trials ran at 3 slots"),
    "never in full": (
        checks.it_trains_some_configuration_in_full,
        "the longest trial had 3 of 9 steps",
    ),
    "its workers are not seeded": (checks.the_seed_alone_decides, "in another process event 0 was"),
    "its workers draw the same": (
        checks.it_suggests_different_things_at_once,
        "all 3 slots were given {'kind'",
    ),
    "settings of chance": (checks.its_settings_can_be_written_down, "differ .*: mark"),
    "refuses": (checks.it_keeps_to_a_large_space, "refuses .*: does not like it"),
    "": (
        checks.it_beats_random_search_where_it_claims_to,
        r"on sphere with 5 full trainings it was better .* in \d+ of \d+ seeds .* 1%",
    ),
}
"""Fault -> the check that must find it, and what it says."""


def broken(fault: str) -> Tried:
    """In the form that is broken."""
    kind: Any = plugins.load_class("algorithms", FILE.stem, str(FILE))
    made = kind(fault=fault)
    assert isinstance(made, Algorithm)
    return forms(made)[fault.startswith("its workers")]


@pytest.mark.parametrize(("fault", "check", "says"), [(f, *v) for f, v in FOUND.items()])
def test_each_fault_is_found(fault: str, check: Callable[[Tried], None], says: str) -> None:
    with pytest.raises(Violation, match=says):
        check(broken(fault))


def test_all_faults_and_all_checks_are_tried() -> None:
    fields = type(broken("").algorithm).model_fields
    assert set(FOUND) == set(get_args(fields["fault"].annotation))
    never = {checks.it_survives_a_budget_of_one_training}  # what others find too
    assert {check for check, _ in FOUND.values()} == set(checks.CHECKS) - never


def test_a_sound_algorithm_violates_nothing_but_its_claim() -> None:
    for tried, check in product(forms(broken("").algorithm), checks.CHECKS[:-1]):
        check(tried)


def test_the_command_says_which_rules_hold(bench: Bench) -> None:
    printed = bench("check", FILE, "fault=one at a time")
    assert printed.returncode == 1, printed.stderr
    lines = printed.stdout.splitlines()
    assert "ok    Another seed, another search." in lines
    at = lines.index("FAILS No more trials run than there are slots; and all slots are used.")
    assert lines[at + 1] == "      only 1 trials ran at 3 slots"


def test_a_wrong_option_or_file_is_one_line(bench: Bench, tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished.py"
    unfinished.write_text(
        "from bench.algorithm import Algorithm\n\n\nclass Unfinished(Algorithm):\n    pass\n"
    )
    wrong: list[list[Any]] = [
        [FILE, "fault=none"],
        [FILE, "speed=3"],
        [FILE, "fault"],
        ["nothing.py"],
        ["best"],
        [PLUGINS / "journals.py"],
        [unfinished],
    ]
    for arguments in wrong:
        printed = bench("check", *arguments)
        assert printed.returncode == 2 and printed.stderr.count("\n") == 1, printed.stderr
