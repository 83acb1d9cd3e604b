"""Learning curves for functions that have none: the loss falls to the function's value.

A power law, as learning curves follow it (`pow3`, y = c - a·xᵅ, in Table 1 of Domhan, Springenberg,
Hutter, Speeding up Automatic Hyperparameter Optimization of Deep Neural Networks by Extrapolation
of Learning Curves, IJCAI 2015), shifted to end exactly at the value. After step k of K

    loss = value + (worst - value) · ((1 + k)⁻ᵅ - (1 + K)⁻ᵅ) / (1 - (1 + K)⁻ᵅ)

so that it is the worst loss before the first step, falls with every step and never passes either.
The rate α depends on the configuration as on a learning rate: it grows from `SLOWEST` to `FASTEST`
with the first hyper-parameter, hence curves cross, and whoever stops trainings early can be wrong.
"""

import json

SLOWEST, FASTEST = 0.5, 2.0


class CurveTraining:
    """A deterministic training (see bench.objective.Training); its seed changes nothing.

    `value` is the loss after `max_steps`; `position`, in [0, 1], where the first hyper-parameter
    is between its bounds.
    """

    def __init__(self, value: float, worst: float, position: float, max_steps: int) -> None:
        self.value, self.worst, self.max_steps = value, worst, max_steps
        self.rate = SLOWEST + (FASTEST - SLOWEST) * position
        self.steps_done = 0

    def step(self) -> dict[str, float]:
        self.steps_done += 1
        left = remaining(self.steps_done, self.max_steps, self.rate)
        return {"loss": self.value + (self.worst - self.value) * left}

    def state(self) -> bytes:
        return json.dumps({"steps_done": self.steps_done}).encode()

    def load(self, state: bytes) -> None:
        self.steps_done = json.loads(state)["steps_done"]


def remaining(step: int, max_steps: int, rate: float) -> float:
    """The share of the way down that is left after a step: 1 before the first, 0 at the end.

    >>> [round(remaining(step, 3, 1.0), 3) for step in (0, 1, 2, 3)]
    [1.0, 0.333, 0.111, 0.0]
    """
    end = (1 + max_steps) ** -rate
    return ((1 + min(step, max_steps)) ** -rate - end) / (1 - end)
