"""Our ASHA scheduler is quicker than Ray's, and decides the same."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.schedulers import AsyncHyperBandScheduler
from ray.tune.schedulers.async_hyperband import _Bracket

from bench.algorithms._asha_scheduler import Asha, Bracket, Rung

losses = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.302585092994046])
SETTINGS: dict[str, Any] = {"metric": "loss", "mode": "min", "max_t": 27, "brackets": 1}


@given(st.lists(losses, min_size=1, max_size=40), st.sampled_from([2, 3, 4, 5]))
def test_the_quantile_is_numpys_to_the_bit(rewards: list[float], reduction_factor: int) -> None:
    bracket = Bracket(1, 27, reduction_factor, 0)
    rung = Rung()
    for index, reward in enumerate(rewards):
        rung[str(index)] = reward
    theirs = _Bracket(1, 27, reduction_factor, 0).cutoff(dict(enumerate(rewards)))
    assert bracket.cutoff(rung) == theirs


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(losses, min_size=1, max_size=27), min_size=1, max_size=12),
    st.sampled_from([2, 3, 4]),
    st.randoms(use_true_random=False),
)
def test_every_decision_is_rays(
    curves: list[list[float]], reduction_factor: int, order: Any
) -> None:
    """Trials report their curves in any order; a trial that is stopped, or over, is completed."""
    ours = Asha(**SETTINGS, reduction_factor=reduction_factor)
    theirs = AsyncHyperBandScheduler(**SETTINGS, reduction_factor=reduction_factor)
    trials = [SimpleNamespace(trial_id=str(index)) for index in range(len(curves))]
    for trial in trials:
        for scheduler in (ours, theirs):
            scheduler.on_trial_add(None, trial)
    left = {index: iter(enumerate(curve, start=1)) for index, curve in enumerate(curves)}
    while left:
        index = order.choice(sorted(left))
        reported = next(left[index], None)
        if reported is None:
            del left[index]
            continue
        step, loss = reported
        result = {"training_iteration": step, "loss": loss}
        decision, expected = (
            s.on_trial_result(None, trials[index], result) for s in (ours, theirs)
        )
        assert decision == expected
        if decision == "STOP" or step == len(curves[index]):
            for scheduler in (ours, theirs):
                scheduler.on_trial_complete(None, trials[index], result)
            del left[index]
