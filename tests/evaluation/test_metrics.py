import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from harness.evaluation.metrics import (
    METRICS,
    N_TERMS,
    from_means,
    interval_coverage,
    is_within,
    mape,
    rmse_mj,
    rmspe,
    row_terms,
    spearman,
    within,
)

FEW = settings(max_examples=50)
ENERGIES = st.integers(2, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.floats(1e-3, 1e6), min_size=n, max_size=n).map(np.array) for _ in range(2)))
)


def measures(actual, predicted):
    return dict(zip(METRICS, from_means(row_terms(actual, predicted).mean(axis=0)), strict=True))


def test_bounds_belong_to_their_share():
    actual = np.full(4, 10.0)
    predicted = np.array([9.5, 10.5, 11.0, 11.5])
    assert within(actual, predicted, 5) == 0.5
    assert within(actual, predicted, 10) == 0.75
    assert within(actual, predicted, 15) == 1


def test_errors_are_relative_to_the_actual_energy():
    actual, predicted = np.array([10.0, 20.0]), np.array([15.0, 10.0])
    assert mape(actual, predicted) == pytest.approx(50)
    assert rmspe(actual, predicted) == pytest.approx(50)
    assert rmse_mj(actual, predicted) == pytest.approx((62.5) ** 0.5)


@FEW
@given(ENERGIES)
def test_means_of_terms_give_what_the_functions_say(energies):
    actual, predicted = energies
    found = measures(actual, predicted)
    assert found["within_10"] == pytest.approx(within(actual, predicted, 10))
    assert found["mape"] == pytest.approx(mape(actual, predicted))
    assert found["rmspe"] == pytest.approx(rmspe(actual, predicted))
    assert found["rmse_mj"] == pytest.approx(rmse_mj(actual, predicted), rel=1e-6)


@FEW
@given(ENERGIES)
def test_spearman_agrees_with_scipy(energies):
    actual, predicted = energies
    if len(set(actual)) > 1 and len(set(predicted)) > 1:
        assert spearman(actual, predicted) == pytest.approx(spearmanr(actual, predicted).statistic, abs=1e-9)


@FEW
@given(ENERGIES, st.sampled_from([1e-3, 0.5, 1e3]))
def test_measures_obey_a_change_of_unit(energies, factor):
    actual, predicted = energies
    one, other = measures(actual, predicted), measures(factor * actual, factor * predicted)
    for name in METRICS:
        expected = factor * one[name] if name == "rmse_mj" else one[name]
        assert other[name] == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


def test_perfect_predictions_have_no_error():
    actual = np.array([0.5, 3.0, 2.0])
    found = measures(actual, actual)
    expected = {"within_5": 1, "within_10": 1, "within_15": 1, "mape": 0, "rmspe": 0, "rmse_mj": 0, "spearman": 1}
    assert found == pytest.approx(expected)


def test_rank_correlation_of_what_does_not_vary_is_unknown():
    assert np.isnan(spearman(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])))
    assert np.isnan(spearman(np.array([1.0]), np.array([5.0])))


def test_no_rows_have_no_measure():
    nothing = np.empty(0)
    for measure in (mape, rmspe, rmse_mj, spearman):
        assert np.isnan(measure(nothing, nothing))
    assert np.isnan(within(nothing, nothing, 10))
    assert np.isnan(interval_coverage(nothing, np.empty((0, 2))))


def test_repeats_broadcast_against_the_actual_energies():
    inside = is_within(np.array([1.0, 2.0]), np.array([[1.0, 2.3], [1.2, 2.0]]), 10)
    assert inside.tolist() == [[True, False], [False, True]]


def test_interval_holds_its_bounds():
    assert interval_coverage(np.array([1.0, 2.0, 3.0]), np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])) == 2 / 3


def test_every_row_adds_as_many_terms_as_are_declared():
    assert row_terms(np.ones(3), np.ones(3)).shape == (3, N_TERMS)
