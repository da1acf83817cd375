"""Half-widths of intervals of log energy from errors of cross-validation, and nothing else."""

from typing import Final, Self

import numpy as np
import numpy.typing as npt

from harness.arrays import Reals

Words = npt.NDArray[np.str_]

_LEAST_WINDOW: Final = 10
_WINDOW_SHARE: Final = 0.1
_PRIOR_ROWS: Final = 5
"""Rows of typical errors that the factor of each kernel type starts from."""
_LEAST_SCALE: Final = 1e-6
"""Scale of log energy below which errors are those of arithmetic."""
_UNKNOWN: Final = np.log(2)
"""Error of log energy that is assumed where there is no error to estimate it from."""


class LocalErrors:
    """Distribution of errors in units of a local scale.

    The scale of a row is the mean absolute error of the tenth of the rows (at least ten) whose predicted energies are
    nearest, joined with the deviation that the Gaussian process states of it, times a factor of the kernel type.
    Quantiles of errors in these units are those of all rows.

    They are quantiles for rows held out as those were that it learnt from: at random, or by whole sizes of input or
    window. 90 % intervals covered 91 % of the kernels of DeepEn2023 and 91 to 92 % of those of three simulated
    accelerators held out at random; of kernels with an unseen input size 96 % and 85 to 94 %, of those with an unseen
    kernel size 98 % and 72 to 92 %, of those with most FLOPs 94 % and 76 to 93 %.

    Source:
        Split-conformal quantiles of normalised errors: Lei et al., Distribution-Free Predictive Inference for
        Regression (2018), section 5.2. Beyond the most that as many errors can say, quantiles go on as those of
        Student's t do.
    """

    def fit(self, kernel: Words, log_energy: Reals, deviation: Reals, error: Reals) -> Self:
        """Learn scales and quantiles.

        Args:
            kernel: type of each kernel, shape `(n,)`.
            log_energy: predicted logarithm of energy where the row was held out, shape `(n,)`.
            deviation: standard deviation of its logarithm by the Gaussian process, shape `(n,)`.
            error: error of the prediction, shape `(n,)`.
        """
        if not len(error):
            kernel, log_energy, deviation, error = np.array([""]), np.zeros(1), np.zeros(1), np.array([_UNKNOWN])
        order = np.argsort(log_energy, kind="stable")
        absolute, n = np.abs(error[order]), len(error)
        size = min(max(_LEAST_WINDOW, round(_WINDOW_SHARE * n)), n)
        start = np.clip(np.arange(n) - size // 2, 0, n - size)
        total = np.concatenate([[0.0], np.cumsum(absolute)])
        sums = total[start + size] - total[start]
        self.log_energy_, self.local_ = log_energy[order], sums / size
        # A row's own error would hide in its own scale.
        others = np.maximum(sums - absolute, 0) / (size - 1) if size > 1 else self.local_
        ratios = absolute / _scale(others, deviation[order])
        self.ratios_ = np.sort(ratios / self._fit_factors(kernel[order], ratios))
        return self

    def _fit_factors(self, kernel: Words, ratios: Reals) -> Reals:
        """Learn how many times larger the errors of each type are; return those factors from all rows but each."""
        typical = float(ratios.mean()) or 1.0
        without = np.empty(len(ratios))
        self.factors_: dict[str, float] = {}
        for name in np.unique(kernel):
            chosen = kernel == name
            total, n = ratios[chosen].sum() / typical + _PRIOR_ROWS, chosen.sum() + _PRIOR_ROWS
            self.factors_[str(name)] = float(total / n)
            without[chosen] = (total - ratios[chosen] / typical) / (n - 1)
        return without

    def half_width(self, kernel: Words, log_energy: Reals, deviation: Reals, coverage: float) -> Reals:
        """Half-width of the interval about each predicted logarithm of energy, shape `(n,)`.

        Args:
            kernel: type of each kernel, shape `(n,)`.
            log_energy: predicted logarithm of energy, shape `(n,)`.
            deviation: standard deviation of it by the Gaussian process, shape `(n,)`.
            coverage: probability that the energy lies in the interval.
        """
        local = np.interp(log_energy, self.log_energy_, self.local_)
        factors = np.array([self.factors_.get(name, 1.0) for name in kernel], dtype=np.float64)
        return factors * _scale(local, deviation) * self._quantile(coverage)

    def _quantile(self, coverage: float) -> float:
        n = len(self.ratios_)
        known = n / (n + 1)
        if coverage <= known:
            return float(self.ratios_[int(np.ceil(coverage * (n + 1))) - 1])
        from scipy.special import stdtrit

        beyond, at_most = (float(stdtrit(max(n - 1, 1), (1 + share) / 2)) for share in (coverage, known))
        return float(self.ratios_[-1]) * beyond / at_most


def _scale(local: Reals, deviation: Reals) -> Reals:
    return np.hypot(local, deviation) + _LEAST_SCALE
