"""A training that two processes share, both elsewhere: this module, run there, is rank 0."""

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from bench import plugins
from bench.cell import Cell, PlugIn
from bench.check._elsewhere import ask_elsewhere
from bench.check._violation import Violation
from bench.objective import Objective


class Found(NamedTuple):
    """What two ranks have returned."""

    numbers: list[dict[str, float]]
    """Of the first steps."""
    state: bytes
    """After them."""
    after: dict[str, float]
    """Of one more step."""


def shared_elsewhere(
    objective: Objective, configuration: dict[str, Any], seed: int, steps: int
) -> Found:
    """Let two processes train. Raises Violation with the reason if one of them fails."""
    with tempfile.TemporaryDirectory() as folder:
        last_words = Path(folder) / "words"
        asked = {"configuration": configuration, "seed": seed, "steps": steps}
        asked |= {"last_words": str(last_words)}
        try:
            numbers, state, after = ask_elsewhere(__name__, objective, asked)
        except Violation:
            if last_words.exists():
                raise Violation(last_words.read_text()) from None
            raise
    return Found(numbers, base64.b64decode(state), after)


def _answer(asked: dict[str, Any]) -> tuple[list[dict[str, float]], str, dict[str, float]]:
    from bench.engines._rank_processes import team

    path, name, options = asked["path"], asked["name"], asked["options"]
    where = None if path is None else Path(path)
    plugin = plugins.resolve("objectives", name, where, options)
    rest: dict[str, Any] = {"engine": "optuna", "device": "cpu", "gpus": 2, "gpus_per_trial": 2}
    cell = Cell(plugin, PlugIn("random"), seed=0, budget=1, max_steps=1, **rest)
    ranks = team(cell, plugins.make("objectives", plugin))
    ranks.last_words = Path(asked["last_words"])
    try:
        training = ranks.train(asked["configuration"], asked["seed"])
        numbers = [training.step() for _ in range(asked["steps"])]
        state = base64.b64encode(training.state()).decode()
        return numbers, state, training.step()
    finally:
        ranks.close()


if __name__ == "__main__":
    print("\n" + json.dumps(_answer(json.load(sys.stdin))))
