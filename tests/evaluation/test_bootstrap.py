import numpy as np
import pytest
from scipy.stats import t

from harness.evaluation.bootstrap import (
    FEWEST_GROUPS,
    Difference,
    difference,
    interval_of,
    measured,
    ranks,
    resampled_means,
)
from harness.evaluation.metrics import METRICS, mape, within


def noisy(n, spread, seed=0):
    rng = np.random.default_rng(seed)
    actual = rng.uniform(1, 10, n)
    return actual, actual * np.exp(rng.normal(0, spread, n))


def test_measures_of_one_repeat_are_those_of_its_rows():
    actual, predicted = noisy(200, 0.1)
    found = measured(actual, predicted[None], np.arange(200), 0)
    assert found.measures["within_10"] == pytest.approx(within(actual, predicted, 10))
    assert found.measures["mape"] == pytest.approx(mape(actual, predicted))
    assert tuple(found.measures) == tuple(found.ci95) == METRICS


def test_repeats_are_averaged_and_are_no_more_rows():
    actual, one = noisy(200, 0.1)
    _, other = noisy(200, 0.1, seed=0)
    once = measured(actual, one[None], np.arange(200), 0)
    thrice = measured(actual, np.stack([one, other, one]), np.arange(200), 0)
    for name in METRICS:
        assert thrice.measures[name] == pytest.approx(once.measures[name])
        assert thrice.ci95[name] == pytest.approx(once.ci95[name])


def test_interval_of_independent_rows_is_about_that_of_the_binomial():
    hits = (np.arange(400) % 4 == 0).astype(float)
    means = resampled_means(hits[:, None], np.arange(400), 0)
    low, high = interval_of(means.resamples[:, 0], means.n_groups)
    half = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert (low, high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.006)


def test_rows_of_one_group_are_drawn_together():
    # Ten copies of each row say no more than one.
    actual, predicted = noisy(60, 0.1)
    once = measured(actual, predicted[None], np.arange(60), 0)
    copies = measured(np.repeat(actual, 10), np.repeat(predicted, 10)[None], np.repeat(np.arange(60), 10), 0)
    as_if_independent = measured(np.repeat(actual, 10), np.repeat(predicted, 10)[None], np.arange(600), 0)
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
        low, high = measured(actual, predicted[None], groups, 0).ci95["within_10"]
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
    right, wrong = (measured(actual, predicted[None], np.arange(10), 0) for predicted in (actual, 3 * actual))
    # Clopper and Pearson of 10 of 10.
    assert right.ci95["within_10"] == pytest.approx((0.6915, 1), abs=1e-4)
    assert wrong.ci95["within_10"] == pytest.approx((0, 0.3085), abs=1e-4)
    assert right.ci95["mape"] == (0, 0)


def test_same_seed_gives_the_same_interval_and_another_a_slightly_different_one():
    actual, predicted = noisy(100, 0.1)
    one, same, other = (measured(actual, predicted[None], np.arange(100), seed) for seed in (0, 0, 1))
    assert one == same
    assert one.ci95["mape"] != other.ci95["mape"]
    assert one.ci95["mape"] == pytest.approx(other.ci95["mape"], rel=0.05)


def test_few_groups_have_measures_and_no_interval():
    actual, predicted = noisy(40, 0.1)
    for n_groups, has_interval in ((1, False), (FEWEST_GROUPS - 1, False), (FEWEST_GROUPS, True)):
        found = measured(actual, predicted[None], np.arange(40) % n_groups, 0)
        assert found.measures["mape"] is not None
        assert (found.ci95["mape"] is not None) == has_interval


def test_paired_difference_is_narrower_than_two_intervals_suggest():
    rng = np.random.default_rng(0)
    good = rng.random(300) < 0.6
    # The other misses what the first misses, and a little more.
    worse = good & (rng.random(300) < 0.93)
    means = resampled_means(np.column_stack([good, worse]).astype(float), np.arange(300), 0)
    found = difference(means, 0, 1)
    apart = (
        interval_of(means.resamples[:, 0], means.n_groups)[0] - interval_of(means.resamples[:, 1], means.n_groups)[1]
    )
    assert apart < 0
    assert found.is_above
    assert found.value == pytest.approx(good.mean() - worse.mean())


def test_predictor_does_not_differ_from_itself():
    means = resampled_means(np.ones((10, 1)), np.arange(10), 0)
    assert difference(means, 0, 0) == Difference(0.0, (0.0, 0.0))


def test_rank_counts_those_that_are_better_beyond_doubt():
    def of(low, high):
        return Difference((low + high) / 2, (low, high))

    # The second is tied with the first and the third, although the first is better than the third.
    table = [
        [of(0, 0), of(-0.01, 0.05), of(0.01, 0.09)],
        [of(-0.05, 0.01), of(0, 0), of(-0.01, 0.06)],
        [of(-0.09, -0.01), of(-0.06, 0.01), of(0, 0)],
    ]
    assert ranks(table) == [1, 1, 2]


def test_difference_without_interval_separates_nobody():
    assert not Difference(0.5, None).is_above
    assert not Difference(0.5, (0.0, 1.0)).is_above
