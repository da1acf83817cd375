"""One device: a process of its own rows and one of its ratio to other devices, combined and calibrated on its rows."""

from typing import Final, Self

import numpy as np
from scipy.stats import norm, t
from sklearn.base import BaseEstimator

from harness.arrays import Reals
from predictors.device_transfer.process import KernelProcess, Points

OWN: Final = np.log([3.3, 4.0, 2.0, 3.3, 3.3, 2.0, 2.0, 1.5, 0.4, 0.2, 0.4, 0.36, 0.03])
"""Hyper-parameters that are expected of a device's energies."""
RATIO: Final = np.log([3.3, 4.0, 2.0, 3.3, 3.3, 2.0, 2.0, 1.5, 0.25, 0.15, 0.2, 0.06, 0.03])
"""The same of the ratio of its energies to those of other devices."""
_DIFFERENCE: Final = 10.0
"""How much more the ratio changes with what tells the other devices apart than with costs."""
_EXPECTED_ERRORS: Final = 10
"""Errors as the process expects them that are counted with those that were found, of which there may be one."""
_LEAST_ERROR: Final = 1e-6


class DeviceModel(BaseEstimator):
    """Log energies of one device.

    Args:
        own: fitted process of its rows.
        random_state: seed of the draws that it was fitted with.

    Attributes:
        ratio_: process of their ratio to the mean of other devices; None where no other device is of use.
        share_: how much the latter counts.
        quantiles_: errors of rows that were left out, in deviations that were stated of them, sorted.
    """

    def __init__(self, own: KernelProcess, random_state: int = 0) -> None:
        self.own = own
        self.random_state = random_state

    def fit(self, rows: Points, log_energy: Reals, elsewhere: Reals | None = None) -> Self:
        """Fit the ratio, and weigh each process by the inverse square of its mean absolute error on rows left out.

        Args:
            rows: kernels that were measured on it.
            log_energy: their log energy, shape `(n,)`.
            elsewhere: their log energy on other devices, shape `(n, n_devices)`; None where it is to be left alone.
        """
        self.ratio_: KernelProcess | None = None
        self.share_ = 0.0
        errors, deviations = self.own.errors_, self.own.deviations_
        if elsewhere is not None:
            ratio = log_energy - elsewhere.mean(axis=1)
            self.ratio_ = KernelProcess(RATIO, random_state=self.random_state).fit(_compared(rows, elsewhere), ratio)
            of_own, of_ratio = (np.mean(np.abs(process.errors_)) + _LEAST_ERROR for process in (self.own, self.ratio_))
            self.share_ = float(of_own**2 / (of_own**2 + of_ratio**2))
            errors = self._mixed(errors, self.ratio_.errors_)
            deviations = self._mixed(deviations, self.ratio_.deviations_)
        expected = norm.ppf((1 + (np.arange(_EXPECTED_ERRORS) + 0.5) / _EXPECTED_ERRORS) / 2)
        self.quantiles_ = np.sort(np.concatenate([np.abs(errors) / deviations, expected]))
        return self

    def predict_log(self, rows: Points, elsewhere: Reals) -> Reals:
        """Logarithm of the energy in mJ, shape `(n,)`.

        Args:
            rows: kernels.
            elsewhere: their log energy on other devices, shape `(n, n_devices)`; not used where it was left alone.
        """
        own = self.own.predict(rows)
        if self.ratio_ is None:
            return own
        return self._mixed(own, elsewhere.mean(axis=1) + self.ratio_.predict(_compared(rows, elsewhere)))

    def half_width(self, rows: Points, elsewhere: Reals, coverage: float) -> Reals:
        """Half-width of the interval about each predicted log energy, shape `(n,)`.

        Args:
            rows: kernels.
            elsewhere: as for `predict_log`.
            coverage: probability that the energy lies in the interval.

        Source:
            Split-conformal quantiles of normalised errors: Lei et al., Distribution-Free Predictive Inference for
            Regression (2018), section 5.2. Beyond the most that as many errors can say, as Student's t.
        """
        deviation = self.own.deviation(rows)
        if self.ratio_ is not None:
            deviation = self._mixed(deviation, self.ratio_.deviation(_compared(rows, elsewhere)))
        return deviation * _quantile(self.quantiles_, coverage)

    def _mixed(self, own: Reals, transferred: Reals) -> Reals:
        mixed: Reals = (1 - self.share_) * own + self.share_ * transferred
        return mixed


def _compared(rows: Points, elsewhere: Reals) -> Points:
    """Kernels whose energy may rise with what tells other devices apart, too."""
    apart = elsewhere - elsewhere.mean(axis=1, keepdims=True)
    return Points(rows.features, np.hstack([rows.slopes, _DIFFERENCE * apart]), rows.types)


def _quantile(ordered: Reals, coverage: float) -> float:
    n = len(ordered)
    known = n / (n + 1)
    if coverage <= known:
        return float(ordered[int(np.ceil(coverage * (n + 1))) - 1])
    beyond, at_most = (float(t.ppf((1 + share) / 2, n - 1)) for share in (coverage, known))
    return float(ordered[-1]) * beyond / at_most
