"""Means of trees are those of scikit-learn's forests."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from predictors._trees import MeanOfTrees

N_ROWS, N_FEATURES, N_TREES = 60, 5, 20


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, of which one does not vary and one has few values, energies and weights."""
    drawn = np.random.default_rng(7)
    features = drawn.lognormal(sigma=2, size=(N_ROWS, N_FEATURES))
    features[:, 1], features[:, 2] = 3.0, drawn.integers(3, size=N_ROWS)
    return features, features[:, 0] + drawn.random(N_ROWS), drawn.random(N_ROWS) + 0.1


@pytest.mark.parametrize("max_features", [1, 3, 0.5, 1.0])
@pytest.mark.parametrize("max_depth", [None, 3])
def test_forest_is_that_of_scikit_learn(rows, max_depth, max_features):
    features, energies, _ = rows
    settings = {"max_depth": max_depth, "max_features": max_features, "random_state": 3}
    expected = RandomForestRegressor(N_TREES, **settings).fit(features, energies)
    found = MeanOfTrees(N_TREES, **settings).fit(features, energies)
    assert found.predict(features).tolist() == expected.predict(features).tolist()


def test_extra_trees_are_those_of_scikit_learn(rows):
    features, energies, weights = rows
    expected = ExtraTreesRegressor(N_TREES, random_state=0).fit(features, energies, sample_weight=weights)
    found = MeanOfTrees(N_TREES, is_extra=True).fit(features, energies, sample_weight=weights)
    assert found.predict(features).tolist() == expected.predict(features).tolist()


def test_weights_of_rows_that_a_forest_draws_are_refused(rows):
    features, energies, weights = rows
    with pytest.raises(ValueError, match="sample_weight"):
        MeanOfTrees(N_TREES).fit(features, energies, sample_weight=weights)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_features_that_are_no_numbers_are_refused(rows, wrong):
    features, energies, _ = rows
    features[4, 0] = wrong
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        MeanOfTrees(N_TREES).fit(features, energies)
