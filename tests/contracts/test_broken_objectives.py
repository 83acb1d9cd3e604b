"""The checks of objectives find what they look for: each defect in the one place where it shows."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from conftest import PLUGINS
from pydantic import Field

from bench import plugins
from bench.check import objectives as checks
from bench.check._violation import Violation
from bench.corners import corners
from bench.objective import Objective

FOUND = {
    "another space each time": (
        checks.the_space_is_always_the_same_and_can_be_searched,
        "two calls of space",
    ),
    "weighted choices": (
        checks.the_space_is_always_the_same_and_can_be_searched,
        "kind: Cat.* with weights or a prior is not supported",
    ),
    "no loss": (
        checks.a_step_returns_the_loss_and_the_metrics_it_declares,
        r"returned \['chance'\], declared are \['chance', 'loss'\]",
    ),
    "undeclared metric": (
        checks.a_step_returns_the_loss_and_the_metrics_it_declares,
        r"returned \['accuracy', 'chance', 'loss'\]",
    ),
    "integer loss": (
        checks.a_step_returns_the_loss_and_the_metrics_it_declares,
        r"not a float: loss = \d",
    ),
    "noise from the global generator": (checks.the_seed_alone_decides, "the same seed, later"),
    "noise from hash()": (checks.another_process_gets_the_same_numbers, "in another process a st"),
    "global generator seeded once": (
        checks.paused_and_resumed_it_gives_what_it_would_have_given,
        "paused and resumed, a step gave",
    ),
    "state without the steps": (
        checks.paused_and_resumed_it_gives_what_it_would_have_given,
        "paused and resumed, a step gave",
    ),
    "state is text": (
        checks.paused_and_resumed_it_gives_what_it_would_have_given,
        r"state\(\) returned str, not bytes",
    ),
    "state changes the training": (
        checks.paused_and_resumed_it_gives_what_it_would_have_given,
        "gone on after its state was taken",
    ),
    "state of this process": (
        checks.another_process_gets_the_same_numbers,
        "in another process it fails: ValueError: not here",
    ),
    "a part is left out": (
        checks.ranks_together_give_what_one_process_gives,
        r"two ranks gave {'loss': .*}, one process {'loss': .*}; with {.*}",
    ),
    "a rank fails": (
        checks.ranks_together_give_what_one_process_gives,
        "rank 1 of 2: ValueError: no other GPU",
    ),
    "loss rises": (checks.the_loss_falls, "the loss rose in 8 of 8 trainings"),
    "nothing changes": (checks.the_loss_falls, "no step changed the loss in any of 8"),
    "below the optimum": (
        checks.the_losses_are_within_their_bounds,
        r"a loss of -\d.* is below optimum = 0.0",
    ),
    "an upper bound": (
        checks.every_corner_of_the_space_trains,
        r"no training begins with {.*'n': 9.*}: ValueError: too wide",
    ),
    "a choice in the middle": (
        checks.every_corner_of_the_space_trains,
        r"a step fails with {.*'middle'.*}: ValueError: too plain",
    ),
    "a child's lower bound": (
        checks.every_corner_of_the_space_trains,
        r"a step fails with {.*'depth': 2.*}: ValueError: too deep",
    ),
    "a limit": (
        checks.the_limits_train,
        r"no training begins with {.*'n': 20.*}: ValueError: much too wide",
    ),
    "training kept": (checks.memory_returns_after_a_trial, "Python's objects grew by"),
    "list kept": (checks.memory_returns_after_a_trial, "Python's objects grew by 16 KiB with each"),
    "memory outside Python kept": (
        checks.memory_returns_after_a_trial,
        "the process grew by 1,0.. KiB with each training",
    ),
}

BROKEN = str(PLUGINS / "broken.py")


def broken(defect: str = "", **options: Any) -> Objective:
    made = plugins.load_class("objectives", "broken", BROKEN)(**{"defect": defect, **options})
    assert isinstance(made, Objective)
    return made


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_a_sound_objective_passes(check: Callable[[Objective], None]) -> None:
    check(broken())


@pytest.mark.parametrize("defect", FOUND)
def test_a_defect_is_found_by_the_check_for_it_in_one_line(defect: str) -> None:
    check, message = FOUND[defect]
    with pytest.raises(Violation, match=message) as caught:
        check(broken(defect))
    assert "\n" not in str(caught.value)


def test_every_defect_is_looked_for_and_every_check_finds_one() -> None:
    field = type(broken()).model_fields["defect"]
    assert [*get_args(field.annotation)] == ["", *FOUND]
    assert {check for check, _ in FOUND.values()} == set(checks.CHECKS)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("worst_loss", float("inf"), "worst_loss = inf is not finite"),
        ("worst_loss", float("nan"), "worst_loss = nan is not finite"),
        ("worst_loss", 0.0, "optimum = 0.0 is not below worst_loss = 0.0"),
        ("worst_loss", 0.1, r"only \d of 8 trainings got below worst_loss = 0.1; the median"),
        ("optimum", 2.0, r"a loss of [01].\d+ is below optimum = 2.0"),
    ],
)
def test_bounds_that_the_losses_do_not_keep_are_found(
    monkeypatch: pytest.MonkeyPatch, name: str, value: float, message: str
) -> None:
    objective = broken()
    checks._curves_of.cache_clear()
    monkeypatch.setattr(type(objective), name, value)
    with pytest.raises(Violation, match=message):
        checks.the_losses_are_within_their_bounds(objective)


def test_an_option_may_be_a_list() -> None:
    class Listed(type(broken())):  # type: ignore[misc]
        widths: list[int] = Field(default=[1, 2])

    checks.the_loss_falls(Listed())


def test_one_step_can_neither_fall_nor_be_paused() -> None:
    for check in checks.CHECKS:
        check(broken("nothing changes", max_steps=1))


def test_the_corners_are_every_bound_and_every_choice_with_their_parents() -> None:
    assert [*corners(broken().space())] == [
        {"kind": "plain", "n": 1, "x": 0.0},
        {"kind": "deep", "depth": 9, "n": 9, "x": 1.0},
        {"kind": "middle", "n": 1, "x": 0.0},
        {"kind": "deep", "depth": 2, "n": 1, "x": 0.0},
    ]


def test_a_parent_takes_whichever_value_makes_its_child_active() -> None:
    import ConfigSpace as cs

    space = cs.ConfigurationSpace()
    top = cs.Categorical("top", ["off", "on", "no"])
    inner = cs.Categorical("inner", ["no", "yes", "not"])
    leaf = cs.Float("leaf", (0.5, 2.0))
    space.add(top, inner, leaf)
    space.add(cs.EqualsCondition(inner, top, "on"), cs.EqualsCondition(leaf, inner, "yes"))
    assert [*corners(space)] == [
        {"top": "off"},
        {"top": "no"},
        {"top": "on", "inner": "no"},
        {"top": "on", "inner": "yes", "leaf": 0.5},
        {"top": "on", "inner": "not"},
        {"top": "on", "inner": "yes", "leaf": 2.0},
    ]
