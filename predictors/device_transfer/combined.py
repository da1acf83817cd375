"""One device: processes of its own rows and of their ratio to other devices, combined and calibrated on its rows."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
from scipy.stats import norm, t
from sklearn.base import BaseEstimator

from harness.arrays import Reals, Whole
from predictors._roofline import fit_roofline
from predictors.device_transfer.process import KernelProcess, Points

OWN: Final = np.log([3.3, 4.0, 2.0, 3.3, 3.3, 2.0, 2.0, 1.5, 0.4, 0.2, 0.4, 0.36, 0.03])
"""Hyper-parameters that are expected of a device's energies, and of their ratios to a roofline."""
RATIO: Final = np.log([3.3, 4.0, 2.0, 3.3, 3.3, 2.0, 2.0, 1.5, 0.25, 0.15, 0.2, 0.06, 0.03])
"""The same of the ratio of its energies to those of other devices."""
_DIFFERENCE: Final = 10.0
"""How much more the ratio changes with what tells the other devices apart than with costs."""
_PRIOR_ROWS: Final = 5
"""Rows with the mean error of all predictions that are counted with those of each: errors of few rows say little."""
_EXPECTED_ERRORS: Final = 10
"""Errors as the process expects them that are counted with those that were found, of which there may be one."""
_LEAST_ERROR: Final = 1e-6


class Kernels(NamedTuple):
    """Kernels to learn from or to predict.

    Attributes:
        points: as processes see them.
        terms: terms of a roofline, shape `(n, 3)`.
    """

    points: Points
    terms: Reals

    def only(self, chosen: Whole) -> "Kernels":
        """Chosen kernels."""
        return Kernels(self.points.only(chosen), self.terms[chosen])


class Told(NamedTuple):
    """What is told of the log energy of kernels.

    Attributes:
        mean: shape `(n,)`.
        deviation: standard deviation, shape `(n,)`.
    """

    mean: Reals
    deviation: Reals


class OwnRows(BaseEstimator):
    """Log energies of one device from its rows: by a process, and of few rows by one of the ratio to their roofline.

    Args:
        own: process of its energies, fitted.
        random_state: seed of the draws that it was fitted with.

    Attributes:
        roofline_: coefficients of the roofline of all its rows; none where it has rows enough without.
        ratios_: process of the ratio to that; likewise.
        shares_: how much each process counts.
        left_out_: error of each row that is predicted by all others, and the deviation that is stated of it.
    """

    def __init__(self, own: KernelProcess, random_state: int = 0) -> None:
        self.own = own
        self.random_state = random_state

    def fit(self, rows: Kernels, log_energy: Reals, *, is_few: bool) -> Self:
        """Fit the ratio where rows are few, and weigh both by their errors on rows left out.

        Args:
            rows: kernels that were measured.
            log_energy: their log energy, shape `(n,)`.
            is_few: whether they are few enough for the roofline to be of use.
        """
        self.roofline_ = fit_roofline(rows.terms, np.exp(log_energy)) if is_few else np.empty(0)
        self.ratios_ = []
        if is_few:
            ratio = log_energy - np.log(rows.terms @ self.roofline_)
            self.ratios_.append(KernelProcess(OWN, random_state=self.random_state).fit(rows.points, ratio))
        left_out = [_left_out(process) for process in (self.own, *self.ratios_)]
        self.shares_ = _shares(left_out)
        self.left_out_ = _mixed(self.shares_, left_out)
        return self

    def predict(self, asked: Kernels) -> Reals:
        """Logarithm of the energy in mJ, shape `(n,)`."""
        means = [self.own.predict(asked.points)]
        means += [np.log(asked.terms @ self.roofline_) + ratio.predict(asked.points) for ratio in self.ratios_]
        mean: Reals = np.array(self.shares_) @ means
        return mean

    def told(self, asked: Kernels) -> Told:
        """Logarithm of the energy in mJ with its deviation."""
        told = [Told(self.own.predict(asked.points), self.own.deviation(asked.points))]
        for ratio in self.ratios_:
            roofline = np.log(asked.terms @ self.roofline_)
            told.append(Told(roofline + ratio.predict(asked.points), ratio.deviation(asked.points)))
        return _mixed(self.shares_, told)


class DeviceModel(BaseEstimator):
    """Log energies of one device.

    Args:
        alone: its rows, fitted.
        random_state: seed of the draws that they were fitted with.

    Attributes:
        ratio_: process of their ratio to the mean of other devices; None where no other device is of use.
        shares_: how much its rows alone count, and how much that ratio.
        quantiles_: errors of rows that were left out, in deviations that were stated of them, sorted.
    """

    def __init__(self, alone: OwnRows, random_state: int = 0) -> None:
        self.alone = alone
        self.random_state = random_state

    def fit(self, rows: Kernels, log_energy: Reals, elsewhere: Reals | None = None) -> Self:
        """Fit the ratio, and weigh it and the rows alone by the inverse squares of their errors on rows left out.

        Args:
            rows: kernels that were measured on it.
            log_energy: their log energy, shape `(n,)`.
            elsewhere: their log energy on other devices, shape `(n, n_devices)`; None where it is to be left alone.
        """
        self.ratio_: KernelProcess | None = None
        left_out = [self.alone.left_out_]
        if elsewhere is not None:
            ratio = log_energy - elsewhere.mean(axis=1)
            process = KernelProcess(RATIO, random_state=self.random_state)
            self.ratio_ = process.fit(_compared(rows.points, elsewhere), ratio)
            left_out.append(_left_out(self.ratio_))
        self.shares_ = _shares(left_out)
        errors = _mixed(self.shares_, left_out)
        expected = norm.ppf((1 + (np.arange(_EXPECTED_ERRORS) + 0.5) / _EXPECTED_ERRORS) / 2)
        self.quantiles_ = np.sort(np.concatenate([np.abs(errors.mean) / errors.deviation, expected]))
        return self

    def predict_log(self, asked: Kernels, elsewhere: Reals) -> Reals:
        """Logarithm of the energy in mJ, shape `(n,)`.

        Args:
            asked: kernels.
            elsewhere: their log energy on other devices, shape `(n, n_devices)`; not used where it was left alone.
        """
        alone = self.alone.predict(asked)
        if self.ratio_ is None:
            return alone
        transferred = elsewhere.mean(axis=1) + self.ratio_.predict(_compared(asked.points, elsewhere))
        mean: Reals = np.array(self.shares_) @ [alone, transferred]
        return mean

    def interval_log(self, asked: Kernels, elsewhere: Reals, coverage: float) -> Reals:
        """Lower and upper bound of the logarithm of the energy in mJ, shape `(n, 2)`.

        Args:
            asked: kernels.
            elsewhere: as for `predict_log`.
            coverage: probability that the energy lies in the interval.

        Source:
            Split-conformal quantiles of normalised errors: Lei et al., Distribution-Free Predictive Inference for
            Regression (2018), section 5.2. Beyond the most that as many errors can say, as Student's t.
        """
        told = [self.alone.told(asked)]
        if self.ratio_ is not None:
            points = _compared(asked.points, elsewhere)
            transferred = elsewhere.mean(axis=1) + self.ratio_.predict(points)
            told.append(Told(transferred, self.ratio_.deviation(points)))
        mean, deviation = _mixed(self.shares_, told)
        half = deviation * _quantile(self.quantiles_, coverage)
        return np.column_stack([mean - half, mean + half])


def _compared(rows: Points, elsewhere: Reals) -> Points:
    """Kernels whose energy may rise with what tells other devices apart, too."""
    apart = elsewhere - elsewhere.mean(axis=1, keepdims=True)
    return Points(rows.features, np.hstack([rows.slopes, _DIFFERENCE * apart]), rows.types)


def _left_out(process: KernelProcess) -> Told:
    """What a process tells of each row that it rests on, from all others: its error and deviation."""
    return Told(process.errors_, process.deviations_)


def _mixed(shares: Sequence[float], told: Sequence[Told]) -> Told:
    """Mean and deviation of a mixture: what each states, and how far they are apart."""
    weights, means = np.array(shares), np.array([each.mean for each in told])
    mean = weights @ means
    squares = np.array([each.deviation**2 for each in told]) + (means - mean) ** 2
    return Told(mean, np.sqrt(weights @ squares))


def _shares(left_out: Sequence[Told]) -> list[float]:
    """Share of each of several predictions, by their errors in rows that were left out; together 1.

    >>> [round(share, 3) for share in _shares([Told(np.full(40, error), np.ones(40)) for error in (1.0, 0.5)])]
    [0.228, 0.772]
    """
    sizes, n_rows = np.array([np.abs(each.mean).mean() for each in left_out]), len(left_out[0].mean)
    inverse = ((n_rows * sizes + _PRIOR_ROWS * sizes.mean()) / (n_rows + _PRIOR_ROWS) + _LEAST_ERROR) ** -2
    shares: list[float] = (inverse / inverse.sum()).tolist()
    return shares


def _quantile(ordered: Reals, coverage: float) -> float:
    n = len(ordered)
    known = n / (n + 1)
    if coverage <= known:
        return float(ordered[int(np.ceil(coverage * (n + 1))) - 1])
    beyond, at_most = (float(t.ppf((1 + share) / 2, n - 1)) for share in (coverage, known))
    return float(ordered[-1]) * beyond / at_most
