"""Regression trees of scikit-learn that are grown, as arrays, and what they predict without scikit-learn."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from harness.arrays import Mask, Reals, Whole

_Tree = tuple[Mask, Whole, Reals, Whole, Whole, Reals]
"""Of each node, whether it is a leaf, its feature, threshold, left and right child, and value."""


class TreeArrays:
    """Trees whose leaves are added up or averaged; predictions are those of scikit-learn, to the last bit.

    Args:
        roots: first node of each tree, shape `(n_trees,)`.
        feature: feature that each node splits by, shape `(n_nodes,)`.
        threshold: value up to which rows go left.
        children: nodes on the left and right of each; a leaf is its own, shape `(n_nodes, 2)`.
        value: what each leaf predicts.
        start: what predictions are added to.
        is_mean: whether the sum is divided by the number of trees.
        is_single: whether features are rounded to single precision, as forests do.
    """

    def __init__(
        self,
        roots: Whole,
        feature: Whole,
        threshold: Reals,
        children: Whole,
        value: Reals,
        *,
        start: float = 0.0,
        is_mean: bool = False,
        is_single: bool = False,
    ) -> None:
        self.roots, self.feature, self.threshold = roots, feature, threshold
        self.children, self.value, self.start = children, value, start
        self.is_mean, self.is_single = is_mean, is_single

    @classmethod
    def of_forest(cls, trees: Sequence[Any]) -> Self:
        """Mean of trees of `sklearn.tree`."""
        parts = [
            (tree.children_left < 0, tree.feature, tree.threshold, tree.children_left, tree.children_right, tree.value)
            for tree in trees
        ]
        return cls(*_joined([(*part[:-1], part[-1][:, 0, 0]) for part in parts]), is_mean=True, is_single=True)

    @classmethod
    def of_boosting(cls, boosting: Any) -> Self:
        """Sum of the trees of a fitted `HistGradientBoostingRegressor` of squared errors."""
        nodes = [tree.nodes for (tree,) in boosting._predictors]
        names = ("is_leaf", "feature_idx", "num_threshold", "left", "right", "value")
        parts = [tuple(each[name] for name in names) for each in nodes]
        return cls(*_joined(parts), start=float(boosting._baseline_prediction[0, 0]))

    def predict(self, X: Reals) -> Reals:  # noqa: N803
        """Prediction of every row, shape `(n,)`."""
        given = X.astype(np.float32).astype(np.float64) if self.is_single else X
        rows = np.arange(len(given))[:, None]
        nodes = np.tile(self.roots, (len(given), 1))
        while True:
            is_right = given[rows, self.feature[nodes]] > self.threshold[nodes]
            below = self.children[nodes, is_right.astype(np.int64)]
            if np.array_equal(below, nodes):
                break
            nodes = below
        total = np.full(len(given), self.start)
        for leaves in nodes.T:
            total += self.value[leaves]
        return total / len(self.roots) if self.is_mean else total


def _joined(
    trees: Sequence[tuple[Mask, Whole, Reals, Whole, Whole, Reals]],
) -> tuple[Whole, Whole, Reals, Whole, Reals]:
    """Roots, features, thresholds, children and values of trees as one array each.

    Args:
        trees: nodes of each tree.
    """
    sizes = np.array([len(tree[0]) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    is_leaf, feature, threshold, left, right, value = (np.concatenate(part) for part in zip(*trees, strict=True))
    offset = np.repeat(roots, sizes)
    own = np.arange(len(offset))
    children = np.column_stack([np.where(is_leaf, own, side.astype(np.int64) + offset) for side in (left, right)])
    splits = np.where(is_leaf, 0, feature).astype(np.int64)
    return roots, splits, threshold.astype(np.float64), children, value.astype(np.float64)
