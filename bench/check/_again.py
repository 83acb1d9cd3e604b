"""The same training in another process: this module, run there, reads what and writes numbers."""

import base64
import json
import sys
from typing import Any

from bench import plugins
from bench.check._elsewhere import ask_elsewhere
from bench.objective import Objective


def numbers_elsewhere(
    objective: Objective,
    configuration: dict[str, Any],
    seed: int,
    steps: int,
    states: list[bytes | None],
) -> list[list[dict[str, float]]]:
    """For each state (None: from the start) what the steps that are left return there.

    A state is that of a training after its first step.
    """
    asked = {
        "configuration": configuration,
        "seed": seed,
        "steps": steps,
        "states": [None if each is None else base64.b64encode(each).decode() for each in states],
    }
    numbers: list[list[dict[str, float]]] = ask_elsewhere(__name__, objective, asked)
    return numbers


def _answer(asked: dict[str, Any]) -> list[list[dict[str, float]]]:
    made = plugins.load_class("objectives", asked["name"], asked["path"])(**asked["options"])
    assert isinstance(made, Objective)
    numbers = []
    for state in asked["states"]:
        training = made.train(asked["configuration"], asked["seed"], "cpu")
        if state is not None:
            training.load(base64.b64decode(state))
        steps = asked["steps"] - (state is not None)
        numbers.append([training.step() for _ in range(steps)])
    return numbers


if __name__ == "__main__":
    print("\n" + json.dumps(_answer(json.load(sys.stdin))))
