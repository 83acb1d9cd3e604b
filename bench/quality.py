"""How well a surrogate knows what it was not told: cross-validation over configurations."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.curves import Curves
from bench.encoding import CubeEncoding
from bench.errors import UserError
from bench.forest import Forest
from bench.seeds import canonical
from bench.surrogate import TINY, HeldOut, scales, targets

FOLDS = 5
LEAST_RANK_CORRELATION = 0.5
"""Of predicted and recorded final losses: below it, which of two configurations the surrogate
prefers says too little."""


@dataclass(frozen=True)
class Quality:
    """Of predictions for configurations that the surrogate was not told."""

    configurations: int
    r2: float
    """Share of the variance of losses, over all steps, on the scale on which they are predicted
    (logarithmic where all are positive), that is explained."""
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


def held_out(curves: Curves) -> HeldOut:
    """Cross-validate: predict each training by forests that know none of its configuration."""
    from sklearn.model_selection import GroupKFold

    cube = CubeEncoding(curves.space)
    points = np.array([cube.encode(each) for each in curves.configurations])
    outcomes, log_seconds = targets(curves, scales(curves)), np.log(curves.step_seconds + TINY)
    groups = [canonical(each) for each in curves.configurations]
    found = HeldOut(np.empty_like(outcomes), np.empty_like(log_seconds))
    folds = GroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=0)
    for told, asked in folds.split(points, groups=groups):
        forest = Forest(points[told], outcomes[told], log_seconds[told])
        for index in asked:
            point = points[index].astype(np.float32)
            found.outcomes[index], found.log_seconds[index] = forest.predict(point)
    return found


def quality(curves: Curves, predicted: HeldOut) -> Quality:
    """How good held-out predictions are.

    Raises UserError for a table that is too poor to rank configurations by.
    """
    from scipy.stats import spearmanr

    scale = scales(curves)[0]
    losses, guessed = scale.there(curves.losses), predicted.outcomes[:, : curves.losses.shape[1]]
    r2 = 1 - ((losses - guessed) ** 2).sum() / max(
        ((losses - losses.mean(axis=0)) ** 2).sum(), 1e-300
    )
    final, known = scale.back(guessed[:, -1]), curves.losses[:, -1]
    spearman = spearmanr(final, known).statistic if np.ptp(known) and np.ptp(final) else 0.0
    whole, recorded = np.exp(predicted.log_seconds).sum(axis=1), curves.step_seconds.sum(axis=1)
    found = Quality(
        configurations=len({canonical(each) for each in curves.configurations}),
        r2=float(r2),
        rank_correlation=float(spearman),
        loss_error=_relative(final, known),
        seconds_error=_relative(whole, recorded),
    )
    if found.rank_correlation < LEAST_RANK_CORRELATION:
        raise UserError(
            f"too poor to rank configurations by: {found}; rank correlation must be at least "
            f"{LEAST_RANK_CORRELATION}: record more configurations"
        )
    return found


def _relative(predicted: Any, known: Any) -> float:
    return float(np.median(np.abs(predicted - known) / np.maximum(np.abs(known), TINY)))
