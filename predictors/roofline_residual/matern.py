"""Mean and deviation of a Gaussian process with scikit-learn's covariances, predicted in large batches."""

from typing import Any, Final, Self

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from harness.arrays import Reals
from predictors.roofline_residual.process import PlainProcess, Process

_START: Final = (1.0, 3.0, 0.05)
_BOUNDS: Final = ((1e-2, 1e2), (0.1, 1e2), (1e-3, 1.0))
"""Constant, length and noise that the search for the greatest likelihood begins with, and between which it stays."""
_JITTER: Final = 1e-10


class MaternProcess(Process):
    """Gaussian process with a Matérn covariance of smoothness 3/2 over standardised features.

    Args:
        kernel: covariance with its hyper-parameters settled; None to find them by maximum likelihood.
        n_settling: rows, drawn at random, that hyper-parameters are found on; likelihoods take the cube of it.
        n_most: rows, drawn at random, that it rests on at most.
        random_state: seed of the draws.

    Attributes:
        kernel_: covariance with its hyper-parameters settled, of the standardised residual.
    """

    def __init__(
        self, kernel: Kernel | None = None, n_settling: int = 200, n_most: int = 400, random_state: int = 0
    ) -> None:
        self.kernel = kernel
        self.n_settling = n_settling
        self.n_most = n_most
        self.random_state = random_state

    def fit(self, X: Reals, y: Reals, noise_variance: Reals | None = None) -> Self:  # noqa: N803
        """Settle the hyper-parameters and the weight of every row.

        The same as scikit-learn's in half the time, because the likelihood, which takes as long, is asked only of the
        rows that hyper-parameters are found on.

        Args:
            X: features, shape `(n, n_features)`.
            y: what is predicted, shape `(n,)`.
            noise_variance: known part of each row's variance about the truth, shape `(n,)`.

        Source:
            Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), algorithm 2.1.
        """
        drawn = np.random.default_rng(self.random_state).permutation(len(y))[: self.n_most]
        self.center_, self.scale_ = X.mean(axis=0), np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), 1.0)
        scaled, target = self._standardised(X)[drawn], y[drawn]
        known = np.zeros(len(drawn)) if noise_variance is None else noise_variance[drawn]
        self.mean_, self.deviation_ = float(target.mean()), float(target.std()) or 1.0
        target, known = (target - self.mean_) / self.deviation_, known / self.deviation_**2 + 1e-10
        self.kernel_ = self.kernel or _settled(scaled[: self.n_settling], target[: self.n_settling])
        self.factor_ = cholesky(self.kernel_(scaled) + np.diag(known), lower=True, check_finite=False)
        covariance = self.kernel_.k1
        self.constant_, self.length_scale_ = covariance.k1.constant_value, covariance.k2.length_scale
        self.points_ = scaled / self.length_scale_
        self.weights_ = self.constant_ * self.deviation_ * cho_solve((self.factor_, True), target, check_finite=False)
        return self

    def plain(self) -> PlainProcess:
        """The same as arrays alone, to predict."""
        inverse = solve_triangular(self.factor_, np.eye(len(self.factor_)), lower=True, check_finite=False)
        return PlainProcess(self, inverse)

    def _known(self, covariance: Reals) -> Reals:
        known: Reals = solve_triangular(self.factor_, covariance, lower=True, check_finite=False)
        return known


def _settled(scaled: Reals, target: Reals) -> Kernel:
    """Covariance of greatest likelihood; as scikit-learn's, but the distances are computed once and not at every step.

    The noise is held above what would let the process pass through every row.

    Source:
        Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.30, 4.17 and 5.9.
    """
    distances = np.sqrt(3) * cdist(scaled, scaled)

    def loss(logs: Reals) -> tuple[float, Reals]:
        """Negative likelihood and its gradient by the logarithms of constant, length and noise."""
        constant, length, noise = np.exp(logs)
        steps = distances / length
        decay = constant * np.exp(-steps)
        covariance = (1 + steps) * decay
        gradients = [covariance.copy(), steps**2 * decay, noise]
        covariance[np.diag_indices_from(covariance)] += noise + _JITTER
        factor = cholesky(covariance, lower=True, check_finite=False)
        inverse = cho_solve((factor, True), np.eye(len(target)), check_finite=False)
        weights = inverse @ target
        both = np.outer(weights, weights) - inverse
        likelihood = -0.5 * target @ weights - np.log(np.diag(factor)).sum() - 0.5 * len(target) * np.log(2 * np.pi)
        by_logs = [0.5 * np.sum(both * part) for part in gradients[:2]] + [0.5 * gradients[2] * np.trace(both)]
        return -likelihood, -np.array(by_logs)

    bounds = [(float(np.log(least)), float(np.log(most))) for least, most in _BOUNDS]
    found: Any = minimize(loss, np.log(_START), jac=True, bounds=bounds, method="L-BFGS-B")
    constant, length, noise = np.exp(found.x)
    return ConstantKernel(constant) * Matern(length, nu=1.5) + WhiteKernel(noise)
