import numpy as np
import pytest
from scipy.stats import norm, t

from harness.evaluation.bootstrap import (
    FEWEST_GROUPS,
    N_RESAMPLES,
    interval_of,
    interval_of_share,
    mean_of_repeats,
    resampled_means,
)
from harness.evaluation.bootstrap import measures as measures_of
from harness.evaluation.metrics import METRIC, METRICS, Metric, PredictedRows, WeightedStatistic


def measures(actual, predicted, groups, seed, *metrics):
    """Measures of rows of one kernel type without twins, from the predictions of all repeats."""
    return measures_of([PredictedRows(actual, once) for once in predicted], groups, seed, *metrics)


def noisy(n, spread, seed=0):
    rng = np.random.default_rng(seed)
    actual = rng.uniform(1, 10, n)
    return actual, actual * np.exp(rng.normal(0, spread, n))


def test_measures_of_one_repeat_are_those_of_its_rows():
    actual, predicted = noisy(200, 0.1)
    found = measures(actual, predicted[None], np.arange(200), 0)
    assert found.values["within_10"] == pytest.approx(METRIC["within_10"].of(actual, predicted))
    assert found.values["mape"] == pytest.approx(METRIC["mape"].of(actual, predicted))
    assert tuple(found.values) == tuple(found.ci95) == tuple(METRIC)


def test_repeats_are_averaged_and_are_no_more_rows():
    actual, one = noisy(200, 0.1)
    _, other = noisy(200, 0.1, seed=0)
    once = measures(actual, one[None], np.arange(200), 0)
    thrice = measures(actual, np.stack([one, other, one]), np.arange(200), 0)
    for name in METRIC:
        assert thrice.values[name] == pytest.approx(once.values[name])
        assert thrice.ci95[name] == pytest.approx(once.ci95[name])


def test_repeats_that_differ_widen_the_interval_by_their_draw():
    actual, _ = noisy(400, 0.1)
    predicted = np.stack([actual * (1 + share) for share in (0.02, 0.04, 0.06, 0.08, 0.1)])
    found = measures(actual, predicted, np.arange(400), 0)
    low, high = found.ci95["mape"]
    # The standard error of a mean of five, from resamples, by the quantile for 400 groups.
    half = 1.97 * np.std([2, 4, 6, 8, 10]) / 5**0.5
    assert (low, high) == pytest.approx((6 - half, 6 + half), abs=0.4)
    assert mean_of_repeats(predicted[None], None)[0] == pytest.approx(1.06 * actual)


def test_interval_of_independent_rows_is_about_that_of_the_binomial():
    hits = (np.arange(400) % 4 == 0).astype(float)
    means = resampled_means(hits[:, None], np.arange(400), 0)
    low, high = interval_of(means.resamples[:, 0], means.n_groups)
    half = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert (low, high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.006)


def test_rows_of_one_group_are_drawn_together():
    # Ten copies of each row say no more than one.
    actual, predicted = noisy(60, 0.1)
    once = measures(actual, predicted[None], np.arange(60), 0)
    copies = measures(np.repeat(actual, 10), np.repeat(predicted, 10)[None], np.repeat(np.arange(60), 10), 0)
    as_if_independent = measures(np.repeat(actual, 10), np.repeat(predicted, 10)[None], np.arange(600), 0)
    assert copies.ci95["within_10"] == pytest.approx(once.ci95["within_10"])
    assert copies.ci95["mape"] == pytest.approx(once.ci95["mape"])
    width = [found.ci95["mape"][1] - found.ci95["mape"][0] for found in (once, as_if_independent)]
    assert width[1] < width[0] / 2


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("n_groups", [9, 40])
def test_intervals_of_shares_cover_the_truth_about_as_often_as_they_say(n_groups, share):
    # Groups of 4 rows that err alike.
    rng = np.random.default_rng(1)
    actual, groups = np.ones(4 * n_groups), np.repeat(np.arange(n_groups), 4)
    n_covered = 0
    for _ in range(300):
        predicted = np.repeat(np.where(rng.random(n_groups) < share, 1.0, 2.0), 4)
        low, high = measures(actual, predicted[None], groups, 0).ci95["within_10"]
        n_covered += low <= share <= high
    assert 0.9 <= n_covered / 300 <= 0.995


@pytest.mark.parametrize("n_groups", [9, 20, 60])
def test_interval_of_a_mean_is_as_wide_as_that_of_student(n_groups):
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(40):
        values = rng.normal(7, 1, n_groups)
        means = resampled_means(values[:, None], np.arange(n_groups), 0)
        low, high = interval_of(means.resamples[:, 0], n_groups)
        ratios.append((high - low) / (2 * t.ppf(0.975, n_groups - 1) * values.std(ddof=1) / n_groups**0.5))
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)


def test_share_that_no_resample_varies_is_not_certain():
    actual = np.ones(10)
    right, wrong = (measures(actual, predicted[None], np.arange(10), 0) for predicted in (actual, 3 * actual))
    # Clopper and Pearson of 10 of 10.
    assert right.ci95["within_10"] == pytest.approx((0.6915, 1), abs=1e-4)
    assert wrong.ci95["within_10"] == pytest.approx((0, 0.3085), abs=1e-4)
    assert right.ci95["mape"] == (0, 0)


def test_same_seed_gives_the_same_interval_and_another_a_slightly_different_one():
    actual, predicted = noisy(100, 0.1)
    one, same, other = (measures(actual, predicted[None], np.arange(100), seed) for seed in (0, 0, 1))
    assert one == same
    assert one.ci95["mape"] != other.ci95["mape"]
    assert one.ci95["mape"] == pytest.approx(other.ci95["mape"], rel=0.05)


def test_few_groups_have_measures_and_no_interval():
    actual, predicted = noisy(40, 0.1)
    assert FEWEST_GROUPS == 6
    for n_groups, has_interval in ((1, False), (5, False), (6, True)):
        found = measures(actual, predicted[None], np.arange(40) % n_groups, 0)
        assert found.values["mape"] is not None
        assert (found.ci95["mape"] is not None) == has_interval


def weighted_median(rows, weights):
    errors = np.abs(np.log(rows.predicted / rows.actual))
    order = np.argsort(errors)
    reached = np.cumsum(weights[..., order], axis=-1)
    return errors[order][np.argmax(reached >= reached[..., -1:] / 2, axis=-1)]


MEDIAN = Metric(
    key="median_log", title="Median error", short="median", name="median absolute log error", meaning="median",
    unit="", is_more_better=False, statistic=WeightedStatistic(weighted_median),
)  # fmt: skip


def test_metric_that_no_means_give_has_a_value_and_an_interval_as_the_others_have():
    actual, predicted = noisy(201, 0.1)
    alone = measures(actual, predicted[None], np.arange(201), 0)
    found = measures(actual, predicted[None], np.arange(201), 0, (*METRICS, MEDIAN))
    assert {name: found.values[name] for name in METRIC} == alone.values
    assert {name: found.ci95[name] for name in METRIC} == alone.ci95
    errors = np.abs(np.log(predicted / actual))
    assert found.values["median_log"] == MEDIAN.of(actual, predicted) == np.median(errors)
    resampled = [np.median(np.random.default_rng(seed).choice(errors, 201)) for seed in range(400)]
    assert found.ci95["median_log"] == pytest.approx(np.quantile(resampled, [0.025, 0.975]), rel=0.08)
    assert measures(actual, predicted[None], np.arange(201) % 3, 0, (MEDIAN,)).ci95 == {"median_log": None}


def test_expanded_interval_is_wider_than_the_percentiles_by_the_factor_of_the_groups():
    # Resamples that are normal: the half width is t times the root of n / (n - 1).
    resamples = norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    for n_groups in (6, 9, 40):
        low, high = interval_of(resamples, n_groups)
        half = t.ppf(0.975, n_groups - 1) * (n_groups / (n_groups - 1)) ** 0.5
        assert (-low, high) == pytest.approx((half, half), rel=1e-3)


def test_interval_of_a_share_is_exact_only_where_the_percentiles_agree_on_0_or_1():
    varied = np.concatenate([np.ones(900), np.full(100, 0.9)])
    assert interval_of_share(varied, 10) == pytest.approx((0.9, 1))
    assert interval_of_share(np.zeros(1000), 10) == (0.0, pytest.approx(1 - 0.025**0.1))


def test_every_resample_draws_as_many_groups_as_there_are():
    means = resampled_means(np.arange(8.0)[:, None], np.arange(8), 0)
    assert means.resamples.shape == (N_RESAMPLES, 1) == (1000, 1)
    # Sums of eight whole numbers, each divided by eight.
    assert np.allclose(8 * means.resamples % 1, 0)
