"""Error measures of predicted energies: each is one entry of `METRICS`, which every board, card and file derives from.

To add a metric, add an entry. Shares are between 0 and 1; an empty array has no error: NaN.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from harness.arrays import Mask, Reals, Whole

RANKED_PERCENT: Final = 10
"""Ranks go by the share of rows that are off by at most this, in percent of the measured energy."""
FEWEST_FOR_PERCENT: Final = 8
"""Shares of fewer rows are shown as counts: one row of seven is no 14 %."""
_ROUNDING: Final = 1e-9
"""An energy of 1.1 mJ is 10 % above 1 mJ, although its binary fraction is slightly more."""
_MOST_DIGITS: Final = 9
_EXACT: Final = 1e-12
"""Relative difference of a decimal fraction and its binary one."""

IntervalKind = Literal["percentile", "share", "varied"]
Form = Literal["share", "mean-share", "percent", "figure", "correlation"]
RowsOf = Literal["held-out", "twin-free", "covered"]
Counts = npt.NDArray[np.int16]
"""How often rows or groups are drawn, which is far less often than 32,767 times."""


@dataclass(frozen=True)
class PredictedRows:
    """Rows of one repeat with their predictions.

    Attributes:
        actual: measured energies in mJ, all above 0, shape `(n,)`.
        predicted: mJ, shape `(n,)`; NaN where the predictor does not cover the row.
        resolution_mj: unit of the last digit that the energies are given to; 0 where they are exact.
        types: kernel type of each row as a number, shape `(n,)`; negative where it has none. One type where None.
        is_twin: 1 where the fit had a row one extent apart, 0 where it had none, NaN where that is not defined, shape
            `(n,)`. None is a twin where None.
    """

    actual: Reals
    predicted: Reals
    resolution_mj: float = 0.0
    types: Whole | None = None
    is_twin: Reals | None = None

    @property
    def possible(self) -> Reals:
        """Of the energies that are written as the measured one, that which is nearest to the prediction."""
        half = self.resolution_mj / 2
        nearest: Reals = np.clip(self.predicted, self.actual - half, self.actual + half)
        return nearest


@dataclass(frozen=True)
class MeanStatistic:
    """Statistic that follows from means over rows, so that all resamples are one matrix product.

    Attributes:
        terms: from the rows of a repeat: what each adds to each mean, each of shape `(n,)`.
        value: statistic from the means, of shape `(..., n_terms)`.
        is_per_repeat: whether each repeat has a value of its own and these are averaged; otherwise terms are.
    """

    terms: Callable[[PredictedRows], Sequence[Reals | Mask]]
    value: Callable[[Reals], Reals]
    is_per_repeat: bool = False


@dataclass(frozen=True)
class WeightedStatistic:
    """Statistic that no means give, such as a median; each repeat has a value of its own, and these are averaged.

    Attributes:
        value: statistic from the rows of a repeat, and from their weights, shape `(..., n)`: how often each counts.
    """

    value: Callable[[PredictedRows, Counts], Reals]


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
        statistic: function of the rows.
        rows: rows that it is over: all that are held out, where one that is not covered is a miss; those without a
            twin in training, likewise; or those that the predictor covers, because a miss has no value.
        interval: how its 95 % interval comes about: percentiles of the resamples; the same with the exact interval
            of a share where both percentiles are 0 or 1; or the same and none where no resample varies it.
        form: how it is shown; a share, and a mean of shares, is shown in percent.
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
    rows: RowsOf = "covered"
    interval: IntervalKind = "percentile"
    form: Form = "percent"
    shows_interval: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.statistic, (MeanStatistic, WeightedStatistic)):
            raise TypeError(f"{self.key}: its statistic is neither of means nor of weights")

    def of(self, actual: Reals, predicted: Reals, resolution_mj: float = 0.0) -> float:
        """Value of one set of predictions of one kernel type; NaN where there is none.

        Args:
            actual: mJ, shape `(n,)`, all above 0.
            predicted: mJ, shape `(n,)`.
            resolution_mj: unit of the last digit that the energies are given to; 0 where they are exact.

        >>> METRIC["mape"].of(np.array([1.0, 2.0]), np.array([1.25, 1.0]))
        37.5
        >>> METRIC["within_10"].of(np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.1, 0.9, 1.2, np.nan]))
        0.5
        """
        if not len(actual):
            return float("nan")
        rows = PredictedRows(actual, predicted, resolution_mj)
        if isinstance(self.statistic, WeightedStatistic):
            return float(self.statistic.value(rows, np.ones(len(actual), dtype=np.int16)))
        return float(self.statistic.value(columns_of(self.statistic, rows).mean(axis=0)))


def resolution(energies_mj: Reals) -> float:
    """Unit of the last decimal that energies are given to, in mJ; 0 where they are given to more than nine decimals.

    An energy of 0.002 mJ that is given to 0.001 mJ may be a quarter off, which no predictor can know.

    Args:
        energies_mj: all energies of one subject, shape `(n,)`.

    >>> resolution(np.array([0.002, 1.25])), resolution(np.array([20.0, 3.0])), resolution(np.array([1 / 3]))
    (0.001, 1.0, 0.0)
    """
    for digits in range(_MOST_DIGITS + 1):
        if np.allclose(energies_mj, energies_mj.round(digits), rtol=_EXACT, atol=0):
            return float(f"1e-{digits}")
    return 0.0


def in_count(share: float, n: float) -> str:
    """Share of few rows as a count of them; a mean over repeats may be none that is whole.

    >>> in_count(5 / 7, 7), in_count(0.68, 5), in_count(-2 / 7, 7)
    ('5 of 7', '3.4 of 5', '-2 of 7')
    """
    return f"{round(share * n, 1):g} of {round(n, 1):g}"


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


def columns_of(statistic: MeanStatistic, rows: PredictedRows) -> Reals:
    """Terms of a statistic as columns, shape `(n, n_terms)`."""
    return np.stack(statistic.terms(rows), axis=-1).astype(np.float64)


def _relative(actual: Reals, predicted: Reals) -> Reals:
    relative: Reals = (predicted - actual) / actual
    return relative


def _errors(rows: PredictedRows) -> Reals:
    return _relative(rows.actual, rows.predicted)


def _share_within(percent: int) -> Metric:
    return Metric(
        key=f"within_{percent}",
        title=f"Within ±{percent} %",
        short=f"±{percent} %",
        name=f"share within ±{percent} %",
        meaning=f"share of the held-out rows whose prediction is off by at most {percent} % of the measured energy",
        unit="%",
        is_more_better=True,
        statistic=MeanStatistic(
            lambda rows: [is_within(rows.actual, rows.predicted, percent)], lambda means: means[..., 0]
        ),
        rows="held-out",
        interval="share",
        form="share",
        shows_interval=percent == RANKED_PERCENT,
    )


def _hits_by_type(rows: PredictedRows) -> list[Reals | Mask]:
    """By kernel type, rows within the bound of a possible energy, and rows."""
    off = np.abs(rows.predicted - rows.possible) / rows.actual
    is_hit = off <= RANKED_PERCENT / 100 + _ROUNDING
    types = np.zeros(len(is_hit), dtype=np.int64) if rows.types is None else rows.types
    # With rows of no type alone, there is one pair of columns without a row.
    of_types = [types == number for number in np.unique(types[types >= 0])] or [np.zeros(len(is_hit), dtype=np.bool_)]
    return [column for is_own in of_types for column in (is_hit & is_own, is_own)]


def _mean_over_types(means: Reals) -> Reals:
    """Mean of the shares of the types that have a row; NaN where none has."""
    hits, rows = means[..., 0::2], means[..., 1::2]
    shares = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
    return _ratio(shares.sum(axis=-1), np.sum(rows > 0, axis=-1, dtype=np.float64))


def _hits_without_twin(rows: PredictedRows) -> list[Reals | Mask]:
    """Rows within the bound without a twin in training, and rows without one."""
    is_free = np.ones(len(rows.actual), dtype=np.bool_) if rows.is_twin is None else rows.is_twin == 0
    return [is_within(rows.actual, rows.predicted, RANKED_PERCENT) & is_free, is_free]


def _ratio(of: Reals, to: Reals) -> Reals:
    """Quotient; NaN where the divisor is 0."""
    quotient: Reals = np.divide(of, to, out=np.full(np.shape(to), np.nan), where=np.not_equal(to, 0))
    return quotient


def _median_log_error(rows: PredictedRows, weights: Counts) -> Reals:
    """Median of the absolute log error beyond rounding; between the middle two where both sides weigh the same."""
    errors = np.abs(np.log(rows.predicted / rows.possible))
    order = np.argsort(errors)
    # Sums over all weightings in one, so that one search finds where each of them reaches its half.
    reached = np.cumsum(weights[..., order], dtype=np.int64)
    ends = reached[len(order) - 1 :: len(order)]
    half = np.append(0, ends[:-1]) + np.diff(ends, prepend=0) / 2 if len(ends) else ends
    low, high = (
        (np.searchsorted(reached, half, side) % len(order)).reshape(weights.shape[:-1]) for side in ("left", "right")
    )
    median: Reals = (errors[order][low] + errors[order][high]) / 2
    return median


def _ranks(rows: PredictedRows) -> list[Reals]:
    """Terms of the rank correlation; ranks are those among all rows, also where a resample holds only some of them."""
    # Centred ranks keep sums of squares small.
    one, other = (rankdata(values) - (len(values) + 1) / 2 for values in (rows.actual, rows.predicted))
    return [one, other, one * one, other * other, one * other]


def _correlation(means: Reals) -> Reals:
    """Rank correlation, equal values sharing their mean rank; NaN where either side does not vary."""
    one, other, one_one, other_other, one_other = np.moveaxis(means, -1, 0)
    spread = np.maximum(one_one - one**2, 0) * np.maximum(other_other - other**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(spread > _ROUNDING, (one_other - one * other) / np.sqrt(spread), np.nan)
    return np.clip(correlation, -1, 1)


_MAPE: Final = MeanStatistic(lambda rows: [np.abs(_errors(rows))], lambda means: 100 * means[..., 0])
_RMSPE: Final = MeanStatistic(lambda rows: [_errors(rows) ** 2], lambda means: 100 * np.sqrt(means[..., 0]))
_RMSE: Final = MeanStatistic(lambda rows: [(rows.predicted - rows.actual) ** 2], lambda means: np.sqrt(means[..., 0]))
_OF_ENERGY: Final = MeanStatistic(
    lambda rows: [np.abs(rows.predicted - rows.possible), rows.actual],
    lambda means: 100 * means[..., 0] / means[..., 1],
)
_BEYOND_ROUNDING: Final = "where an error counts only beyond half a unit of the last digit of the energies"

METRICS: Final = (
    _share_within(5),
    _share_within(RANKED_PERCENT),
    _share_within(15),
    Metric(
        key="macro_within_10", title="Mean of types, ±10 % beyond rounding",
        short="types ±10 % r", name="mean over kernel types of the share within ±10 % beyond rounding",
        meaning="mean over the kernel types of the share of their held-out rows whose prediction is off by at most "
        f"10 % of the measured energy, {_BEYOND_ROUNDING}",
        unit="%", is_more_better=True, statistic=MeanStatistic(_hits_by_type, _mean_over_types), rows="held-out",
        interval="varied", form="mean-share",
    ),
    Metric(
        key="twin_free_within_10", title="Without twins, within ±10 %", short="no twin ±10 %",
        name="share within ±10 % of rows without a twin in training",
        meaning="share of the held-out rows whose prediction is off by at most 10 % of the measured energy, of those "
        "without a training row that differs in one extent only",
        unit="%", is_more_better=True,
        statistic=MeanStatistic(_hits_without_twin, lambda means: _ratio(means[..., 0], means[..., 1])),
        rows="twin-free", interval="share", form="share",
    ),
    Metric(
        key="mape", title="MAPE", short="MAPE %", name="mean absolute error (%)",
        meaning="mean absolute error in percent of the measured energy", unit="%", is_more_better=False,
        statistic=_MAPE, shows_interval=True,
    ),
    Metric(
        key="median_log_error", title="Median log error beyond rounding", short="median log r",
        name="median absolute log error beyond rounding",
        meaning=f"median of the absolute natural logarithm of predicted over measured energy, {_BEYOND_ROUNDING}",
        unit="", is_more_better=False, statistic=WeightedStatistic(_median_log_error), form="figure",
    ),
    Metric(
        key="energy_weighted_error", title="Energy-weighted error beyond rounding",
        short="weighted r %", name="energy-weighted error beyond rounding (%)",
        meaning="sum of the absolute errors in percent of the sum of the measured energies, so that rows count by "
        f"their energy, {_BEYOND_ROUNDING}",
        unit="%", is_more_better=False, statistic=_OF_ENERGY,
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
