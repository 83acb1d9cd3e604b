"""Why a trial failed, in one line, as far as Ray and the trial's process have left word of it."""

import re
import signal
from pathlib import Path

from ray.tune.experiment import Trial

from bench.engines._cluster import lost_a_node
from bench.engines._sharing import in_plain_words, with_kills
from bench.engines._training import hung_at, hung_file

NODE_DIED = "because its node has died"
"""Ray's words of an actor on a node that is gone."""

UNREACHABLE = "The actor is temporarily unavailable"
"""Its words before it knows whether that is so, or the process died."""


DIED = "actor died unexpectedly"
"""Its words of one whose process is gone."""


def cause_of(trial: Trial, folder: Path, max_trial_seconds: float | None, kills: int) -> str:
    """Read it off the stack of a trial that hung, or off Ray's account of the error.

    Where not the trial failed but its node, this process leaves as if it had been asked to: the
    search goes on elsewhere. `kills`: of the kernel's, for want of memory, before the search.
    """
    if why := hung_at(hung_file(folder, trial.trial_id), max_trial_seconds):
        if NODE_DIED in why:  # that of another rank
            signal.raise_signal(signal.SIGUSR1)
        return why
    error_file = Path(trial.error_file or "")
    text = error_file.read_text() if error_file.is_file() else ""
    if NODE_DIED in text or (UNREACHABLE in text and lost_a_node()):
        signal.raise_signal(signal.SIGUSR1)
    why = last_error(text.rpartition("Failure #")[2])
    return with_kills(why, kills) if DIED in why else why


def last_error(text: str) -> str:
    r"""The line of a traceback, or of Ray's account of a dead actor, that says why.

    >>> last_error("1 (occurred at ...)\nTraceback ...\n  File ...\nValueError: no\n")
    'ValueError: no'
    """
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
    said = [*lines[:1], "died without a word", *errors][-1 if errors else 0].strip()
    return in_plain_words(said)[:500]
