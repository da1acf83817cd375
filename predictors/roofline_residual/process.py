"""Mean and deviation of a Gaussian process that is fitted, from arrays alone; it fits none."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

import numpy as np

from harness.arrays import Reals

_BLOCK: Final = 512
"""Rows predicted at once, so that their distances stay in the processor's cache."""


class Process(ABC):
    """A Gaussian process with a Matérn covariance of smoothness 3/2.

    Attributes:
        center_: mean of each feature, shape `(n_features,)`.
        scale_: deviation of each feature, likewise.
        constant_: variance of the process, of the standardised residual.
        length_scale_: length over which standardised features correlate.
        points_: rows that it rests on, in units of that length, shape `(n_points, n_features)`.
        weights_: weight of each, shape `(n_points,)`.
        mean_: mean of the residual.
        deviation_: standard deviation of the residual.
    """

    center_: Reals
    scale_: Reals
    constant_: float
    length_scale_: float
    points_: Reals
    weights_: Reals
    mean_: float
    deviation_: float

    def predict(self, X: Reals) -> Reals:  # noqa: N803
        """Mean of the process at every row, shape `(n,)`.

        The same as scikit-learn's, several times as fast, because distances come of a matrix product.
        """
        predicted = np.empty(len(X))
        for rows, correlation in self._correlations(X):
            predicted[rows] = correlation @ self.weights_
        return self.mean_ + predicted

    def deviation(self, X: Reals) -> Reals:  # noqa: N803
        """Standard deviation of the process at every row, without noise, shape `(n,)`."""
        variance = np.empty(len(X))
        for rows, correlation in self._correlations(X):
            known = self._known(self.constant_ * correlation.T)
            variance[rows] = self.constant_ - np.einsum("ij,ij->j", known, known)
        return self.deviation_ * np.sqrt(np.maximum(variance, 0))

    @abstractmethod
    def _known(self, covariance: Reals) -> Reals:
        """Covariance with the points, shape `(n_points, n)`, divided by the factor of that among the points."""

    def _standardised(self, X: Reals) -> Reals:  # noqa: N803
        return (X - self.center_) / self.scale_

    def _correlations(self, X: Reals) -> Iterator[tuple[slice, Reals]]:  # noqa: N803
        """Blocks of rows with their correlations to the rows that it rests on, shape `(n_block, n_points)`."""
        scaled = self._standardised(X) / self.length_scale_
        squared = np.einsum("ij,ij->i", self.points_, self.points_)
        for start in range(0, len(X), _BLOCK):
            block = scaled[start : start + _BLOCK]
            distance = block @ (-2 * self.points_.T)
            distance += squared
            distance += np.einsum("ij,ij->i", block, block)[:, None]
            np.maximum(distance, 0, out=distance)
            distance *= 3
            np.sqrt(distance, out=distance)
            yield slice(start, start + len(block)), (1 + distance) * np.exp(-distance)


class PlainProcess(Process):
    """A process that was fitted before.

    Args:
        fitted: the process.
        inverse: inverse of the factor of the covariance among its points, shape `(n_points, n_points)`.
    """

    def __init__(self, fitted: Process, inverse: Reals) -> None:
        for name in Process.__annotations__:
            setattr(self, name, getattr(fitted, name))
        self.inverse_ = inverse

    def _known(self, covariance: Reals) -> Reals:
        return self.inverse_ @ covariance
