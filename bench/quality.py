"""How well a surrogate knows what it was not told: cross-validation over configurations."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.curves import Curves
from bench.errors import UserError
from bench.seeds import canonical
from bench.surrogate import Surrogate

TINY = 1e-9
"""What a relative error is of at least."""
LEAST_RANK_CORRELATION = 0.5
"""Of predicted and recorded final losses: below it, which of two configurations the surrogate
prefers says too little."""


@dataclass(frozen=True)
class Quality:
    """Of predictions for configurations that the surrogate was not told."""

    configurations: int
    r2: float
    """Share of the variance of losses' normal scores, over all steps, that is explained."""
    rank_correlation: float
    """Spearman's, of final losses."""
    loss_error: float
    """Median relative error of final losses."""
    seconds_error: float
    """Median relative error of the seconds of a full training."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.configurations} configurations; cross-validated: R² {self.r2:.2f}, rank "
            f"correlation of final loss {self.rank_correlation:.2f}, median error of final loss "
            f"{self.loss_error:.1%}, of a training's seconds {self.seconds_error:.1%}"
        )


def quality(curves: Curves, surrogate: Surrogate) -> Quality:
    """How good predictions are, of each configuration from all others.

    Raises UserError for a table that is too poor to rank configurations by.
    """
    from scipy.stats import spearmanr

    left_out, of_seconds = surrogate.left_out()
    of, steps = surrogate.known, curves.losses.shape[1]
    scores = surrogate.outcomes.scores.there[of, :steps]
    missed = ((scores - left_out[:, :steps]) ** 2).sum()
    final, known = surrogate.outcomes.scores.back(left_out)[:, steps - 1], curves.losses[of, -1]
    spearman = spearmanr(final, known).statistic if np.ptp(known) and np.ptp(final) else 0.0
    whole = surrogate.seconds.scores.back(of_seconds)[:, 0]
    found = Quality(
        configurations=len({canonical(each) for each in curves.configurations}),
        r2=float(1 - missed / max((scores**2).sum(), 1e-300)),
        rank_correlation=float(spearman),
        loss_error=_relative(final, known),
        seconds_error=_relative(whole, curves.step_seconds[of].sum(axis=1)),
    )
    if found.rank_correlation < LEAST_RANK_CORRELATION:
        raise UserError(
            f"too poor to rank configurations by: {found}; rank correlation must be at least "
            f"{LEAST_RANK_CORRELATION}: record more configurations"
        )
    return found


def _relative(predicted: Any, known: Any) -> float:
    return float(np.median(np.abs(predicted - known) / np.maximum(np.abs(known), TINY)))
