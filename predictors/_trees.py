"""Means of many regression trees: the forests of scikit-learn, grown with less work around each tree."""

from typing import Final, Self

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_array

from harness.arrays import Reals
from predictors._tree_arrays import TreeArrays

_SEEDS: Final = np.iinfo(np.int32).max
"""Seeds of trees are below this number, as those of scikit-learn are."""


class MeanOfTrees(RegressorMixin, BaseEstimator):
    """Mean of regression trees, equal to that of scikit-learn's `RandomForestRegressor` or `ExtraTreesRegressor`.

    Trees, seeds, draws and sums are the same, to the last bit. Those classes clone an estimator, start a job and make a
    random generator for every tree, which takes longer than to grow it where a kernel type has few rows.

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
        target = np.array(y, dtype=np.float64)[:, None]
        seeds, draws = (np.random.RandomState(self.random_state) for _ in range(2))
        tree = DecisionTreeRegressor(
            splitter="random" if self.is_extra else "best",
            max_depth=self.max_depth,
            max_features=self.max_features,
            random_state=draws,
        )
        self.trees_ = []
        with config_context(skip_parameter_validation=True):
            for _ in range(self.n_trees):
                seed = seeds.randint(_SEEDS)
                weight = sample_weight if self.is_extra else _times_drawn(draws, seed, len(given))
                draws.seed(seed)
                self.trees_.append(tree.fit(given, target, sample_weight=weight, check_input=False).tree_)
        return self

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
