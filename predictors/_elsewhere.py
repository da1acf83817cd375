"""Energies of networks on many systems as one table, in which a network that was not measured on a system is NaN."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Reals
from predictors._networks import Words, words_of
from predictors._rows import energies


class Elsewhere(NamedTuple):
    """Log energies by network and system.

    Attributes:
        networks: one row per network and data type, columns of the table without what depends on the system.
        names: network and data type of each, joined; sorted, shape `(n,)`.
        systems: sorted, shape `(m,)`.
        logs: logarithm of the energy in mJ, shape `(n, m)`; NaN where it was not measured.
    """

    networks: pd.DataFrame
    names: Words
    systems: Words
    logs: Reals

    def of(self, system: str) -> Reals:
        """Log energies on one system, shape `(n,)`; NaN on one that it was not fitted on."""
        of_system = self.logs[:, self.systems == system]
        own: Reals = of_system[:, 0] if of_system.size else np.full(len(self.names), np.nan)
        return own

    def asked(self, networks: pd.DataFrame) -> "Iterator[Asked]":
        """Networks that are asked for, those together that are on one system and were measured on the same others.

        Only systems on which a network was measured are of use for its energy.

        Args:
            networks: networks to predict, each on the system of its row, which is none to learn from.
        """
        names, of_row = names_of(networks), words_of(networks, "system_id")
        place = np.searchsorted(self.names, names).clip(max=len(self.names) - 1)
        found = np.where((self.names[place] == names)[:, None], self.logs[place], np.nan)
        found[of_row[:, None] == self.systems[None]] = np.nan
        is_there = np.isfinite(found)
        for system in np.unique(of_row):
            own = np.flatnonzero(of_row == system)
            patterns, group = np.unique(is_there[own], axis=0, return_inverse=True)
            for number, pattern in enumerate(patterns):
                rows, donors = own[group.ravel() == number], np.flatnonzero(pattern)
                yield Asked(str(system), rows, donors, found[np.ix_(rows, donors)])


class Asked(NamedTuple):
    """Networks to predict on one system that were measured on the same other systems.

    Attributes:
        system: system that they are predicted on.
        rows: their rows, shape `(k,)`.
        donors: columns of the other systems, shape `(d,)`.
        logs: log energies of the networks on these, shape `(k, d)`.
    """

    system: str
    rows: npt.NDArray[np.int64]
    donors: npt.NDArray[np.int64]
    logs: Reals


def names_of(networks: pd.DataFrame) -> Words:
    """Network and data type of each row, joined."""
    joined: Any = np.char.add(np.char.add(words_of(networks, "network"), " "), words_of(networks, "dtype"))
    return np.asarray(joined)


def elsewhere(networks: pd.DataFrame) -> Elsewhere:
    """Table of the energies of networks.

    Args:
        networks: one row per network and system, with its label; of several rows of one network on a system, the
            mean of the logarithms counts.

    Raises:
        ValueError: there is no row, or an energy that is not a positive number.
    """
    labels = np.log(energies(networks))
    names, first, row = np.unique(names_of(networks), return_index=True, return_inverse=True)
    systems, column = np.unique(words_of(networks, "system_id"), return_inverse=True)
    sums, counts = np.zeros((len(names), len(systems))), np.zeros((len(names), len(systems)))
    np.add.at(sums, (row, column), labels)
    np.add.at(counts, (row, column), 1)
    logs = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return Elsewhere(networks.iloc[first].reset_index(drop=True), names, systems, logs)


def completed(logs: Reals) -> Reals:
    """Log energies with an estimate where one is missing: the mean of the network and that of the system.

    Args:
        logs: shape `(k, d)`, with at least one energy of every system.
    """
    is_there = np.isfinite(logs)
    of_system = np.nanmean(logs, axis=0)
    differences = np.where(is_there, logs - of_system, 0)
    of_network = differences.sum(axis=1) / np.maximum(is_there.sum(axis=1), 1)
    filled: Reals = np.where(is_there, logs, of_system[None] + of_network[:, None])
    return filled
