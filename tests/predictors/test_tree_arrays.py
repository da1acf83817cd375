"""Trees as arrays predict as scikit-learn's do, to the last bit."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from predictors._tree_arrays import TreeArrays
from predictors._trees import MeanOfTrees


@pytest.fixture
def rows():
    drawn = np.random.default_rng(3)
    features = drawn.lognormal(sigma=2, size=(400, 6))
    features[:, 2] = drawn.integers(3, size=400)
    return features, np.log(features[:, 0] + features[:, 1]) + drawn.normal(size=400)


@pytest.mark.parametrize("is_extra", [True, False])
def test_mean_of_trees(rows, is_extra):
    features, wanted = rows
    trees = MeanOfTrees(12, is_extra=is_extra).fit(features, wanted)
    # Between what single and double precision tell apart, too.
    asked = np.concatenate([features, np.float64(np.float32(features)), np.nextafter(features, 0)])
    assert trees.plain().predict(asked).tolist() == trees.predict(asked).tolist()


def test_boosting(rows):
    features, wanted = rows
    boosting = HistGradientBoostingRegressor(max_iter=20, early_stopping=False).fit(features, wanted)
    assert TreeArrays.of_boosting(boosting).predict(features).tolist() == boosting.predict(features).tolist()


def test_a_tree_without_a_split():
    trees = MeanOfTrees(3, is_extra=True).fit(np.ones((4, 2)), np.full(4, 2.5))
    assert trees.plain().predict(np.zeros((2, 2))).tolist() == [2.5, 2.5]
