"""A user's algorithm whose library is asked to leave in a moment when it ignores exceptions."""

import os
import signal
from contextlib import suppress
from typing import Any

from bench.algorithm import Algorithm, Problem


class Ignoring(Algorithm):
    def ray(self, problem: Problem) -> tuple[Any, Any]:
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._random import RandomSearcher

        class Deaf(RandomSearcher):
            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                with suppress(KeyboardInterrupt):
                    os.kill(os.getpid(), signal.SIGTERM)

        return Deaf(problem), FIFOScheduler()
