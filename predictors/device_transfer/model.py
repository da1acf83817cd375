"""Few rows of a device, what other devices take for the same kernels, or both, by what predicts its rows better.

Own rows are fitted by a Gaussian process over costs and extents, and few of them by another one of the ratio to their
roofline. Other devices predict the same kernels, each by such a process of its own rows; the device's ratio to their
mean is a process again, smoother than the energy where the devices are alike. How much each counts is decided by the
rows of the device, each predicted by the others.
A device without rows is taken for the mean of the others.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from harness.arrays import Reals, Whole
from harness.evaluation.folds import numbered
from harness.predictor.features import numbered_configurations
from harness.predictor.likeness import placed
from predictors._roofline import roofline_terms
from predictors._rows import energies
from predictors.device_transfer.combined import OWN, DeviceModel, Kernels, OwnRows
from predictors.device_transfer.process import KernelProcess, Points

MOST_OWN: Final = 300
"""Rows of a device from which other devices are left alone: they would add nothing."""
LEAST_OF_OTHERS: Final = 100
"""Rows from which a device is of use for others."""
_N_COMPARED: Final = 200
"""Kernels, drawn at random, on which devices are compared with each other."""
_EXPECTED_APART: Final = 2.0
"""Deviation of the log energies of devices about each other that is expected; it counts as much as one device."""

Words = npt.NDArray[np.str_]


class Model(BaseEstimator):
    """Processes of several devices, and intervals, all fitted on log energy.

    A device is its id with delegate and data type.

    Args:
        random_state: seed of all draws.

    Attributes:
        devices_: model of each device that it was fitted on.
        others_: devices that are of use for others; all where none has rows enough.
        kernels_: kernel types that it was fitted on, sorted.
        apart_: standard deviation of devices' log energies of a kernel about each other.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, kernels: pd.DataFrame) -> Self:
        """Fit every device on its rows, and those of few rows on their ratio to the others, too.

        Args:
            kernels: one row per kernel, with its label `energy_mj`; rows of one configuration of a device count as
                one, of the geometric mean of their energies.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        distinct, logs = _once_each(kernels, energies(kernels))
        rows, devices = _kernels(distinct), _devices(distinct)
        self.kernels_ = tuple(np.unique(rows.points.types).tolist())
        places = {str(name): np.flatnonzero(devices == name) for name in np.unique(devices)}
        of_use = tuple(name for name, own in places.items() if len(own) >= LEAST_OF_OTHERS)
        self.others_ = of_use or tuple(places)
        alone = {name: self._alone(rows.only(own), logs[own]) for name, own in places.items()}
        self.devices_: dict[str, DeviceModel] = {}
        for name, own in places.items():
            others = [alone[other] for other in of_use if other != name]
            elsewhere = _predicted(others, rows.only(own)) if others and len(own) < MOST_OWN else None
            self.devices_[name] = DeviceModel(alone[name], self.random_state).fit(rows.only(own), logs[own], elsewhere)
        drawn = np.random.default_rng(self.random_state).permutation(len(distinct))[:_N_COMPARED]
        compared = self._elsewhere("", rows.only(drawn))
        n = len(self.others_)
        self.apart_ = float(np.sqrt(((n - 1) * _variance(compared) + _EXPECTED_APART**2) / n))
        return self

    def predict(self, kernels: pd.DataFrame) -> Reals:
        """Energy of every kernel.

        Args:
            kernels: one row per kernel, of types that it was fitted on, on any device.

        Returns:
            Energy in mJ, shape `(n,)`.

        Raises:
            ValueError: a kernel type that it was not fitted on.
        """
        predicted = np.empty(len(kernels))
        for name, rows, asked in self._of_devices(kernels):
            elsewhere, known = self._elsewhere(name, asked), self.devices_.get(name)
            predicted[rows] = elsewhere.mean(axis=1) if known is None else known.predict_log(asked, elsewhere)
        return np.exp(predicted)

    def predict_interval(self, kernels: pd.DataFrame, coverage: float) -> Reals:
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
        for name, rows, asked in self._of_devices(kernels):
            elsewhere, known = self._elsewhere(name, asked), self.devices_.get(name)
            if known is None:
                middle, half = elsewhere.mean(axis=1), self._half_width(coverage)
                bounds[rows] = np.column_stack([middle - half, middle + half])
            else:
                bounds[rows] = known.interval_log(asked, elsewhere, coverage)
        return np.exp(bounds)

    def _alone(self, rows: Kernels, log_energy: Reals) -> OwnRows:
        """Model of the rows of one device, without others."""
        process = KernelProcess(OWN, random_state=self.random_state).fit(rows.points, log_energy)
        return OwnRows(process, self.random_state).fit(rows, log_energy, is_few=len(log_energy) < MOST_OWN)

    def _of_devices(self, kernels: pd.DataFrame) -> Iterator[tuple[str, Whole, Kernels]]:
        """Devices, their rows, and the kernels of these; types that it was not fitted on are refused."""
        check_is_fitted(self)
        asked, devices = _kernels(kernels), _devices(kernels)
        unknown = sorted({*asked.points.types.tolist()} - {*self.kernels_})
        if unknown:
            raise ValueError(f"kernel {unknown[0]!r} was not fitted; expected one of {', '.join(self.kernels_)}")
        for name in np.unique(devices):
            rows = np.flatnonzero(devices == name)
            yield str(name), rows, asked.only(rows)

    def _half_width(self, coverage: float) -> float:
        """Half-width of log energy on a device that it was not fitted on."""
        n = len(self.others_)
        return float(self.apart_ * np.sqrt(1 + 1 / n) * t.ppf((1 + coverage) / 2, n))

    def _elsewhere(self, name: str, asked: Kernels) -> Reals:
        """Log energies of kernels on the devices that are of use for one, shape `(n, n_devices)`, which may be none."""
        is_alone = name in self.devices_ and self.devices_[name].ratio_ is None
        others = [] if is_alone else [other for other in self.others_ if other != name]
        return _predicted([self.devices_[other].alone for other in others], asked)


def _predicted(devices: Sequence[OwnRows], asked: Kernels) -> Reals:
    return np.array([device.predict(asked) for device in devices]).reshape(-1, len(asked.points)).T


def _variance(compared: Reals) -> float:
    """Mean variance of devices about their mean; 0 for one device."""
    return float(compared.var(axis=1, ddof=1).mean()) if compared.shape[1] > 1 else 0.0


def _once_each(kernels: pd.DataFrame, energy_mj: Reals) -> tuple[pd.DataFrame, Reals]:
    """One row per device and configuration, in their order, and the mean log energy of each."""
    keys = np.stack([numbered(_devices(kernels)), numbered_configurations(kernels)], axis=1)
    _, first, of_row, counts = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    logs = np.bincount(of_row.ravel(), np.log(energy_mj)) / counts
    return kernels.iloc[first].reset_index(drop=True), logs


def _devices(kernels: pd.DataFrame) -> Words:
    """Device of each row, with delegate and data type, shape `(n,)`."""
    joined = kernels["device_id"] + "/" + kernels["delegate"] + "/" + kernels["dtype"]
    return joined.to_numpy(dtype=str)


def _kernels(kernels: pd.DataFrame) -> Kernels:
    kernel = placed(kernels)
    return Kernels(Points(kernel.features, kernel.costs, kernel.kernel), roofline_terms(kernels))
