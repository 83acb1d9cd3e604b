"""A mixed, conditional search space as a unit cube, for models that know only real numbers."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.space import Parameter, active, parameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

Array = NDArray[np.float64]
INACTIVE = 0.5
"""Every coordinate of a parameter that its conditions switch off."""


class CubeEncoding:
    """Each point of [0, 1]^d stands for one configuration; many points for the same one.

    A float or an integer is one coordinate: linear or logarithmic, an integer's values each a cell
    (of equal width, if linear). A choice among k > 1 is k coordinates, of which the greatest wins;
    a constant is none. `snap` moves points to the one that stands for their configuration: the
    integer itself on its scale, a corner (0, …, 1, …, 0) for a choice, INACTIVE for what its
    conditions switch off.

    A model that is told snapped points and asked for snapped points is one with the kernel
    k(T(x), T(x')) of Garrido-Merchán & Hernández-Lobato, Dealing with categorical and
    integer-valued variables in Bayesian Optimization with Gaussian processes, Neurocomputing 380
    (2020), https://arxiv.org/abs/1805.03463: it is constant where the objective is.

    >>> import ConfigSpace as cs
    >>> space = cs.ConfigurationSpace({"lr": cs.Float("lr", (1e-4, 1.0), log=True), "n": (1, 4)})
    >>> cube = CubeEncoding(space)
    >>> cube.decode(np.array([1.0, 0.3]))
    {'lr': 1.0, 'n': 2}
    >>> cube.encode({"lr": 1.0, "n": 2}).tolist()
    [1.0, 0.375]
    """

    def __init__(self, space: "ConfigurationSpace") -> None:
        self.space = space
        self.dimensions = 0
        self._axes: dict[str, _Axis] = {}
        for parameter in parameters(space):
            axis = _Axis(parameter, self.dimensions)
            self._axes[parameter.name] = axis
            self.dimensions += axis.width

    def decode(self, point: Array) -> dict[str, Any]:
        """The configuration that a point of shape (d,) stands for: its active parameters."""
        rows = point.reshape(1, -1)
        return active(
            self.space, {name: axis.value(axis.read(rows)[0]) for name, axis in self._axes.items()}
        )

    def encode(self, configuration: dict[str, Any]) -> Array:
        """The snapped point, of shape (d,), that stands for a configuration."""
        point = np.full(self.dimensions, INACTIVE)
        for name, value in configuration.items():
            self._axes[name].put(point, value)
        return point

    def snap(self, points: Array) -> Array:
        """`encode(decode(point))` of each row of `points`, of shape (n, d)."""
        snapped = np.empty(points.shape)
        codes: dict[str, list[Any]] = {}
        for name, axis in self._axes.items():
            read = axis.read(points)
            snapped[:, axis.where] = axis.write(read)
            codes[name] = read.tolist()
            if self.space.parent_conditions_of[name]:
                on = self._switched_on(name, codes)
                snapped[np.logical_not(on), axis.where] = INACTIVE
                codes[name] = [
                    code if is_on else None for code, is_on in zip(codes[name], on, strict=True)
                ]
        return snapped

    def _switched_on(self, name: str, codes: dict[str, list[Any]]) -> list[bool]:
        """Where a conditional parameter is active, given its parents' codes (None: inactive)."""
        from ConfigSpace.types import NotSet

        parents = [each.name for each in self.space.parents_of[name]]
        conditions = self.space.parent_conditions_of[name]
        rows = list(zip(*(codes[parent] for parent in parents), strict=True))
        met = {}
        for row in set(rows):
            values = {
                parent: NotSet if code is None else self._axes[parent].value(code)
                for parent, code in zip(parents, row, strict=True)
            }
            met[row] = all(condition.satisfied_by_value(values) for condition in conditions)
        return [met[row] for row in rows]


class _Axis:
    """One parameter's coordinates. Its codes are a number's values or a choice's indices."""

    def __init__(self, parameter: Parameter, first: int) -> None:
        self._parameter = parameter
        choices = len(parameter.choices)
        self.width = 1 if choices == 0 else choices if choices > 1 else 0
        self.where = slice(first, first + self.width)
        self._corners = np.eye(choices)[:, : self.width]
        half_cell = 0.5 if parameter.kind == "int" else 0.0
        self._start, self._end = parameter.lower - half_cell, parameter.upper + half_cell
        if parameter.log:
            self._start, self._end = math.log(self._start), math.log(self._end)

    def read(self, points: Array) -> NDArray[Any]:
        """The codes, of shape (n,), of points of shape (n, d)."""
        block = points[:, self.where]
        if self._parameter.kind == "choice":
            return block.argmax(axis=1) if self.width else np.zeros(len(points), dtype=int)
        numbers = self._start + block[:, 0] * (self._end - self._start)
        numbers = np.exp(numbers) if self._parameter.log else numbers
        numbers = np.rint(numbers) if self._parameter.kind == "int" else numbers
        return np.minimum(np.maximum(numbers, self._parameter.lower), self._parameter.upper)

    def write(self, codes: NDArray[Any]) -> Array:
        """The coordinates, of shape (n, width), that stand for codes of shape (n,)."""
        if self._parameter.kind == "choice":
            return self._corners[codes]
        numbers = np.log(codes) if self._parameter.log else codes
        return ((numbers - self._start) / (self._end - self._start)).reshape(-1, 1)

    def value(self, code: float) -> Any:
        """The value that a code stands for."""
        if self._parameter.kind == "choice":
            return self._parameter.choices[int(code)]
        return int(code) if self._parameter.kind == "int" else float(code)

    def put(self, point: Array, value: Any) -> None:
        """Write a value's coordinates into a point of shape (d,)."""
        if self._parameter.kind == "choice":
            point[self.where] = self._corners[self._parameter.choices.index(value)]
        else:
            number = np.log(value) if self._parameter.log else value
            point[self.where.start] = (number - self._start) / (self._end - self._start)
