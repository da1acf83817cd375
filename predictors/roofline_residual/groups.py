"""Kernel types in groups, each with a fitted model of log energy; it fits none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from predictors._rows import kernel_types

if TYPE_CHECKING:
    from harness.arrays import Mask, Reals
    from harness.predictor.columns import Kernels
    from predictors.roofline_residual.calibrated import CalibratedRoofline


class Groups:
    """Corrected rooflines of groups of kernel types, fitted before.

    Args:
        groups: kernel types that it was fitted on, each with the group that it is fitted in.
        models: model of each group.
    """

    def __init__(self, groups: dict[str, str], models: dict[str, CalibratedRoofline]) -> None:
        self.groups_, self.models_ = groups, models

    def predict(self, kernels: Kernels) -> Reals:
        """Energy of every kernel.

        Args:
            kernels: one row per kernel, of types that it was fitted on.

        Returns:
            Energy in mJ, shape `(n,)`.

        Raises:
            ValueError: a kernel type that it was not fitted on.
        """
        predicted = np.empty(len(kernels))
        for group, chosen in self._rows_of_groups(kernels):
            predicted[chosen] = self.models_[group].predict_log(kernels[chosen])
        return np.exp(predicted)

    def predict_interval(self, kernels: Kernels, coverage: float) -> Reals:
        """Interval that the energy of a kernel lies in with a stated probability, symmetric in log energy.

        Args:
            kernels: as for `predict`.
            coverage: probability, between 0 and 1.

        Returns:
            Lower and upper bound in mJ, shape `(n, 2)`.

        Raises:
            ValueError: a coverage that is no probability, or a kernel type that it was not fitted on.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage = {coverage}; expected a probability between 0 and 1")
        bounds = np.empty((len(kernels), 2))
        for group, chosen in self._rows_of_groups(kernels):
            bounds[chosen] = self.models_[group].predict_log_interval(kernels[chosen], coverage)
        return np.exp(bounds)

    def _rows_of_groups(self, kernels: Kernels) -> list[tuple[str, Mask]]:
        """Groups with their rows; kernel types that it was not fitted on are refused."""
        types = kernel_types(kernels)
        unknown = sorted(set(map(str, types)) - self.groups_.keys())
        if unknown:
            known = ", ".join(self.groups_)
            raise ValueError(f"kernel {unknown[0]!r} was not fitted; expected one of {known}")
        groups = np.array([self.groups_[kernel] for kernel in types], dtype=str)
        return [(str(group), groups == group) for group in np.unique(groups)]
