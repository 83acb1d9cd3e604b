"""Extremely randomised trees, asked for one point at a time.

Geurts, Ernst, Wehenkel, Extremely Randomized Trees, Machine Learning 63 (2006); scikit-learn grows
them. Its own `predict` takes milliseconds for one point, and a search asks for thousands.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TREES = 100


class Forest:
    """An ensemble for each of several targets; all their trees go down one level at a time.

    Of targets known at the same points (n, d), each (n, outputs): a leaf is one point, or several
    of equal targets, so that at a recorded point all trees agree.
    """

    def __init__(self, points: Array, *targets: Array) -> None:
        trees = [tree for target in targets for tree in _grown(points, target)]
        sizes = [tree.node_count for tree in trees]
        self._roots = np.cumsum([0, *sizes[:-1]])
        self._levels = max(tree.max_depth for tree in trees)
        leaves = [tree.children_left < 0 for tree in trees]
        features = [np.where(leaf, 0, t.feature) for t, leaf in zip(trees, leaves, strict=True)]
        self._features = np.concatenate(features).astype(np.intp)
        self._thresholds = np.concatenate(
            [np.where(leaf, np.inf, t.threshold) for t, leaf in zip(trees, leaves, strict=True)]
        )
        self._children = np.concatenate(
            [_children(tree, root) for tree, root in zip(trees, self._roots, strict=True)]
        )
        self._values = []
        for index, target in enumerate(targets):
            of_target = trees[index * TREES : (index + 1) * TREES]
            values = [tree.value.reshape(-1, target.shape[1]) for tree in of_target]
            self._values.append(np.concatenate(values))
        self._firsts = [int(self._roots[index * TREES]) for index in range(len(targets))]

    def predict(self, point: NDArray[np.float32]) -> list[Array]:
        """Of each target, the median of its trees' values, (outputs,), at a point of shape (d,).

        Losses are often either of trainings that learn or of those that do not: a mean of both is
        the loss of neither.
        """
        nodes = self._roots
        for _ in range(self._levels):
            right = point.take(self._features.take(nodes)) > self._thresholds.take(nodes)
            nodes = self._children.take(2 * nodes + right)
        return [
            _median(values.take(nodes[index * TREES : (index + 1) * TREES] - first, axis=0))
            for index, (values, first) in enumerate(zip(self._values, self._firsts, strict=True))
        ]


def _median(values: Array) -> Array:
    """Over the first axis, whose length is even: as `np.median`, which takes twice as long."""
    half = len(values) // 2
    parted = np.partition(values, (half - 1, half), axis=0)
    return (parted[half - 1] + parted[half]) / 2  # type: ignore[no-any-return]


def _grown(points: Array, target: Array) -> list[Any]:
    from sklearn.ensemble import ExtraTreesRegressor

    ensemble = ExtraTreesRegressor(n_estimators=TREES, max_features=1.0, random_state=0)
    ensemble.fit(points, target if target.shape[1] > 1 else target.ravel())
    return [tree.tree_ for tree in ensemble.estimators_]


def _children(tree: Any, root: int) -> NDArray[np.intp]:
    """Left and right child of each node, in turn; a leaf's are itself."""
    leaf, itself = tree.children_left < 0, np.arange(tree.node_count)
    children = [np.where(leaf, itself, each) for each in (tree.children_left, tree.children_right)]
    return (np.stack(children, axis=1).ravel() + root).astype(np.intp)
