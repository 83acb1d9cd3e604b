"""A learning curve for every configuration, from the recorded ones.

As in Eggensperger, Hutter, Hoos, Leyton-Brown, Efficient Benchmarking of Hyperparameter Optimizers
via Surrogates, AAAI 2015: trees predict what was not recorded. What was recorded they give back.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.curves import Array, Curves
from bench.encoding import CubeEncoding
from bench.forest import Forest
from bench.seeds import canonical, training_seed

NEIGHBOURS = 10
"""One of so many lends a curve what is chance in it: those whose final losses are nearest."""

MOST_KEPT = 32_768
"""Predictions, of about a kilobyte each."""


class HeldOut(NamedTuple):
    """What was predicted of each training without its configuration's own (bench/quality.py)."""

    outcomes: Array
    """(trainings, quantities · steps), as `targets`."""
    log_seconds: Array
    """(trainings, steps)."""


class Start(NamedTuple):
    """What passes between the decision to train and the begin of the first step."""

    seconds: float
    setup_seconds: float
    """Of those: to build the training."""


@dataclass(frozen=True)
class Curve:
    """One training: what each step returns, and how long it takes."""

    values: list[dict[str, float]]
    """Of each step: loss and metrics; the loss is NaN where the training diverges."""
    step_seconds: list[float]
    start: Start
    """In a process that has trained before."""


class Surrogate:
    """Has the training of any configuration, with any seed.

    One forest for the losses and metrics of all steps, one for their seconds: each predicts the
    logarithm of a quantity that is always positive. Predicted losses alone would vary less than
    those of trainings do, and no search would find as good a one as for real; so what
    cross-validation says that predictions miss is put back by chance, which is a function of
    (configuration, seed):

    - to a configuration that was not recorded, the error of a held-out prediction of losses and
      metrics: of one of those NEIGHBOURS whose predicted final loss is nearest;
    - to one that was recorded, the deviation (also of seconds) of one of the nearest that were
      trained with several seeds; nothing, if none was.
    """

    def __init__(
        self, curves: Curves, held_out: HeldOut, objective: str, worst_loss: float
    ) -> None:
        self._objective, self._worst_loss = objective, worst_loss
        self._cube = CubeEncoding(curves.space)
        self._scales = scales(curves)
        self._steps = curves.losses.shape[1]
        points = np.array([self._cube.encode(each) for each in curves.configurations])
        outcomes = targets(curves, self._scales), np.log(curves.step_seconds + TINY)
        self._recorded = {canonical(each) for each in curves.configurations}
        errors = outcomes[0] - held_out.outcomes
        self._missed = np.hstack([errors, np.zeros_like(outcomes[1])])
        self._held_out_final = held_out.outcomes[:, self._steps - 1]
        self._diverges = bool((curves.ends < self._steps).any())
        """Whether a recorded training did."""
        ended = (curves.ends[:, None] <= np.arange(1, self._steps)).astype(float)
        self._forest = Forest(points, *outcomes, *([ended] if self._diverges else []))
        self._predicted: dict[str, list[Array]] = {}
        self.cold_start, self._warm = _starts(curves)
        self._final, self._deviations = _deviations(curves, self._scales)

    def curve(self, configuration: dict[str, Any], seed: int) -> Curve:
        """The training of a configuration in the searches of a seed: always the same."""
        name = canonical(configuration)
        outcomes, log_seconds, *ended = self._predict(name, configuration)
        drawn = training_seed(self._objective, seed, configuration)
        chance = self._chance(name, float(outcomes[self._steps - 1]), drawn)
        if chance is not None:
            outcomes = outcomes + chance[: len(outcomes)]
            log_seconds = log_seconds + chance[len(outcomes) :]
        columns = {}
        for index, scale in enumerate(self._scales):
            columns[scale.name] = scale.back(
                outcomes[index * self._steps : (index + 1) * self._steps]
            )
        columns["loss"] = np.minimum(columns["loss"], self._worst_loss)
        if self._diverges and (over := np.flatnonzero(ended[0] > 0.5)).size:  # most trees say so
            columns["loss"][over[0] :] = np.nan
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return Curve(
            values=[dict(zip(columns, row, strict=True)) for row in rows],
            step_seconds=np.exp(log_seconds).tolist(),
            start=self._warm[drawn // 1009 % len(self._warm)],
        )

    def _predict(self, name: str, configuration: dict[str, Any]) -> list[Array]:
        """What the trees say of a configuration; searches at other GPU counts ask for it again."""
        if (known := self._predicted.get(name)) is not None:
            return known
        if len(self._predicted) == MOST_KEPT:
            self._predicted.clear()
        point = self._cube.encode(configuration).astype(np.float32)
        found = self._predicted[name] = self._forest.predict(point)
        return found

    def _chance(self, configuration: str, final: float, drawn: int) -> Array | None:
        """What is added to all that is predicted."""
        if configuration not in self._recorded:
            return self._missed[_near(self._held_out_final, final, drawn)]  # type: ignore[no-any-return]
        if not len(self._final):
            return None
        deviations = self._deviations[_near(self._final, final, drawn)]
        return deviations[drawn // NEIGHBOURS % len(deviations)]  # type: ignore[no-any-return]


def _near(known: Array, wanted: float, drawn: int) -> int:
    """The index of one of the NEIGHBOURS nearest values: the one that was drawn."""
    count = min(NEIGHBOURS, len(known))
    nearest = np.argpartition(np.abs(known - wanted), count - 1)[:count]
    nearest.sort()
    return int(nearest[drawn % count])


TINY = 1e-9
"""Seconds that a step takes at least, so that it has a logarithm."""


@dataclass(frozen=True)
class Scale:
    """On which scale a quantity is predicted: logarithmic, within what was recorded, or neither."""

    name: str
    log: bool
    least: float
    most: float

    def there(self, values: Array) -> Array:
        return np.log(values) if self.log else values

    def back(self, values: Array) -> Array:
        back = np.exp(values) if self.log else values
        return back if self.name == "loss" else np.minimum(np.maximum(back, self.least), self.most)


def scales(curves: Curves) -> list[Scale]:
    """Losses on a logarithmic scale if all are positive; metrics as they are, within bounds."""
    found = [Scale("loss", bool((curves.losses > 0).all()), 0.0, 0.0)]
    for name, values in curves.metrics.items():
        if not np.isnan(values).all():
            found.append(Scale(name, False, float(np.nanmin(values)), float(np.nanmax(values))))
    return found


def targets(curves: Curves, on: list[Scale]) -> Array:
    """What the forest of losses predicts: (trainings, quantities · steps).

    A metric that is missing (the training had diverged) counts as its least recorded value.
    """
    columns = [on[0].there(curves.losses)]
    for scale in on[1:]:
        values = curves.metrics[scale.name]
        columns.append(np.where(np.isnan(values), scale.least, values))
    return np.hstack(columns)


def _starts(curves: Curves) -> tuple[Start, list[Start]]:
    """The median start of a trial in a new process; all those in one that was there."""
    both = np.stack([curves.start_seconds, curves.setup_seconds], axis=1)
    cold, warm = both[curves.cold], both[~curves.cold]
    if not len(warm):
        warm = cold
    usual = np.median(cold if len(cold) else warm, axis=0)
    return Start(*usual.tolist()), [Start(*each) for each in warm.tolist()]


def _deviations(curves: Curves, on: list[Scale]) -> tuple[Array, list[NDArray[Any]]]:
    """Of each configuration with several seeds: its mean final loss, and each seed's deviation.

    A deviation is of everything that is predicted, scaled by √(n / (n - 1)) so that its variance is
    that of a training, not that around the mean of n.
    """
    everything = np.hstack([targets(curves, on), np.log(curves.step_seconds + TINY)])
    groups: dict[str, list[int]] = {}
    for index, configuration in enumerate(curves.configurations):
        groups.setdefault(canonical(configuration), []).append(index)
    several = [everything[rows] for rows in groups.values() if len(rows) > 1]
    last = curves.losses.shape[1] - 1
    return (
        np.array([rows[:, last].mean() for rows in several]),
        [(rows - rows.mean(axis=0)) * np.sqrt(len(rows) / (len(rows) - 1)) for rows in several],
    )
