"""Extremely randomised trees, asked for one point at a time.

Geurts, Ernst, Wehenkel, Extremely Randomized Trees, Machine Learning 63 (2006); scikit-learn grows
them. Its own `predict` takes milliseconds for one point, and a search asks for thousands.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TREES = 100


class Forest:
    """The trees of a fitted ensemble, side by side: all go down one level at a time."""

    def __init__(self, trees: list[tuple[Array, Array, Array, Array, Array]]) -> None:
        """Of each tree: features, thresholds, left and right children (-1: a leaf), values."""
        sizes = [len(features) for features, *_ in trees]
        self._roots = np.cumsum([0, *sizes[:-1]])
        features, thresholds, children = [], [], []
        for root, (feature, threshold, left, right, _) in zip(self._roots, trees, strict=True):
            itself = np.arange(len(feature))
            leaf = left < 0
            features.append(np.where(leaf, 0, feature))
            thresholds.append(np.where(leaf, np.inf, threshold))
            both = np.stack([np.where(leaf, itself, left), np.where(leaf, itself, right)], axis=1)
            children.append(both + root)
        self._features = np.concatenate(features).astype(np.intp)
        self._thresholds = np.concatenate(thresholds)
        self._children = np.concatenate(children).ravel().astype(np.intp)
        self._values = np.concatenate([values for *_, values in trees])

    def predict(self, point: NDArray[np.float32]) -> Array:
        """The mean of the trees' values, (outputs,), at a point of shape (d,)."""
        nodes = self._roots
        while True:
            right = point.take(self._features.take(nodes)) > self._thresholds.take(nodes)
            below = self._children.take(2 * nodes + right)
            if (below == nodes).all():
                return self._values.take(nodes, axis=0).mean(axis=0)  # type: ignore[no-any-return]
            nodes = below


def fit(points: Array, targets: Array) -> Forest:
    """Grow trees on points (n, d) and what is known there (n, outputs).

    A leaf is one point, or several of equal targets: at a recorded point all trees agree.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    grown = ExtraTreesRegressor(n_estimators=TREES, max_features=1.0, random_state=0)
    outputs = targets.shape[1]
    grown.fit(points, targets if outputs > 1 else targets.ravel())
    return Forest(
        [
            (
                tree.tree_.feature,
                tree.tree_.threshold,
                tree.tree_.children_left,
                tree.tree_.children_right,
                tree.tree_.value.reshape(-1, outputs),
            )
            for tree in grown.estimators_
        ]
    )
