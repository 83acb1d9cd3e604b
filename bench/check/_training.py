"""Trainings for the checks; what goes wrong in them becomes a Violation that says where."""

import json
from typing import Any

from bench.check._violation import Violation
from bench.errors import UserError
from bench.objective import Objective, Training
from bench.space import active

Numbers = list[dict[str, float]]
"""What the steps of one training return."""


def configurations(objective: Objective, count: int) -> list[dict[str, Any]]:
    """Draw configurations, always the same."""
    space = objective.space()
    space.seed(1)
    return [active(space, dict(space.sample_configuration())) for _ in range(count)]


def numbers(objective: Objective, configuration: dict[str, Any], seed: int, steps: int) -> Numbers:
    """Train anew."""
    training = begin(objective, configuration, seed)
    return [step(training, configuration) for _ in range(steps)]


def begin(objective: Objective, configuration: dict[str, Any], seed: int) -> Training:
    try:
        return objective.train(dict(configuration), seed, "cpu")
    except UserError:
        raise
    except Exception as error:
        raise _failed("no training begins", configuration, error) from error


def step(training: Training, configuration: dict[str, Any]) -> dict[str, float]:
    try:
        return training.step()
    except Exception as error:
        raise _failed("a step fails", configuration, error) from error


def state_of(training: Training) -> bytes:
    state = training.state()
    if not isinstance(state, bytes):
        raise Violation(f"state() returned {type(state).__name__}, not bytes")
    return state


def require_same(
    expected: Numbers, found: Numbers, when: str, configuration: dict[str, Any]
) -> None:
    """By their text: NaN is NaN, and a number that differs in its last bit has another."""
    for one, two in zip(expected, found, strict=True):
        if json.dumps(one, sort_keys=True) != json.dumps(two, sort_keys=True):
            raise Violation(f"{when} a step gave {two}, not {one}; with {configuration}")


def _failed(what: str, configuration: dict[str, Any], error: Exception) -> Violation:
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    return Violation(f"{what} with {configuration}: {cause}")
