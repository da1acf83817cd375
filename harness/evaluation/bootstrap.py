"""95 % bootstrap intervals of error measures, resampled by group.

Rows of one group (a configuration, a family) are drawn together, because they are not independent. Where rows were
predicted several times, by other folds or other calibration rows, these repeats are drawn too, independently of the
groups. All draws are one matrix product. Percentile intervals, expanded for the count of groups: with few, resamples
spread less than samples do. The empirical coverage is below 95 % where errors are much skewed, the more so the fewer
groups there are.

Source:
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile interval); Hesterberg, What
    Teachers Should Know About the Bootstrap (2015), on the expanded percentile interval; Cameron, Gelbach and
    Miller, Bootstrap-Based Improvements for Inference with Clustered Errors (2008), on drawing whole groups; Owen, The
    Pigeonhole Bootstrap (2007), on drawing groups and repeats; Clopper and Pearson, The Use of Confidence or Fiducial
    Limits Illustrated in the Case of the Binomial (1934), for shares that no resample varies.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from harness.arrays import Reals, Whole
from harness.evaluation.metrics import (
    METRICS,
    Counts,
    IntervalKind,
    MeanStatistic,
    Metric,
    PredictedRows,
    WeightedStatistic,
    columns_of,
)
from harness.schema.results import Interval

N_RESAMPLES: Final = 1_000
FEWEST_GROUPS: Final = 6
"""Below so many groups there is no interval: even if all of them agree, that may be chance."""
_TAIL: Final = 0.025
_OF_REPEATS: Final = 1
"""Seed of draws of repeats, beside that of draws of groups."""


class Means(NamedTuple):
    """Means over rows, and over the rows of every resample.

    Attributes:
        value: shape `(m,)`.
        resamples: shape `(N_RESAMPLES, m)`; no rows where there are too few groups.
        n_groups: count of groups.
    """

    value: Reals
    resamples: Reals
    n_groups: int


class Measures(NamedTuple):
    """Measures and their intervals, by the key of the metric; None where there are too few groups, or no measure."""

    values: dict[str, float | None]
    ci95: dict[str, Interval | None]


def resampled_means(terms: Reals, groups: Whole, seed: int) -> Means:
    """Means of columns, and of resamples of whole groups.

    Args:
        terms: shape `(n, m)`, n at least 1.
        groups: group of each row as a number below the count of groups, shape `(n,)`; each has a row.
        seed: seed of the draws; the same count of groups and seed give the same draws.
    """
    n_groups = int(groups.max()) + 1
    sums = np.zeros((n_groups, 1 + terms.shape[1]))
    np.add.at(sums, groups, np.column_stack([np.ones(len(terms)), terms]))
    value = sums.sum(axis=0)
    if n_groups < FEWEST_GROUPS:
        return Means(value[1:] / value[0], np.empty((0, terms.shape[1])), n_groups)
    drawn = _draws(n_groups, seed).astype(np.float64) @ sums
    return Means(value[1:] / value[0], drawn[:, 1:] / drawn[:, :1], n_groups)


def resampled_shares(hits: Reals, columns: Whole, groups: Whole, seed: int) -> Means:
    """Mean of a value in each of several columns, and of resamples of whole groups, which all columns share.

    Args:
        hits: value of each row, shape `(n,)`, n at least 1.
        columns: column that each row counts in, as a number below the count of columns, shape `(n,)`; each has a row.
        groups: group of each row as a number below the count of groups, shape `(n,)`; each has a row.
        seed: seed of the draws; the same count of groups and seed give the same draws.

    Returns:
        One mean per column; in a resample without a row of a column it is NaN.
    """
    n_groups, n_columns = int(groups.max()) + 1, int(columns.max()) + 1
    cells, shape = groups * n_columns + columns, (n_groups, n_columns)
    sums = np.bincount(cells, hits, n_groups * n_columns).reshape(shape)
    counts = np.bincount(cells, minlength=n_groups * n_columns).reshape(shape).astype(np.float64)
    value = sums.sum(axis=0) / counts.sum(axis=0)
    if n_groups < FEWEST_GROUPS:
        return Means(value, np.empty((0, n_columns)), n_groups)
    drawn = _draws(n_groups, seed).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return Means(value, (drawn @ sums) / (drawn @ counts), n_groups)


@lru_cache(maxsize=64)
def _draws(n_groups: int, seed: int, *more: int) -> Counts:
    """How often each group is drawn in each resample, shape `(N_RESAMPLES, n_groups)`."""
    drawn = np.random.default_rng((seed, n_groups, *more)).integers(n_groups, size=(N_RESAMPLES, n_groups))
    places = (drawn + n_groups * np.arange(N_RESAMPLES)[:, None]).ravel()
    counts = np.bincount(places, minlength=N_RESAMPLES * n_groups)
    return counts.reshape(N_RESAMPLES, n_groups).astype(np.int16)


def mean_of_repeats(figures: Reals, seed: int | None = None) -> Reals:
    """Mean over the repeats, or over those that are drawn in each resample.

    Args:
        figures: shape `(n, n_repeats, ...)`; one row per resample where repeats are drawn.
        seed: seed of the draws; None for the repeats as they are.

    Returns:
        Shape `(n, ...)`.
    """
    n_repeats = figures.shape[1]
    if seed is None or n_repeats == 1 or not len(figures):
        averaged: Reals = figures.mean(axis=1)
        return averaged
    weights = _draws(n_repeats, seed, _OF_REPEATS).astype(np.float64) / n_repeats
    drawn: Reals = np.einsum("rk,rk...->r...", weights, figures)
    return drawn


def measures(
    repeats: Sequence[PredictedRows], groups: Whole, seed: int, metrics: Sequence[Metric] = METRICS
) -> Measures:
    """Measures of predictions with their intervals.

    Every row counts once, however often it was predicted: its terms, or the measures of the repeats, are averaged, and
    resamples average over repeats that are drawn.

    Args:
        repeats: the rows with the predictions of each repeat, at least one row.
        groups: group of each row as a number below the count of groups, shape `(n,)`; each has a row.
        seed: seed of the draws.
        metrics: what to measure.
    """
    n_groups = int(groups.max()) + 1
    found = _of_one_product(repeats, groups, seed, metrics)
    for metric in metrics:
        if isinstance(metric.statistic, WeightedStatistic):
            weights = _weights(groups, n_groups, seed)
            value, resamples = (
                np.stack([metric.statistic.value(once, each) for once in repeats], axis=-1)
                for each in (np.ones(len(groups), dtype=np.int16), weights)
            )
            found[metric.key] = value.mean(), mean_of_repeats(resamples, seed)
    values, intervals = {}, {}
    for metric in metrics:
        value, resamples = found[metric.key]
        values[metric.key] = float(value) if np.isfinite(value) else None
        intervals[metric.key] = _INTERVALS[metric.interval](resamples, n_groups)
    return Measures(values, intervals)


def _of_one_product(
    repeats: Sequence[PredictedRows], groups: Whole, seed: int, metrics: Sequence[Metric]
) -> dict[str, tuple[Reals, Reals]]:
    """Value and resamples of every metric that follows from means, by its key."""
    statistics = {metric.key: metric.statistic for metric in metrics if isinstance(metric.statistic, MeanStatistic)}
    if not statistics:
        return {}
    blocks = [[columns_of(statistic, once) for statistic in statistics.values()] for once in repeats]
    ends = np.cumsum([0, *(block.shape[1] for block in blocks[0])])
    means = resampled_means(np.hstack([block for of_repeat in blocks for block in of_repeat]), groups, seed)
    value, resamples = (
        part.reshape(*part.shape[:-1], len(repeats), ends[-1]) for part in (means.value, means.resamples)
    )
    return {
        key: (
            _of_means(statistic, value[None, :, start:end], None)[0],
            _of_means(statistic, resamples[..., start:end], seed),
        )
        for (key, statistic), start, end in zip(statistics.items(), ends, ends[1:], strict=False)
    }


def _of_means(statistic: MeanStatistic, means: Reals, seed: int | None) -> Reals:
    """Statistic from means of terms, shape `(n, n_repeats, n_terms)`; repeats are drawn where there is a seed."""
    if statistic.is_per_repeat:
        return mean_of_repeats(statistic.value(means), seed)
    return statistic.value(mean_of_repeats(means, seed))


def _weights(groups: Whole, n_groups: int, seed: int) -> Counts:
    """How often each row is drawn in each resample, shape `(N_RESAMPLES, n)`; shape `(0, n)` where groups are few."""
    if n_groups < FEWEST_GROUPS:
        return np.empty((0, len(groups)), dtype=np.int16)
    return _draws(n_groups, seed)[:, groups]


def interval_of(resamples: Reals, n_groups: int) -> Interval | None:
    """Expanded percentile interval of a resampled figure; None where resamples do not have it.

    Args:
        resamples: figure of each resample, shape `(n,)`.
        n_groups: count of groups that were resampled.

    >>> [[round(bound, 1) for bound in interval_of(np.arange(1001.0), n_groups)] for n_groups in (9, 1_000_000)]
    [[7.2, 992.8], [25.0, 975.0]]
    """
    if not len(resamples) or not np.isfinite(resamples).all():
        return None
    # The variance of a resample lacks the factor n / (n - 1) of a sample's, and the normal quantile is not that of t.
    quantile = np.sqrt(n_groups / (n_groups - 1)) * stdtrit(n_groups - 1, _TAIL)
    tail = float(ndtr(quantile))
    low, high = np.quantile(resamples, (tail, 1 - tail))
    return float(low), float(high)


def interval_of_share(resamples: Reals, n_groups: int) -> Interval | None:
    """Interval of a resampled share, like `interval_of`; where both bounds are 0 or 1, the exact one.

    >>> [round(bound, 3) for bound in interval_of_share(np.ones(1000), 10)]
    [0.692, 1.0]
    """
    found = interval_of(resamples, n_groups)
    exact = float(_TAIL ** (1 / n_groups))
    if found == (1, 1):
        return exact, 1.0
    return (0.0, 1 - exact) if found == (0, 0) else found


def _interval_of_varied(resamples: Reals, n_groups: int) -> Interval | None:
    """Interval like `interval_of`; None where no resample varies the figure, which is not certain for that."""
    found = interval_of(resamples, n_groups)
    return None if found is None or found[0] == found[1] else found


_INTERVALS: Final[Mapping[IntervalKind, Callable[[Reals, int], Interval | None]]] = {
    "percentile": interval_of,
    "share": interval_of_share,
    "varied": _interval_of_varied,
}
