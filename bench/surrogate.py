"""A learning curve for every configuration, from the recorded ones.

As in Eggensperger, Hutter, Hoos, Leyton-Brown, Efficient Benchmarking of Hyperparameter Optimizers
via Surrogates, AAAI 2015: a model predicts what was not recorded. What was recorded comes back.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.curves import Array, Curves
from bench.encoding import CubeEncoding
from bench.errors import UserError
from bench.field import Field, Function, Kernel, fitted, some
from bench.scores import Scores
from bench.seeds import canonical, derive, training_seed

MOST_KEPT = 32_768
"""Predictions, of some hundred bytes each."""
MOST_KNOWN = 2048
"""Trainings that predictions rest on: what they cost grows with their number. Of more, so many are
taken at random."""
CHANCES = 4096
"""Draws of what two trainings of the same configuration differ by."""


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

    A configuration that was recorded is trained again as it was, with one of the seeds that it was
    recorded with. For all others there are two Gaussian processes, of the normal scores (see
    Scores) of losses and metrics and of seconds. The searches of a seed meet a function that is
    drawn from them: where a mean of all that may be would be too smooth, with no configuration as
    good as the best for real, a drawn function has just as good and bad ones as were recorded, and
    neighbours are alike. To it comes the noise of an observation, by (configuration, seed).
    """

    def __init__(self, curves: Curves, objective: str, worst_loss: float) -> None:
        self._objective, self._worst_loss = objective, worst_loss
        self._configurations = curves.configurations
        self._cube = CubeEncoding(curves.space)
        self._names = ["loss", *measured(curves)]
        self._steps = curves.losses.shape[1]
        self._recorded = _groups(curves.configurations)
        points = np.array([self._cube.encode(each) for each in curves.configurations])
        self.known = some(len(points), MOST_KNOWN)
        kernels = curves.about.get("kernels", {})
        self.outcomes, self.seconds = (
            Known(points, values, self.known, main, losses, kernels.get(name))
            for name, values, main, losses in (
                ("outcomes", outcomes(curves), self._steps - 1, self._steps),
                ("seconds", seconds(curves), 0, 0),
            )
        )
        self._predicted: dict[tuple[str, int], tuple[Array, Array]] = {}
        self.cold_start, self._warm = _starts(curves)

    def left_out(self) -> tuple[Array, Array]:
        """Scores of outcomes and seconds: what is expected of each `known` training from others.

        From those of all other configurations.
        """
        groups = [*_groups([self._configurations[row] for row in self.known]).values()]
        return self.outcomes.field.without(groups), self.seconds.field.without(groups)

    def kernels(self) -> dict[str, dict[str, Any]]:
        """Those of both processes, for a table's metadata."""
        both = {"outcomes": self.outcomes, "seconds": self.seconds}
        return {name: asdict(each.field.kernel) for name, each in both.items()}

    def curve(self, configuration: dict[str, Any], seed: int) -> Curve:
        """The training of a configuration in the searches of a seed: always the same."""
        name = canonical(configuration)
        drawn = training_seed(self._objective, seed, configuration)
        if (rows := self._recorded.get(name)) is not None:
            row = rows[drawn % len(rows)]
            found, of_steps = self.outcomes.values[row], self.seconds.values[row]
        else:
            found, of_steps = self._predict(name, configuration, seed, drawn)
        columns = found[:-1].reshape(len(self._names), self._steps).copy()
        columns[0] = np.minimum(columns[0], self._worst_loss)
        if (end := round(float(found[-1]))) < self._steps:
            columns[0, end - 1 :] = np.nan
        return Curve(
            values=[dict(zip(self._names, row, strict=True)) for row in columns.T.tolist()],
            step_seconds=of_steps[1:].tolist(),
            start=self._warm[drawn // 1009 % len(self._warm)],
        )

    def _predict(
        self, name: str, configuration: dict[str, Any], seed: int, drawn: int
    ) -> tuple[Array, Array]:
        """Outcomes and seconds; searches at other GPU counts ask for the same again."""
        if (known := self._predicted.get((name, seed))) is not None:
            return known
        if len(self._predicted) == MOST_KEPT:
            self._predicted.clear()
        point = self._cube.encode(configuration)
        found = self._predicted[name, seed] = (
            self.outcomes.of(point, derive("outcomes", self._objective, seed), drawn),
            self.seconds.of(point, derive("seconds", self._objective, seed), drawn),
        )
        return found


class Known:
    """Values, (trainings, columns), as recorded; and at every point, by Gaussian process.

    The process knows the trainings in the rows `known`. If there is no `kernel` (what `fitted`
    returns, as a dictionary), it is fitted: to the column `main`, which takes seconds. The first
    columns are `losses`, which may be better than what was recorded.
    """

    def __init__(
        self,
        points: Array,
        values: Array,
        known: NDArray[np.intp],
        main: int,
        losses: int,
        kernel: dict[str, Any] | None,
    ) -> None:
        self.values, self.scores = values, Scores(values, losses)
        points, there = points[known], self.scores.there[known]
        of = fitted(points, there[:, main]) if kernel is None else _kernel(kernel, points.shape[1])
        self.field = Field(of, points, there)
        self._chances = self.field.noise(0, CHANCES)
        self._functions: dict[int, Function] = {}

    def of(self, point: Array, function: int, chance: int) -> Array:
        """Values at a point: of the function of this number, with this draw of the noise."""
        drawn = self._functions.get(function)
        if drawn is None:
            drawn = self._functions[function] = self.field.draw(function)
        return self.scores.back(drawn(point) + self._chances[chance % CHANCES])


def _kernel(found: dict[str, Any], dimensions: int) -> Kernel:
    """One that a table's metadata has; UserError if it is none, or that of another space."""
    try:
        variance, noise = float(found["variance"]), float(found["noise"])
        length_scales = tuple(map(float, found["length_scales"]))
        if len(length_scales) == dimensions and min(variance, noise, *length_scales) > 0:
            return Kernel(variance, length_scales, noise)
    except (KeyError, TypeError, ValueError):
        pass
    raise UserError(
        f"metadata kernels: must have a variance, a noise and {dimensions} length_scales, all more "
        "than 0; without kernels in the metadata they are fitted"
    )


def measured(curves: Curves) -> list[str]:
    """The metrics that were recorded."""
    return [name for name, values in curves.metrics.items() if not np.isnan(values).all()]


def outcomes(curves: Curves) -> Array:
    """Losses and metrics of all steps, and the step at which a training ended.

    (trainings, quantities · steps + 1). A metric that is missing (the training had diverged) counts
    as its least recorded value.
    """
    columns = [curves.losses]
    for name in measured(curves):
        values = curves.metrics[name]
        columns.append(np.where(np.isnan(values), np.nanmin(values), values))
    return np.hstack([*columns, curves.ends[:, None].astype(float)])


def seconds(curves: Curves) -> Array:
    """Of a whole training, and of each of its steps: (trainings, 1 + steps)."""
    return np.hstack([curves.step_seconds.sum(axis=1, keepdims=True), curves.step_seconds])


def _groups(configurations: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The rows of each configuration."""
    found: dict[str, list[int]] = {}
    for row, configuration in enumerate(configurations):
        found.setdefault(canonical(configuration), []).append(row)
    return found


def _starts(curves: Curves) -> tuple[Start, list[Start]]:
    """The median start of a trial in a new process; all those in one that was there."""
    both = np.stack([curves.start_seconds, curves.setup_seconds], axis=1)
    cold, warm = both[curves.cold], both[~curves.cold]
    if not len(warm):
        warm = cold
    usual = np.median(cold if len(cold) else warm, axis=0)
    return Start(*usual.tolist()), [Start(*each) for each in warm.tolist()]
