"""What every objective must do, as functions that raise Violation; `CHECKS` has them all.

The first line of each docstring is the rule. They train on the CPU, with the options that the
objective was built with, and want its data in place (`Objective.prepare`).
"""

import json
import math
import statistics
from collections.abc import Callable
from functools import lru_cache

from bench.check._again import numbers_elsewhere
from bench.check._memory import growth
from bench.check._ranks import shared_elsewhere
from bench.check._training import begin, configurations, numbers, require_same, state_of, step
from bench.check._violation import Violation
from bench.corners import corners
from bench.errors import UserError
from bench.objective import Objective
from bench.overrides import overridden, resolve
from bench.space import parameters

CURVES = 8
"""Configurations that are trained in full."""
ROUND = 5
"""Trainings after which memory is looked at."""
PYTHON_BYTES, PROCESS_BYTES = 32 * 2**10, 512 * 2**10
"""Growth in such a round that is no leak: of Python's objects, and of the process."""


def the_space_is_always_the_same_and_can_be_searched(objective: Objective) -> None:
    """The space is the same each time, engines can express it, and its values are JSON."""
    space = objective.space()
    if space != objective.space():
        raise Violation("two calls of space() gave different spaces")
    try:
        parameters(space)
    except UserError as error:
        raise Violation(str(error)) from None
    for configuration in configurations(objective, 20):
        if json.loads(json.dumps(configuration)) != configuration:
            raise Violation(f"a configuration is not the same after JSON: {configuration}")


def a_step_returns_the_loss_and_the_metrics_it_declares(objective: Objective) -> None:
    """A step returns `loss` and the declared metrics, all of them floats."""
    (values,) = numbers(objective, configurations(objective, 1)[0], 0, 1)
    expected = {"loss", *objective.metrics}
    if set(values) != expected:
        raise Violation(f"a step returned {sorted(values)}, declared are {sorted(expected)}")
    if wrong := [name for name, value in values.items() if not isinstance(value, float)]:
        raise Violation(f"not a float: {wrong[0]} = {values[wrong[0]]!r}")


def the_seed_alone_decides(objective: Objective) -> None:
    """The same configuration and seed give the same numbers, whatever was trained in between."""
    first, other = configurations(objective, 2)
    steps = min(2, objective.max_steps)
    before = numbers(objective, first, 0, steps)
    numbers(objective, other, 1, steps)
    require_same(before, numbers(objective, first, 0, steps), "the same seed, later:", first)


def paused_and_resumed_it_gives_what_it_would_have_given(objective: Objective) -> None:
    """A training goes on exactly from its state, in a new object; taking the state changes none."""
    steps = min(4, objective.max_steps)
    left = range(steps - steps // 2)
    for configuration in configurations(objective, 3):
        expected = numbers(objective, configuration, 7, steps)
        training = begin(objective, configuration, 7)
        done = [step(training, configuration) for _ in range(steps // 2)]
        state = state_of(training)
        resumed = begin(objective, configuration, 7)
        resumed.load(state)
        rest = [step(resumed, configuration) for _ in left]
        require_same(expected, done + rest, "paused and resumed,", configuration)
        rest = [step(training, configuration) for _ in left]
        require_same(expected, done + rest, "gone on after its state was taken,", configuration)


def another_process_gets_the_same_numbers(objective: Objective) -> None:
    """Seeded training is bit-for-bit: in another process too, and from a state of this one."""
    (configuration,) = configurations(objective, 1)
    steps = min(3, objective.max_steps)
    expected = numbers(objective, configuration, 5, steps)
    training = begin(objective, configuration, 5)
    step(training, configuration)
    states = [None, state_of(training)]
    whole, resumed = numbers_elsewhere(objective, configuration, 5, steps, states)
    require_same(expected, whole, "in another process", configuration)
    require_same(expected[1:], resumed, "resumed in another process", configuration)


def ranks_together_give_what_one_process_gives(objective: Objective) -> None:
    """Where processes can share a training: two give its losses, but for rounding, and its state.

    One in a hundred is far more than rounding makes of a loss in two steps, and far less than what
    becomes of it where a rank leaves out its part.
    """
    if not objective.has_parts():
        return
    (configuration,) = configurations(objective, 1)
    steps = min(2, objective.max_steps)
    expected = numbers(objective, configuration, 5, steps)
    shared = shared_elsewhere(objective, configuration, 5, steps)
    resumed = begin(objective, configuration, 5)
    resumed.load(shared.state)
    for one, two in zip(expected, shared.numbers, strict=True):
        if set(one) != set(two) or not math.isclose(one["loss"], two["loss"], rel_tol=0.01):
            raise Violation(f"two ranks gave {two}, one process {one}; with {configuration}")
    after, its = step(resumed, configuration), shared.after
    if not math.isclose(after["loss"], its["loss"], rel_tol=0.01):
        raise Violation(f"one process went on from the state of two with {after}, they with {its}")


def the_loss_falls(objective: Objective) -> None:
    """Steps change the loss, and from the first to the last it does not rise.

    It may stay where it is, up to chance (steps that only estimate better): rising in 7 of 8
    configurations has a probability of 3.5 % then.
    """
    if objective.max_steps == 1:
        return
    curves = _curves(objective)
    if not any(len(set(losses)) > 1 for losses in curves):
        raise Violation(f"no step changed the loss in any of {len(curves)} trainings")
    if (rose := sum(losses[-1] > losses[0] for losses in curves)) >= len(curves) - 1:
        raise Violation(f"the loss rose in {rose} of {len(curves)} trainings; lower is better")


def the_losses_are_within_their_bounds(objective: Objective) -> None:
    """No loss is below the optimum; `worst_loss` is finite, and trainings get below it.

    Single losses may be above it (they count as it); where hardly any training gets below, it
    tells nothing apart.
    """
    worst, optimum = objective.worst_loss, objective.optimum
    if not math.isfinite(worst):
        raise Violation(f"worst_loss = {worst} is not finite")
    if optimum is not None and not optimum < worst:
        raise Violation(f"optimum = {optimum} is not below worst_loss = {worst}")
    best = [min(losses) for losses in _curves(objective)]
    if optimum is not None and min(best) < optimum:
        raise Violation(f"a loss of {min(best)!r} is below optimum = {optimum!r}")
    if (below := sum(loss < worst for loss in best)) < len(best) / 4:
        median = statistics.median(best)
        raise Violation(
            f"only {below} of {len(best)} trainings got below worst_loss = {worst:g}; the median "
            f"of their best losses is {median:.4g}"
        )


def every_corner_of_the_space_trains(objective: Objective) -> None:
    """Each bound and each choice of each parameter builds a training that takes a step."""
    for configuration in corners(objective.space()):
        numbers(objective, configuration, 0, 1)


def the_limits_train(objective: Objective) -> None:
    """At both ends of each of its `limits`, to which a suite may widen its space, a step works."""
    kind, options = type(objective), objective.model_dump()
    for name, ends in objective.limits.items():
        for end in ends:
            try:
                changed = resolve(objective, {name: {"constant": end}})
            except UserError as error:
                raise Violation(f"limits: {error}") from None
            drawn = configurations(overridden(kind, changed)(**options), 20)
            numbers(objective, next((each for each in drawn if name in each), drawn[0]), 0, 1)


def memory_returns_after_a_trial(objective: Objective) -> None:
    """Trainings that are over leave no memory behind."""
    (configuration,) = configurations(objective, 1)

    def trainings() -> None:
        for seed in range(ROUND):
            numbers(objective, configuration, seed, 1)

    python, process = growth(trainings)
    for grown, allowed, what in (
        (python, PYTHON_BYTES, "Python's objects"),
        (process, PROCESS_BYTES, "the process"),
    ):
        if grown > allowed:
            raise Violation(f"{what} grew by {grown / ROUND / 1024:,.0f} KiB with each training")


CHECKS: tuple[Callable[[Objective], None], ...] = (
    the_space_is_always_the_same_and_can_be_searched,
    a_step_returns_the_loss_and_the_metrics_it_declares,
    the_seed_alone_decides,
    paused_and_resumed_it_gives_what_it_would_have_given,
    another_process_gets_the_same_numbers,
    ranks_together_give_what_one_process_gives,
    the_loss_falls,
    the_losses_are_within_their_bounds,
    every_corner_of_the_space_trains,
    the_limits_train,
    memory_returns_after_a_trial,
)
"""In the order of their cost, the cheap ones first."""


def _curves(objective: Objective) -> list[list[float]]:
    """The losses of a few full trainings; one that is no number counts as the worst."""
    return _curves_of(type(objective), objective.model_dump_json())


@lru_cache(maxsize=1)
def _curves_of(kind: type[Objective], options: str) -> list[list[float]]:
    objective = kind.model_validate_json(options)

    def counted(loss: float) -> float:
        return loss if math.isfinite(loss) else objective.worst_loss

    return [
        [counted(each["loss"]) for each in numbers(objective, drawn, 3, objective.max_steps)]
        for drawn in configurations(objective, CURVES)
    ]
