"""Energy of a network as the sum over its kernels, with an interval, coverage and what it rests on.

What a predictor cannot speak for is named and never counts as zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.errors import DeepenError
from harness.evaluation.extrapolation import Extrapolation, extrapolations
from harness.evaluation.features import FEATURES, NUMBERS, WORDS
from harness.evaluation.fitted import Fitted
from harness.issues import share_in_words
from harness.schema.networks import NetworkKernel, configuration_of
from harness.schema.results import Interval, Subject
from harness.schema.vocabulary import Dtype

Reals = npt.NDArray[np.float64]

COMMON: Final = 0.5
"""Correlation that is assumed of the errors of two different configurations of one network."""


class CoverageError(DeepenError):
    """Too little of a network can be spoken for; the message names what is missing."""


@dataclass(frozen=True)
class KernelEnergy:
    """One kernel of a network.

    Attributes:
        kernel: entry of its kernel list.
        energy_mj: energy; None where it cannot be told.
        interval_mj: interval of the energy; None where the predictor gives none.
        reason: why the energy cannot be told; empty where it can.
    """

    kernel: NetworkKernel
    energy_mj: float | None = None
    interval_mj: Interval | None = None
    reason: str = ""


@dataclass(frozen=True)
class Missing:
    """Kernels that cannot be spoken for, alike in operator and reason.

    Attributes:
        operator: what is fused.
        reason: why.
        n: number of such kernels.
        flops_share: their share of the network's FLOPs.
    """

    operator: str
    reason: str
    n: int
    flops_share: float

    @property
    def in_words(self) -> str:
        """All of it on one line."""
        return f"{self.n} {self.operator}, {share_in_words(self.flops_share)} of FLOPs: {self.reason}"


@dataclass(frozen=True)
class NetworkEnergy:
    """Energy of one inference of a network.

    Attributes:
        kernels: kernels in order of execution.
        energy_mj: sum over the kernels that can be spoken for.
        interval_mj: interval of that sum; None where the predictor gives none.
        interval_coverage: probability that the interval is meant to hold the sum with.
        extrapolations: where kernels are unlike what was learnt from, with their numbers in the network from 0.
    """

    kernels: tuple[KernelEnergy, ...]
    energy_mj: float
    interval_mj: Interval | None
    interval_coverage: float
    extrapolations: tuple[Extrapolation, ...]

    @property
    def coverage_kernels(self) -> float:
        """Share of kernels that can be spoken for."""
        return sum(not each.reason for each in self.kernels) / len(self.kernels)

    @property
    def coverage_flops(self) -> float:
        """Share of FLOPs in them; that of kernels where a network has no FLOPs."""
        covered = sum(each.kernel.flops for each in self.kernels if not each.reason)
        total = sum(each.kernel.flops for each in self.kernels)
        return covered / total if total else self.coverage_kernels

    @property
    def is_complete(self) -> bool:
        """Whether all kernels can be spoken for; if not, the energy is a part of the network's."""
        return not self.missing

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What cannot be spoken for, the most FLOPs first."""
        return _missing(self.kernels)

    def share(self, places: Sequence[int]) -> float:
        """Share of some kernels, by their numbers from 0, of the energy."""
        return sum(self.kernels[place].energy_mj or 0.0 for place in places) / self.energy_mj


def predict_network(
    kernels: Sequence[NetworkKernel], fitted: Fitted, *, coverage: float = 0.9, at_least: float = 0.9
) -> NetworkEnergy:
    """Energy of one inference of a network on the device that a predictor is fitted for.

    Args:
        kernels: kernel list of the network.
        fitted: predictor.
        coverage: probability that intervals are meant to hold the energy with.
        at_least: share of FLOPs that has to be covered.

    Raises:
        CoverageError: less is covered, or nothing.
        PredictorError: the predictor fails.
    """
    reasons = [_why_not(kernel, fitted) for kernel in kernels]
    found = [KernelEnergy(kernel, reason=reason) for kernel, reason in zip(kernels, reasons, strict=True)]
    places = [place for place, reason in enumerate(reasons) if not reason]
    _check_coverage(NetworkEnergy(tuple(found), 0.0, None, coverage, ()), fitted, at_least)
    covered = [kernels[place] for place in places]
    frame = kernels_frame(covered, fitted.subject, fitted.ranges.processor)
    energies, bounds = fitted.ask(frame, coverage)
    for number, place in enumerate(places):
        interval = None if bounds is None else (float(bounds[number, 0]), float(bounds[number, 1]))
        found[place] = KernelEnergy(kernels[place], float(energies[number]), interval)
    return NetworkEnergy(
        tuple(found),
        float(energies.sum()),
        None if bounds is None else interval_of_sum(energies, bounds, _configurations(covered)),
        coverage,
        tuple(_in_network(extrapolations(frame, fitted.ranges), places)),
    )


def _why_not(kernel: NetworkKernel, fitted: Fitted) -> str:
    """Why a kernel cannot be spoken for; empty where it can."""
    subject = fitted.subject
    if kernel.kernel is None:
        return "has no kernel type"
    if kernel.kernel not in fitted.stamp.kernels:
        where = f"{subject.device_id}, {subject.delegate}"
        return f"{fitted.stamp.predictor} has learnt from no {kernel.kernel} on {where}"
    if kernel.dtype != subject.dtype:
        return f"runs in {kernel.dtype}, not in {subject.dtype}"
    return ""


def _missing(kernels: Sequence[KernelEnergy]) -> tuple[Missing, ...]:
    by_reason: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in kernels:
        if each.reason:
            by_reason[each.kernel.operator, each.reason].append(each.kernel.flops)
    total = max(sum(each.kernel.flops for each in kernels), 1)
    found = [Missing(*why, len(flops), sum(flops) / total) for why, flops in by_reason.items()]
    return tuple(sorted(found, key=lambda item: (-item.flops_share, item.operator, item.reason)))


def _check_coverage(network: NetworkEnergy, fitted: Fitted, at_least: float) -> None:
    share = network.coverage_flops
    is_nothing = all(each.reason for each in network.kernels)
    if share >= at_least and not is_nothing:
        return
    lines = [f"  {item.in_words}" for item in network.missing]
    mend = "" if is_nothing else f"; --at-least {np.floor(share * 1000) / 1000:g} gives the energy of the others"
    raise CoverageError(
        f"{fitted.stamp.predictor} can speak for {share_in_words(share)} of the FLOPs of this network on "
        f"{fitted.subject.device_id}; expected at least {share_in_words(at_least)}{mend}. Missing:\n" + "\n".join(lines)
    )


def kernels_frame(kernels: Sequence[NetworkKernel], subject: Subject, processor: str) -> pd.DataFrame:
    """Kernels of a network as predictors see them.

    Args:
        kernels: entries of a kernel list that have a type.
        subject: device and way of running.
        processor: processor that they run on.

    Returns:
        Columns `FEATURES`, one row a kernel, range index.
    """
    place = {"delegate": subject.delegate, "processor": processor, "device_id": subject.device_id}
    frame = pd.DataFrame([kernel.model_dump() | place for kernel in kernels], columns=list(FEATURES))
    return frame.astype(dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(("kernel", *WORDS), "str"))


def main_dtype(kernels: Sequence[NetworkKernel]) -> Dtype:
    """Data type in which most FLOPs of a network are computed."""
    flops: defaultdict[Dtype, int] = defaultdict(int)
    for kernel in kernels:
        flops[kernel.dtype] += kernel.flops
    return max(flops, key=lambda dtype: flops[dtype])


def interval_of_sum(energies: Reals, bounds: Reals, configurations: Sequence[int]) -> Interval:
    """Interval of the sum over kernels, from the interval of each.

    Kernels of one configuration have one error, so their deviations add up. Errors of different configurations are
    taken to share half of their variance (`COMMON`): that of the device, the runtime and the network's like parts.
    For deviations d on one side of the sum, that gives sqrt(COMMON * (sum d)^2 + (1 - COMMON) * sum d^2), which is
    exact for equally correlated errors of a location-scale family that sums stay in, such as the normal one.
    The interval lies between that of independent errors (0) and the sum of the bounds (1), and one kernel keeps its
    own. On the simulated networks, each of a family that was left out of the fit, 90 % intervals of the roofline made
    so held 92 % of the energies; with independent errors they would have held 58 %, because a predictor is off in one
    direction on networks unlike those that it learnt from.

    Args:
        energies: mJ, shape `(n,)`.
        bounds: lower and upper bound in mJ, shape `(n, 2)`, all of one coverage.
        configurations: configuration of each kernel as a number.

    Returns:
        Lower and upper bound in mJ.

    Source:
        Variance of a sum of equicorrelated variables.

    >>> interval_of_sum(np.array([2.0]), np.array([[1.5, 3.0]]), [0])
    (1.5, 3.0)
    >>> energies, bounds = np.array([3.0, 4.0]), np.array([[2.0, 4.0], [3.0, 5.0]])
    >>> interval_of_sum(energies, bounds, [0, 0])
    (5.0, 9.0)
    >>> [round(bound, 3) for bound in interval_of_sum(energies, bounds, [0, 1])]
    [5.268, 8.732]
    """
    total = float(energies.sum())
    below, above = np.maximum(energies - bounds[:, 0], 0), np.maximum(bounds[:, 1] - energies, 0)
    return total - _joined(below, configurations), total + _joined(above, configurations)


def _joined(deviations: Reals, configurations: Sequence[int]) -> float:
    """Deviation of a sum."""
    own = np.bincount(np.asarray(configurations), weights=deviations)
    return float(np.sqrt(COMMON * own.sum() ** 2 + (1 - COMMON) * (own**2).sum()))


def _configurations(kernels: Sequence[NetworkKernel]) -> list[int]:
    numbers: dict[tuple[tuple[str, str | int], ...], int] = {}
    return [numbers.setdefault(tuple(configuration_of(kernel).items()), len(numbers)) for kernel in kernels]


def _in_network(found: Sequence[Extrapolation], places: Sequence[int]) -> list[Extrapolation]:
    """Extrapolations with the numbers of the kernels in the network."""
    return [
        Extrapolation(each.kernel, each.field, each.found, each.learnt, tuple(places[place] for place in each.places))
        for each in found
    ]


def energy_by_type(network: NetworkEnergy) -> Mapping[str, float]:
    """Energy in mJ of the kernels of each type, most first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for each in network.kernels:
        if each.energy_mj is not None and each.kernel.kernel is not None:
            sums[each.kernel.kernel] += each.energy_mj
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
