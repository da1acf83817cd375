import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from harness.evaluation.metrics import (
    METRIC,
    METRICS,
    RANKED,
    RANKED_PERCENT,
    PredictedRows,
    interval_coverage,
    is_within,
    resolution,
)

FEW = settings(max_examples=50)
ENERGIES = st.integers(2, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.floats(1e-3, 1e6), min_size=n, max_size=n).map(np.array) for _ in range(2)))
)


def measures(actual, predicted):
    return {metric.key: metric.of(actual, predicted) for metric in METRICS}


SHARES = ["within_5", "within_10", "within_15"]
PUBLISHED = [*SHARES, "mape", "rmspe", "rmse_mj", "spearman"]


def test_published_keys_keep_their_order_direction_and_kind_of_interval():
    known = [METRIC[key] for key in METRIC if key in PUBLISHED]
    assert [metric.key for metric in known] == PUBLISHED
    assert (RANKED.key, RANKED_PERCENT) == ("within_10", 10)
    assert [metric.key for metric in known if metric.is_more_better] == [*SHARES, "spearman"]
    assert [metric.key for metric in known if metric.interval == "share"] == SHARES


@pytest.mark.parametrize("field", ["key", "title", "short", "name", "meaning"])
def test_every_metric_has_words_of_its_own(field):
    words = [getattr(metric, field) for metric in METRICS]
    assert all(words)
    assert len(set(words)) == len(words)


def test_bounds_belong_to_their_share():
    found = measures(np.full(4, 10.0), np.array([9.5, 10.5, 11.0, 11.5]))
    assert (found["within_5"], found["within_10"], found["within_15"]) == (0.5, 0.75, 1)


@pytest.mark.parametrize(("predicted", "is_inside"), [(1.1, True), (0.9, True), (1.1 + 1e-12, True), (1.1001, False)])
def test_an_error_of_the_bound_is_within_it_whatever_its_binary_fraction(predicted, is_inside):
    assert is_within(np.array([1.0]), np.array([predicted]), 10).tolist() == [is_inside]
    # The allowance for rounding is far below what an energy is written to.
    assert not is_within(np.array([1.0]), np.array([1.1 + 1e-8]), 10).any()


def test_errors_are_relative_to_the_actual_energy():
    found = measures(np.array([10.0, 20.0]), np.array([15.0, 5.0]))
    assert found["mape"] == pytest.approx((50 + 75) / 2)
    assert found["rmspe"] == pytest.approx(((50**2 + 75**2) / 2) ** 0.5)
    assert found["rmse_mj"] == pytest.approx(((5**2 + 15**2) / 2) ** 0.5)


@FEW
@given(ENERGIES)
def test_spearman_agrees_with_scipy(energies):
    actual, predicted = energies
    if len(set(actual)) > 1 and len(set(predicted)) > 1:
        expected = spearmanr(actual, predicted).statistic
        assert METRIC["spearman"].of(actual, predicted) == pytest.approx(expected, abs=1e-9)


@FEW
@given(ENERGIES, st.sampled_from([1e-3, 0.5, 1e3]))
def test_measures_obey_a_change_of_unit(energies, factor):
    actual, predicted = energies
    one, other = measures(actual, predicted), measures(factor * actual, factor * predicted)
    for metric in METRICS:
        expected = factor * one[metric.key] if metric.unit == "mJ" else one[metric.key]
        assert other[metric.key] == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


def test_perfect_predictions_are_the_best_in_every_metric():
    actual = np.array([0.5, 3.0, 2.0])
    for metric in METRICS:
        assert metric.of(actual, actual) == pytest.approx(1 if metric.is_more_better else 0)


def test_rank_correlation_of_what_does_not_vary_is_unknown():
    assert np.isnan(METRIC["spearman"].of(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])))
    assert np.isnan(METRIC["spearman"].of(np.array([1.0]), np.array([5.0])))


def test_no_rows_have_no_measure():
    nothing = np.empty(0)
    for metric in METRICS:
        assert np.isnan(metric.of(nothing, nothing))
    assert np.isnan(interval_coverage(nothing, np.empty((0, 2))))


def test_repeats_broadcast_against_the_actual_energies():
    inside = is_within(np.array([1.0, 2.0]), np.array([[1.0, 2.3], [1.2, 2.0]]), 10)
    assert inside.tolist() == [[True, False], [False, True]]


def test_bounds_of_an_interval_belong_to_it():
    assert interval_coverage(np.array([1.0, 2.0, 3.0]), np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])) == 2 / 3


def test_digit_of_energies_is_the_last_that_any_is_given_to():
    assert resolution(np.array([1.25, 0.002, 30.0])) == 0.001
    assert resolution(np.array([0.1 + 0.2, 7.0])) == 0.1
    assert resolution(np.array([1200.0, 30.0])) == 1
    assert resolution(np.array([2 / 3, 1.0])) == 0


def test_errors_count_beyond_half_a_unit_of_the_last_digit_in_the_measures_that_say_so():
    # 0.002 mJ given to 0.001 mJ is anything from 0.0015 to 0.0025 mJ.
    actual, predicted = np.array([0.002, 0.002, 1.0]), np.array([0.0025, 0.003, 1.2])
    found = {metric.key: metric.of(actual, predicted, 0.001) for metric in METRICS}
    exact = measures(actual, predicted)
    assert found["median_log_error"] == pytest.approx(np.log(1.2 / 1.0005))
    assert METRIC["median_log_error"].of(actual[:1], predicted[:1], 0.001) == 0
    assert found["energy_weighted_error"] == pytest.approx(100 * (0 + 0.0005 + 0.1995) / 1.004)
    assert found["macro_within_10"] == pytest.approx(1 / 3)
    assert (exact["macro_within_10"], exact["energy_weighted_error"]) == (0, pytest.approx(100 * 0.2015 / 1.004))
    for key in set(METRIC) - {"macro_within_10", "median_log_error", "energy_weighted_error"}:
        assert found[key] == exact[key] or key == "spearman"


@pytest.mark.parametrize("key", ["macro_within_10", "median_log_error", "energy_weighted_error"])
def test_measures_with_an_allowance_say_so_wherever_they_are_named(key):
    metric = METRIC[key]
    assert "beyond rounding" in metric.title
    assert "beyond rounding" in metric.name
    assert "half a unit of the last digit" in metric.meaning
    assert metric.short.endswith((" r", " r %"))
    others = [other for other in METRICS if "rounding" in other.title + other.name + other.meaning]
    assert metric in others
    assert len(others) == 3


def test_a_miss_counts_in_shares_and_has_no_value_in_other_measures():
    assert {metric.key for metric in METRICS if metric.rows != "covered"} == {
        "within_5", "within_10", "within_15", "macro_within_10", "twin_free_within_10"
    }  # fmt: skip
    actual, predicted = np.ones(4), np.array([1.0, 1.0, np.nan, np.nan])
    for metric in METRICS:
        if metric.rows != "covered":
            assert metric.of(actual, predicted) == 0.5


@FEW
@given(ENERGIES)
def test_median_log_error_is_that_of_numpy_and_of_repeated_rows(energies):
    actual, predicted = energies
    statistic = METRIC["median_log_error"].statistic
    errors = np.abs(np.log(predicted / actual))
    assert METRIC["median_log_error"].of(actual, predicted) == pytest.approx(np.median(errors))
    counts = np.arange(len(actual)) % 3
    if counts.any():
        found = statistic.value(PredictedRows(actual, predicted), counts.astype(np.int16))
        assert found == pytest.approx(np.median(np.repeat(errors, counts)))
