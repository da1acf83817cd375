"""Error measures of predicted energies: each is one entry of `METRICS`, which every board, card and file derives from.

To add a metric, add an entry. Shares are between 0 and 1; an empty array has no error: NaN.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import rankdata

from harness.arrays import Mask, Reals

RANKED_PERCENT: Final = 10
"""Ranks go by the share of rows that are off by at most this, in percent of the measured energy."""
_ROUNDING: Final = 1e-9
"""An energy of 1.1 mJ is 10 % above 1 mJ, although its binary fraction is slightly more."""

IntervalKind = Literal["percentile", "share"]
Form = Literal["share", "percent", "figure", "correlation"]


@dataclass(frozen=True)
class MeanStatistic:
    """Statistic that follows from means over rows, so that all resamples are one matrix product.

    Attributes:
        terms: from actual and predicted energies in mJ, both of shape `(n,)`: what each row adds to each mean.
        value: statistic from the means, of shape `(..., n_terms)`.
        is_per_repeat: whether each repeat has a value of its own and these are averaged; otherwise terms are.
    """

    terms: Callable[[Reals, Reals], Sequence[Reals | Mask]]
    value: Callable[[Reals], Reals]
    is_per_repeat: bool = False


@dataclass(frozen=True)
class WeightedStatistic:
    """Statistic that no means give, such as a median; each repeat has a value of its own, and these are averaged.

    Attributes:
        value: statistic from actual and predicted energies in mJ, both of shape `(n,)`, and from the weights of the
            rows, shape `(..., n)`: how often each counts.
    """

    value: Callable[[Reals, Reals, Reals], Reals]


@dataclass(frozen=True)
class Metric:
    """One error measure.

    Attributes:
        key: name in files.
        title: heading on pages and cards.
        short: heading in the terminal.
        name: name in the header of a card, which has no other column to state the unit in.
        meaning: what it is, as a phrase.
        unit: symbol of its unit as it is shown; empty where it has none.
        is_more_better: whether predictions with more of it are better.
        statistic: function of the energies.
        interval: how its 95 % interval comes about: percentiles of the resamples, or the same with the exact interval
            of a share where both percentiles are 0 or 1.
        form: how it is shown; a share is shown in percent.
        shows_interval: whether cards and the terminal show its interval beside it.
    """

    key: str
    title: str
    short: str
    name: str
    meaning: str
    unit: str
    is_more_better: bool
    statistic: MeanStatistic | WeightedStatistic
    interval: IntervalKind = "percentile"
    form: Form = "percent"
    shows_interval: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.statistic, (MeanStatistic, WeightedStatistic)):
            raise TypeError(f"{self.key}: its statistic is neither of means nor of weights")

    def of(self, actual: Reals, predicted: Reals) -> float:
        """Value of one set of predictions; NaN where there is none.

        Args:
            actual: mJ, shape `(n,)`, all above 0.
            predicted: mJ, shape `(n,)`.

        >>> METRIC["mape"].of(np.array([1.0, 2.0]), np.array([1.25, 1.0]))
        37.5
        >>> METRIC["within_10"].of(np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.1, 0.9, 1.2, 5.0]))
        0.5
        """
        if not len(actual):
            return float("nan")
        if isinstance(self.statistic, WeightedStatistic):
            return float(self.statistic.value(actual, predicted, np.ones(len(actual))))
        return float(self.statistic.value(columns_of(self.statistic, actual, predicted).mean(axis=0)))


def is_within(actual: Reals, predicted: Reals, percent: float) -> Mask:
    """Whether each prediction is off by at most so many percent, inclusive; shapes as they broadcast."""
    inside: Mask = np.abs(_relative(actual, predicted)) <= percent / 100 + _ROUNDING
    return inside


def interval_coverage(actual: Reals, intervals: Reals) -> float:
    """Empirical coverage: share of actual energies that lie within their interval, bounds included.

    Args:
        actual: mJ, shape `(n,)`.
        intervals: lower and upper bound in mJ, shape `(n, 2)`.

    >>> interval_coverage(np.array([1.0, 2.0]), np.array([[0.5, 1.0], [2.5, 3.0]]))
    0.5
    """
    is_covered = (intervals[:, 0] <= actual) & (actual <= intervals[:, 1])
    return float(np.mean(is_covered)) if len(actual) else float("nan")


def columns_of(statistic: MeanStatistic, actual: Reals, predicted: Reals) -> Reals:
    """Terms of a statistic as columns, shape `(n, n_terms)`."""
    return np.stack(statistic.terms(actual, predicted), axis=-1).astype(np.float64)


def _relative(actual: Reals, predicted: Reals) -> Reals:
    relative: Reals = (predicted - actual) / actual
    return relative


def _share_within(percent: int) -> Metric:
    return Metric(
        key=f"within_{percent}",
        title=f"Within ±{percent} %",
        short=f"±{percent} %",
        name=f"share within ±{percent} %",
        meaning=f"share of rows whose prediction is off by at most {percent} % of the measured energy",
        unit="%",
        is_more_better=True,
        statistic=MeanStatistic(
            lambda actual, predicted: [is_within(actual, predicted, percent)], lambda means: means[..., 0]
        ),
        interval="share",
        form="share",
        shows_interval=percent == RANKED_PERCENT,
    )


def _ranks(actual: Reals, predicted: Reals) -> list[Reals]:
    """Terms of the rank correlation; ranks are those among all rows, also where a resample holds only some of them."""
    # Centred ranks keep sums of squares small.
    one, other = (rankdata(values) - (len(actual) + 1) / 2 for values in (actual, predicted))
    return [one, other, one * one, other * other, one * other]


def _correlation(means: Reals) -> Reals:
    """Rank correlation, equal values sharing their mean rank; NaN where either side does not vary."""
    one, other, one_one, other_other, one_other = np.moveaxis(means, -1, 0)
    spread = np.maximum(one_one - one**2, 0) * np.maximum(other_other - other**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(spread > _ROUNDING, (one_other - one * other) / np.sqrt(spread), np.nan)
    return np.clip(correlation, -1, 1)


_MAPE: Final = MeanStatistic(
    lambda actual, predicted: [np.abs(_relative(actual, predicted))], lambda means: 100 * means[..., 0]
)
_RMSPE: Final = MeanStatistic(
    lambda actual, predicted: [_relative(actual, predicted) ** 2], lambda means: 100 * np.sqrt(means[..., 0])
)
_RMSE: Final = MeanStatistic(
    lambda actual, predicted: [(predicted - actual) ** 2], lambda means: np.sqrt(means[..., 0])
)

METRICS: Final = (
    _share_within(5),
    _share_within(RANKED_PERCENT),
    _share_within(15),
    Metric(
        key="mape", title="MAPE", short="MAPE %", name="mean absolute error (%)",
        meaning="mean absolute error in percent of the measured energy", unit="%", is_more_better=False,
        statistic=_MAPE, shows_interval=True,
    ),
    Metric(
        key="rmspe", title="RMSPE", short="RMSPE %", name="root mean square error (%)",
        meaning="root mean square error in percent of the measured energy", unit="%", is_more_better=False,
        statistic=_RMSPE,
    ),
    Metric(
        key="rmse_mj", title="RMSE", short="RMSE mJ", name="root mean square error (mJ)",
        meaning="root mean square error in mJ", unit="mJ", is_more_better=False, statistic=_RMSE, form="figure",
    ),
    Metric(
        key="spearman", title="Spearman", short="Spearman", name="rank correlation (Spearman)",
        meaning="rank correlation of predicted and measured energies", unit="", is_more_better=True,
        statistic=MeanStatistic(_ranks, _correlation, is_per_repeat=True), form="correlation",
    ),
)  # fmt: skip
"""Every metric, in the order of files."""
METRIC: Final[Mapping[str, Metric]] = {metric.key: metric for metric in METRICS}
if len(METRIC) < len(METRICS):
    raise TypeError("two metrics have one key")
RANKED: Final = METRIC[f"within_{RANKED_PERCENT}"]
"""Metric that ranks and differences go by."""
