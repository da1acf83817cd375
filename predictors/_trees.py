"""Means of many regression trees: the forests of scikit-learn, grown with less work around each tree."""

from typing import Final, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.tree._criterion import MSE
from sklearn.tree._splitter import BestSplitter, RandomSplitter
from sklearn.tree._tree import DepthFirstTreeBuilder, Tree
from sklearn.utils import check_array, check_consistent_length

from harness.arrays import Reals
from predictors._tree_arrays import TreeArrays

_SEEDS: Final = np.iinfo(np.int32).max
"""Seeds of trees are below this number, as those of scikit-learn are."""
_ANY_DEPTH: Final = np.iinfo(np.int32).max


class MeanOfTrees(RegressorMixin, BaseEstimator):
    """Mean of regression trees, equal to that of scikit-learn's `RandomForestRegressor` or `ExtraTreesRegressor`.

    Trees, seeds, draws and sums are the same, to the last bit. Those classes clone an estimator, check what it is
    given, start a job and make a random generator for every tree, which takes longer than to grow it where a kernel
    type has few rows. So trees are grown here by the parts that scikit-learn's own trees are grown by.

    Args:
        n_trees: number of trees.
        is_extra: whether the splits are drawn at random and each tree rests on all rows, as extra trees do; otherwise
            the best splits are searched, and each tree rests on as many rows drawn with replacement.
        max_depth: most splits from root to leaf; None for no limit.
        max_features: features that each split is chosen from, as a count or as a share of them.
        random_state: seed of all draws.

    Attributes:
        trees_: the trees.

    Source:
        Breiman, Random Forests (2001); Geurts et al., Extremely randomized trees (2006).
    """

    def __init__(
        self,
        n_trees: int = 100,
        *,
        is_extra: bool = False,
        max_depth: int | None = None,
        max_features: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.is_extra = is_extra
        self.max_depth = max_depth
        self.max_features = max_features
        self.random_state = random_state

    def fit(self, X: Reals, y: Reals, sample_weight: Reals | None = None) -> Self:  # noqa: N803
        """Grow the trees.

        Args:
            X: features, finite, shape `(n, n_features)`.
            y: what is predicted, shape `(n,)`.
            sample_weight: how much each row counts in the splits and leaves of extra trees, shape `(n,)`.

        Raises:
            ValueError: a feature that is no number, or weights where the rows of each tree are drawn.
        """
        if sample_weight is not None and not self.is_extra:
            raise ValueError("sample_weight is given; expected none where the rows of each tree are drawn")
        given = check_array(X, dtype=np.float32, order="C")
        target = check_array(y, dtype=np.float64, ensure_2d=False)[:, None].copy()
        weight = None if sample_weight is None else check_array(sample_weight, dtype=np.float64, ensure_2d=False)
        check_consistent_length(given, target, weight)
        seeds, draws = (np.random.RandomState(self.random_state) for _ in range(2))
        self.trees_ = []
        for _ in range(self.n_trees):
            seed = seeds.randint(_SEEDS)
            of_tree = weight if self.is_extra else _times_drawn(draws, seed, len(given))
            draws.seed(seed)
            self.trees_.append(self._tree(given, target, of_tree, draws))
        return self

    def _tree(self, given: Reals, target: Reals, weight: Reals | None, draws: np.random.RandomState) -> Tree:
        """One tree, split down to single rows, or to rows of one value."""
        n_rows, n_features = given.shape
        is_count = isinstance(self.max_features, int)
        n_tried = self.max_features if is_count else max(1, int(self.max_features * n_features))
        of_kind = RandomSplitter if self.is_extra else BestSplitter
        splitter = of_kind(MSE(1, n_rows), n_tried, 1, 0.0, draws, None)
        depth = _ANY_DEPTH if self.max_depth is None else self.max_depth
        tree = Tree(n_features, np.array([1], dtype=np.intp), 1)
        DepthFirstTreeBuilder(splitter, 2, 1, 0.0, depth, 0.0).build(tree, given, target, weight, None)
        return tree

    def predict(self, X: Reals) -> Reals:  # noqa: N803
        """Mean of the trees at every row, shape `(n,)`."""
        given = check_array(X, dtype=np.float32, order="C")
        total = np.zeros(len(given))
        for tree in self.trees_:
            total += tree.predict(given)[:, 0]
        return total / self.n_trees

    def plain(self) -> TreeArrays:
        """The same as arrays alone, to predict."""
        return TreeArrays.of_forest(self.trees_)


def _times_drawn(draws: np.random.RandomState, seed: int, n_rows: int) -> Reals:
    """How often each row is drawn for the tree of a seed, shape `(n_rows,)`."""
    draws.seed(seed)
    return np.bincount(draws.randint(0, n_rows, n_rows), minlength=n_rows).astype(np.float64)
