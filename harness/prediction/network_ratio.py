"""Ratio of a network's energy to the sum over its kernels, from networks of a system that were measured as a whole.

A kernel that is measured alone takes what the runtime needs for every call, and the layouts that it changes at both
ends; a network takes these once, and keeps data in caches from one kernel to the next. So the sum is not the energy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, log, sqrt
from typing import Final

from harness.schema.results import Interval

LEAST_NETWORKS: Final = 2
"""Networks from which their ratios have a spread."""
_EXPECTED: Final = 0.2
_PRIOR: Final = 2
"""Deviation of log ratios that is expected of any system, and how many degrees of freedom it counts as."""


@dataclass(frozen=True, slots=True)
class NetworkRatio:
    """Ratio of measured energies to the sums over kernels.

    Attributes:
        log_mean: mean of the logarithms.
        deviation: standard deviation of them, drawn to what is expected.
        n: networks that were measured.
    """

    log_mean: float
    deviation: float
    n: int

    @property
    def factor(self) -> float:
        """What sums are multiplied by."""
        return exp(self.log_mean)

    def of(self, energy_mj: float, interval: Interval, coverage: float) -> Interval:
        """Interval of a network's energy, from that of the sum.

        Args:
            energy_mj: sum over the kernels.
            interval: interval of the sum, which has it inside.
            coverage: probability that the energy lies in the interval.

        Source:
            Prediction interval of one more draw of a normal distribution, with Student's t; the errors of the sum and
            of the ratio are taken for independent.
        """
        from scipy.special import stdtrit

        quantile = float(stdtrit(self.n - 1 + _PRIOR, (1 + coverage) / 2))
        own = quantile * self.deviation * sqrt(1 + 1 / self.n)
        below, above = (abs(log(bound / energy_mj)) for bound in interval)
        middle = energy_mj * self.factor
        return middle * exp(-hypot(below, own)), middle * exp(hypot(above, own))


def network_ratio(logs: Sequence[float]) -> NetworkRatio:
    """Ratio of a system.

    Args:
        logs: logarithm of measured over summed energy of each network, at least `LEAST_NETWORKS`.

    >>> found = network_ratio([-0.2, -0.3, -0.1])
    >>> round(found.factor, 3), round(found.deviation, 3), found.n
    (0.819, 0.158, 3)
    """
    mean = sum(logs) / len(logs)
    squares = sum((each - mean) ** 2 for each in logs) + _PRIOR * _EXPECTED**2
    return NetworkRatio(mean, sqrt(squares / (len(logs) - 1 + _PRIOR)), len(logs))
