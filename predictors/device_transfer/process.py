"""Gaussian process over kernels of all types whose hyper-parameters are drawn to expected ones, so that few rows do."""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from sklearn.base import BaseEstimator

from harness.arrays import Mask, Reals

N_FEATURES: Final = 8
_DEVIATION: Final = 0.5
"""Deviation of the logarithm of every hyper-parameter about the expected one."""
_LEVEL: Final = 25.0
"""Variance of the level of all rows, which is as good as unknown."""
_LEAST_NOISE: Final = 1e-8
_N_SETTLING: Final = 80
"""Rows, drawn at random, that hyper-parameters are settled on; likelihoods take the cube of it."""
_ITERATIONS: Final = 40


class Points:
    """Kernels as the process sees them.

    Args:
        features: where each kernel is, shape `(n, N_FEATURES)`.
        slopes: what log energy may rise with, shape `(n, n_slopes)`.
        types: kernel type of each, shape `(n,)`.
    """

    def __init__(self, features: Reals, slopes: Reals, types: npt.NDArray[np.str_]) -> None:
        self.features = features
        self.slopes = slopes
        self.types = types

    def __len__(self) -> int:
        return len(self.types)

    def only(self, chosen: npt.NDArray[np.int64]) -> "Points":
        """Chosen kernels."""
        return Points(self.features[chosen], self.slopes[chosen], self.types[chosen])


class KernelProcess(BaseEstimator):
    """Log energy as a level, one for each type, slopes, and Matérn processes that types share and have of their own.

    Args:
        expected: natural logarithms of the hyper-parameters that are expected, shape `(N_FEATURES + 5,)`: lengths of
            the features; deviations of the shared process, of those of types, of levels of types, and of slopes; and
            that of the noise.
        n_most: rows, drawn at random, that it rests on at most.
        random_state: seed of the draws.

    Attributes:
        settled_: logarithms of the hyper-parameters of greatest posterior density.
        errors_: error of each row that it rests on by all others, shape `(n,)`.
        deviations_: standard deviation that the others state of it, noise included, shape `(n,)`.

    Source:
        Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): equations 5.9 for the likelihood and
        its gradient, 5.12 for leaving one out, algorithm 2.1 for the prediction.
    """

    def __init__(self, expected: Reals, n_most: int = 800, random_state: int = 0) -> None:
        self.expected = expected
        self.n_most = n_most
        self.random_state = random_state

    def fit(self, points: Points, log_energy: Reals) -> Self:
        """Settle the hyper-parameters and the weight of every row.

        Args:
            points: kernels.
            log_energy: what is predicted, shape `(n,)`.
        """
        drawn = np.random.default_rng(self.random_state).permutation(len(points))[: self.n_most]
        rows, target = points.only(drawn), log_energy[drawn]
        self.mean_ = float(target.mean())
        target = target - self.mean_
        self.settled_ = _settled(rows.only(np.arange(len(rows))[:_N_SETTLING]), target[:_N_SETTLING], self.expected)
        self.features_, self.slopes_, self.types_ = rows.features, rows.slopes, rows.types
        noise = np.exp(2 * self.settled_[-1]) + _LEAST_NOISE
        self.factor_ = cholesky(
            _covariance(self.settled_, rows, rows) + noise * np.eye(len(rows)), lower=True, check_finite=False
        )
        self.weights_ = cho_solve((self.factor_, True), target, check_finite=False)
        inverse = solve_triangular(self.factor_, np.eye(len(rows)), lower=True, check_finite=False)
        precision = (inverse**2).sum(axis=0)
        self.errors_, self.deviations_ = self.weights_ / precision, 1 / np.sqrt(precision)
        return self

    def predict(self, points: Points) -> Reals:
        """Mean of the process at every kernel, shape `(n,)`."""
        predicted: Reals = self.mean_ + self._covariances(points) @ self.weights_
        return predicted

    def deviation(self, points: Points) -> Reals:
        """Standard deviation of a measured log energy at every kernel, noise included, shape `(n,)`."""
        known = solve_triangular(self.factor_, self._covariances(points).T, lower=True, check_finite=False)
        left = _variance(self.settled_, points) - np.einsum("ij,ij->j", known, known)
        deviation: Reals = np.sqrt(np.maximum(left, 0) + np.exp(2 * self.settled_[-1]))
        return deviation

    def _covariances(self, points: Points) -> Reals:
        return _covariance(self.settled_, points, Points(self.features_, self.slopes_, self.types_))


def _covariance(logs: Reals, one: Points, other: Points) -> Reals:
    shared, of_type, level, slope = np.exp(2 * logs[N_FEATURES : N_FEATURES + 4])
    lengths = np.exp(logs[:N_FEATURES])
    left, right = one.features / lengths, other.features / lengths
    squared = left @ (-2 * right.T)
    squared += (left**2).sum(axis=1)[:, None]
    squared += (right**2).sum(axis=1)
    distance = np.sqrt(3 * np.maximum(squared, 0))
    covariance: Reals = np.exp(-distance)
    covariance *= distance + 1
    same = _same_type(one, other)
    covariance *= np.where(same, shared + of_type, shared)
    covariance += np.where(same, _LEVEL + level, _LEVEL)
    covariance += (slope * one.slopes) @ other.slopes.T
    return covariance


def _same_type(one: Points, other: Points) -> Mask:
    """Whether two kernels are of one type, shape `(n_one, n_other)`; numbers are compared faster than words."""
    _, number = np.unique(np.concatenate([one.types, other.types]), return_inverse=True)
    same: Mask = number[: len(one), None] == number[len(one) :]
    return same


def _variance(logs: Reals, points: Points) -> Reals:
    """Diagonal of the covariance of kernels with themselves."""
    shared, of_type, level, slope = np.exp(2 * logs[N_FEATURES : N_FEATURES + 4])
    variance: Reals = _LEVEL + level + shared + of_type + slope * (points.slopes**2).sum(axis=1)
    return variance


def _settled(rows: Points, target: Reals, expected: Reals) -> Reals:
    """Hyper-parameters of greatest posterior density, log-normal about the expected ones."""
    squares = (rows.features.T[:, :, None] - rows.features.T[:, None]) ** 2
    same, lines = (rows.types[:, None] == rows.types[None]).astype(np.float64), rows.slopes @ rows.slopes.T
    unit = np.eye(len(target))

    def loss(logs: Reals) -> tuple[float, Reals]:
        shared, of_type, level, slope, noise = np.exp(2 * logs[N_FEATURES:])
        inverse_lengths = np.exp(-2 * logs[:N_FEATURES])
        distance = np.sqrt(3 * np.tensordot(inverse_lengths, squares, 1))
        decay = np.exp(-distance)
        alike, amplitude = (1 + distance) * decay, shared + of_type * same
        covariance = _LEVEL + level * same + slope * lines + amplitude * alike + (noise + _LEAST_NOISE) * unit
        factor = cholesky(covariance, lower=True, check_finite=False)
        weights = cho_solve((factor, True), target, check_finite=False)
        slack = np.outer(weights, weights) - cho_solve((factor, True), unit, check_finite=False)
        of_lengths = 3 * inverse_lengths * np.tensordot(squares, slack * amplitude * decay, 2)
        parts = (shared * alike, of_type * same * alike, level * same, slope * lines, noise * unit)
        of_parts = [2 * np.vdot(slack, part) for part in parts]
        away = (logs - expected) / _DEVIATION
        value = 0.5 * target @ weights + np.log(np.diag(factor)).sum() + 0.5 * away @ away
        return float(value), away / _DEVIATION - 0.5 * np.concatenate([of_lengths, of_parts])

    found: Reals = minimize(loss, expected, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS}).x
    return found
