"""A trial as the loop has it."""

from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial


class LoopTrial(Trial):
    """What schedulers use of a Ray Tune Trial, without the rest, which takes longer than a search.

    A stub as Ray's own tests have it, `Trial(…, stub=True)`, takes 20 µs to make.
    """

    last_result: Any = None
    is_saving: Any = False
    temporary_state = SimpleNamespace(ray_actor=None)

    def __init__(self, trial_id: str, config: dict[str, Any]) -> None:
        self.trial_id = trial_id
        self.config = config
        self.status = Trial.PENDING
        self.steps = 0
        """That have begun."""
        self.rehearsal: Any = None
        """Its training, from its first step until it is over."""

    def number(self) -> str:
        """By which they were begun one after the other."""
        return self.trial_id

    def set_status(self, status: str) -> None:
        self.status = status

    def is_finished(self) -> bool:
        return self.status in (Trial.ERROR, Trial.TERMINATED)

    def __repr__(self) -> str:
        return self.trial_id

    __str__ = __repr__
