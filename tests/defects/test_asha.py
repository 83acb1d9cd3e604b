"""Defects and habits of Ray 2.60's AsyncHyperBandScheduler, and what ours is exactly."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from bench.algorithms._asha_scheduler import Asha

STOP, CONTINUE = TrialScheduler.STOP, TrialScheduler.CONTINUE


def scheduler(
    kind: type[AsyncHyperBandScheduler] = Asha, eta: int = 3, first: int = 1, most: int = 9
) -> AsyncHyperBandScheduler:
    return kind(
        time_attr="training_iteration",
        metric="loss",
        mode="min",
        max_t=most,
        grace_period=first,
        reduction_factor=eta,
        brackets=1,
        stop_last_trials=True,
    )


def added(asha: AsyncHyperBandScheduler, name: str) -> Trial:
    trial = Trial("trainable", stub=True, trial_id=name)
    asha.on_trial_add(None, trial)
    return trial


def reported(asha: AsyncHyperBandScheduler, trial: Trial, step: int, loss: float) -> str:
    result = {"loss": loss, "training_iteration": step}
    decision: str = asha.on_trial_result(None, trial, result)
    return decision


def arrivals(asha: AsyncHyperBandScheduler, losses: list[float], step: int = 1) -> list[str]:
    """What happens to new trials that come to a rung one after the other."""
    return [
        reported(asha, added(asha, str(number)), step, loss) for number, loss in enumerate(losses)
    ]


def draws_from_numpy(kind: type[AsyncHyperBandScheduler]) -> bool:
    np.random.seed(0)
    added(scheduler(kind), "a")
    return bool(np.random.rand() != np.random.RandomState(0).rand())


def test_ray_draws_the_one_bracket_from_numpys_global_generator() -> None:
    """If this fails, `bench.algorithms._asha_scheduler.Asha` may go; Ray's own will do."""
    assert draws_from_numpy(AsyncHyperBandScheduler)


def test_ours_draws_nothing() -> None:
    assert not draws_from_numpy(Asha)


def rungs(asha: AsyncHyperBandScheduler) -> list[int]:
    (bracket,) = asha._brackets
    return sorted(steps for steps, _ in bracket._rungs)


def test_ray_loses_the_rung_at_the_end_of_a_training_by_rounding() -> None:
    """Of ln 243 / ln 3 = 4.99…; without consequence: at the end there is nothing to decide."""
    assert rungs(scheduler(AsyncHyperBandScheduler, most=81)) == [1, 3, 9, 27, 81]
    assert rungs(scheduler(AsyncHyperBandScheduler, most=243)) == [1, 3, 9, 27, 81]


def test_the_rungs_before_the_end_are_those_of_the_paper() -> None:
    for eta, first in product((2, 3, 4, 5, 10), (1, 2, 3, 5)):
        for most in range(first + 1, 1300):
            expected = [first * eta**k for k in range(12) if first * eta**k < most]
            found = [rung for rung in rungs(scheduler(Asha, eta, first, most)) if rung < most]
            assert found == expected, (eta, first, most)


@pytest.mark.parametrize(
    ("losses", "last"),
    [
        ([0.9], CONTINUE),  # the first always goes on
        ([0.5, 0.6], STOP),
        ([0.5, 0.4], CONTINUE),
        ([0.5, 0.2, 0.31], STOP),  # a third of the way from 0.2 to 0.5 is 0.3
        ([0.5, 0.2, 0.29], CONTINUE),
        ([0.5, 0.5, 0.5, 0.5], CONTINUE),  # whoever ties goes on
        ([0.1, 0.2, 0.3, 0.4, 0.21], STOP),  # the quantile of four: 0.1, 0.2, …, at index 1
        ([0.1, 0.2, 0.3, 0.4, 0.19], CONTINUE),
    ],
)
def test_a_trial_goes_on_below_the_interpolated_quantile_of_those_before_it(
    losses: list[float], last: str
) -> None:
    assert arrivals(scheduler(), losses)[-1] == last


def test_the_nth_goes_on_as_often_as_its_docstring_says() -> None:
    generator = np.random.default_rng(0)
    went_on = np.zeros(6)
    for _ in range(1_000):
        decisions = arrivals(scheduler(), generator.uniform(size=6).tolist())
        went_on += [decision == CONTINUE for decision in decisions]
    expected = [1.0, *((1 + (n - 2) / 3) / n for n in range(2, 7))]
    assert went_on / 1_000 == pytest.approx(np.array(expected), abs=0.06)


def test_between_rungs_nothing_is_decided() -> None:
    asha = scheduler(most=27)
    arrivals(asha, [0.1])
    trial = added(asha, "bad from its second step on")
    assert [reported(asha, trial, step, loss) for step, loss in ((1, 0.1), (2, 9.0))] == [
        CONTINUE,
        CONTINUE,
    ]


@pytest.mark.parametrize(("fails_by_its_loss", "decision"), [(True, CONTINUE), (False, STOP)])
def test_a_trial_that_fails_at_a_rung_counts_there_if_it_was_by_its_loss(
    fails_by_its_loss: bool, decision: str
) -> None:
    """After 0.1 and a failure, the quantile is (0.1 + 0.1 + 1.3) / 3; after 0.1 alone 0.1."""
    asha = scheduler()
    arrivals(asha, [0.1])
    failed = added(asha, "failed")
    result: dict[str, Any] = {"loss": 1.3, "training_iteration": 1}
    if fails_by_its_loss:
        asha.on_trial_complete(None, failed, result)
    else:
        asha.on_trial_error(None, failed)
    assert reported(asha, added(asha, "next"), 1, 0.45) == decision
