"""A Gaussian process over points of a cube, and functions drawn from what it knows.

A function is drawn by pathwise conditioning: one of the prior, as random Fourier features (Rahimi
and Recht, NeurIPS 2007), and the update that takes it through what was observed. Wilson,
Borovitskiy, Terenin, Mostowsky, Deisenroth, Efficiently Sampling Functions from Gaussian Process
Posteriors, ICML 2020, https://arxiv.org/abs/2002.09309. The kernel is fitted by scikit-learn.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
"""From a point (d,) to values (outputs,)."""

FEATURES = 1024
"""Cosines of which a function of the prior consists."""
MOST_FITTED = 512
"""Observations that the kernel is fitted to, which takes time with their cube."""


@dataclass(frozen=True)
class Kernel:
    """Matérn 3/2 with a length scale for each coordinate, and the variance of an observation."""

    variance: float
    length_scales: tuple[float, ...]
    noise: float

    def __call__(self, points: Array, others: Array) -> Array:
        """Covariances, (n, m), of the function at points (n, d) and (m, d)."""
        scaled, other = points / self.length_scales, others / self.length_scales
        squares = (scaled**2).sum(1)[:, None] + (other**2).sum(1) - 2 * scaled @ other.T
        return self.of(np.sqrt(3 * np.maximum(squares, 0.0)))

    def of(self, distances: Array) -> Array:
        """The covariance at √3 times a scaled distance."""
        covariances: Array = self.variance * (1 + distances) * np.exp(-distances)
        return covariances


def fitted(points: Array, values: Array) -> Kernel:
    """The kernel under which values (n,) at points (n, d) are likeliest.

    To two digits, so that machines that round differently agree on it.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    rows = some(len(points), MOST_FITTED)
    each = Matern(np.full(points.shape[1], 2.0), (0.2, 50.0), nu=1.5)
    guess = ConstantKernel(1.0, (0.01, 100.0)) * each + WhiteKernel(0.1, (1e-4, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a coordinate that changes nothing
        found = GaussianProcessRegressor(guess).fit(points[rows], values[rows]).kernel_
    return Kernel(
        variance=_rounded(found.k1.k1.constant_value),
        length_scales=tuple(map(_rounded, np.atleast_1d(found.k1.k2.length_scale))),
        noise=_rounded(found.k2.noise_level),
    )


class Field:
    """What is known of a function with several outputs, observed at points with noise.

    `values` (n, outputs) are each of mean 0 and of much the same variance; functions and noise
    vary together in them as the values do.
    """

    def __init__(self, kernel: Kernel, points: Array, values: Array) -> None:
        self.kernel, self._points, self._values = kernel, points, values
        self._scaled = self._points / kernel.length_scales
        self._squares = (self._scaled**2).sum(axis=1)
        covariance = kernel(self._points, self._points) + kernel.noise * np.eye(len(points))
        self._precision = np.linalg.inv(covariance)
        weights, directions = np.linalg.eigh(values.T @ values / len(values))
        self._mixing = (directions * np.sqrt(np.maximum(weights, 0.0))).T
        generator = np.random.default_rng(0)
        normal = generator.standard_normal((points.shape[1], FEATURES))
        heavy = np.sqrt(3 / generator.chisquare(3, FEATURES))  # Matérn 3/2: t with 3 degrees
        self._frequencies = normal * heavy / np.array(kernel.length_scales)[:, None]
        self._phases = generator.uniform(0, 2 * np.pi, FEATURES)

    def draw(self, seed: int) -> Function:
        """A function that may well be the one that was observed: the same for the same seed."""
        generator = np.random.default_rng(seed)
        amplitude = np.sqrt(2 * self.kernel.variance / FEATURES)
        weights = amplitude * self._normal(generator, FEATURES)
        prior = np.cos(self._points @ self._frequencies + self._phases) @ weights
        noise = self._noise(generator, len(self._points))
        update = self._precision @ (self._values - prior - noise)
        scales, frequencies, phases = self.kernel.length_scales, self._frequencies, self._phases
        scaled, squares = self._scaled, self._squares

        def function(point: Array) -> Array:
            here = point / scales
            distances = np.sqrt(3 * np.maximum(squares - 2 * (scaled @ here) + here @ here, 0.0))
            features = np.cos(point @ frequencies + phases)
            values: Array = features @ weights + self.kernel.of(distances) @ update
            return values

        return function

    def noise(self, seed: int, count: int) -> Array:
        """What observations deviate by from the function: so many draws, (count, outputs)."""
        return self._noise(np.random.default_rng(seed), count)

    def without(self, groups: list[list[int]]) -> Array:
        """Of each observation what is expected from those of all other groups, (n, outputs).

        In closed form, with this kernel: Rasmussen and Williams, Gaussian Processes for Machine
        Learning, 2006, equation 5.12, for several left out at a time.
        """
        pulled, expected = self._precision @ self._values, np.empty_like(self._values)
        for rows in groups:
            own = np.linalg.inv(self._precision[np.ix_(rows, rows)])
            expected[rows] = self._values[rows] - own @ pulled[rows]
        return expected

    def _noise(self, generator: np.random.Generator, count: int) -> Array:
        deviation = np.sqrt(self.kernel.noise)
        return deviation * self._normal(generator, count)

    def _normal(self, generator: np.random.Generator, count: int) -> Array:
        """Independent draws, (count, outputs), whose outputs vary together as the values do."""
        drawn: Array = generator.standard_normal((count, len(self._mixing))) @ self._mixing
        return drawn


def some(count: int, most: int) -> NDArray[np.intp]:
    """At most so many of `count` rows, always the same ones, in their order."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _rounded(value: float) -> float:
    return float(f"{value:.1e}")
