"""Energy of a network as the sum over its kernels, with an interval, coverage and extrapolations.

Unsupported kernels are listed and never count as zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.errors import DeepenError
from harness.issues import share_in_words
from harness.prediction.extrapolation import Extrapolation, extrapolations
from harness.prediction.fitted_predictor import FittedPredictor
from harness.prediction.sum_interval import interval_of_sum
from harness.predictor.features import FEATURES, NUMBERS, WORDS, numbered_configurations
from harness.schema.networks import NetworkKernel
from harness.schema.results import Interval, Subject
from harness.schema.vocabulary import Dtype

Reals = npt.NDArray[np.float64]


class CoverageError(DeepenError):
    """Too little of a network is supported; the message lists the unsupported kernels."""


@dataclass(frozen=True)
class KernelEnergy:
    """One kernel of a network.

    Attributes:
        kernel: entry of its kernel list.
        energy_mj: energy; None where the kernel is unsupported.
        interval_mj: interval of the energy; None where the predictor gives none.
        reason: why the kernel is unsupported; empty where it is supported.
    """

    kernel: NetworkKernel
    energy_mj: float | None = None
    interval_mj: Interval | None = None
    reason: str = ""


@dataclass(frozen=True)
class UnsupportedKernels:
    """Kernels without a predicted energy, of one operator and for one reason.

    Attributes:
        operator: operators that are fused, joined by +.
        reason: why.
        n: number of such kernels.
        flops_share: their share of the network's FLOPs; None where these, or the network's, are unknown.
    """

    operator: str
    reason: str
    n: int
    flops_share: float | None

    @property
    def in_words(self) -> str:
        """Number, operator, share and reason on one line."""
        share = "an unknown share" if self.flops_share is None else share_in_words(self.flops_share)
        return f"{self.n} {self.operator}, {share} of FLOPs: {self.reason}"


@dataclass(frozen=True)
class NetworkEnergy:
    """Energy of one inference of a network.

    Attributes:
        kernels: kernels in order of execution.
        energy_mj: sum over the supported kernels.
        interval_mj: interval of that sum; None where the predictor gives none.
        interval_coverage: nominal coverage of the interval, a probability.
        extrapolations: where kernels differ from all rows of the fit, with their numbers in the network from 0.
    """

    kernels: tuple[KernelEnergy, ...]
    energy_mj: float
    interval_mj: Interval | None
    interval_coverage: float
    extrapolations: tuple[Extrapolation, ...]

    @property
    def coverage_kernels(self) -> float:
        """Share of kernels that are supported."""
        return sum(not each.reason for each in self.kernels) / len(self.kernels)

    @property
    def coverage_flops(self) -> float | None:
        """Share of FLOPs in supported kernels; None where FLOPs are unknown, that of kernels where there are none."""
        if any(each.kernel.flops is None for each in self.kernels):
            return None
        covered = sum(each.kernel.flops or 0 for each in self.kernels if not each.reason)
        total = sum(each.kernel.flops or 0 for each in self.kernels)
        return covered / total if total else self.coverage_kernels

    @property
    def is_complete(self) -> bool:
        """Whether all kernels are supported; if not, the energy is a part of the network's."""
        return not self.unsupported

    @property
    def unsupported(self) -> tuple[UnsupportedKernels, ...]:
        """Unsupported kernels, those with most FLOPs first."""
        return _unsupported(self.kernels)

    def share(self, places: Sequence[int]) -> float:
        """Share of some kernels, by their numbers from 0, of the energy."""
        return sum(self.kernels[place].energy_mj or 0.0 for place in places) / self.energy_mj


def predict_network(
    kernels: Sequence[NetworkKernel], fitted: FittedPredictor, *, coverage: float = 0.9, at_least: float = 0.9
) -> NetworkEnergy:
    """Energy of one inference of a network on the device that a predictor is fitted for.

    Args:
        kernels: kernel list of the network.
        fitted: predictor.
        coverage: nominal coverage of intervals, a probability.
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
    energies, bounds = fitted.predict(frame, coverage)
    for number, place in enumerate(places):
        interval = None if bounds is None else (float(bounds[number, 0]), float(bounds[number, 1]))
        found[place] = KernelEnergy(kernels[place], float(energies[number]), interval)
    return NetworkEnergy(
        tuple(found),
        float(energies.sum()),
        None if bounds is None else interval_of_sum(energies, bounds, numbered_configurations(frame)),
        coverage,
        tuple(_in_network(extrapolations(frame, fitted.ranges), places)),
    )


def _why_not(kernel: NetworkKernel, fitted: FittedPredictor) -> str:
    """Why a kernel is unsupported; empty where it is supported."""
    subject = fitted.subject
    if kernel.kernel is None:
        return "has no kernel type" if kernel.flops is not None else "has no kernel type, and its FLOPs are unknown"
    if kernel.kernel not in fitted.stamp.kernels:
        where = f"{subject.device_id}, {subject.delegate}"
        return f"{fitted.stamp.predictor} was fitted on no {kernel.kernel} of {where}"
    if kernel.dtype != subject.dtype:
        return f"runs in {kernel.dtype}, not in {subject.dtype}"
    return ""


def _unsupported(kernels: Sequence[KernelEnergy]) -> tuple[UnsupportedKernels, ...]:
    by_reason: defaultdict[tuple[str, str], list[int | None]] = defaultdict(list)
    for each in kernels:
        if each.reason:
            by_reason[each.kernel.operator, each.reason].append(each.kernel.flops)
    is_known = all(each.kernel.flops is not None for each in kernels)
    total = max(sum(each.kernel.flops or 0 for each in kernels), 1)
    found = [
        UnsupportedKernels(*why, len(flops), sum(count or 0 for count in flops) / total if is_known else None)
        for why, flops in by_reason.items()
    ]
    return tuple(sorted(found, key=lambda item: (-(item.flops_share or 0), item.operator, item.reason)))


def _check_coverage(network: NetworkEnergy, fitted: FittedPredictor, at_least: float) -> None:
    """Refuse a network of which less is covered; one with unknown FLOPs is covered by an unknown share."""
    share = network.coverage_flops
    is_nothing = all(each.reason for each in network.kernels)
    is_enough = at_least == 0 if share is None else share >= at_least
    if is_enough and not is_nothing:
        return
    lines = "\n".join(f"  {item.in_words}" for item in network.unsupported)
    known = "an unknown share" if share is None else share_in_words(share)
    supported = "no kernel" if is_nothing else f"{known} of the FLOPs"
    least = 0.0 if share is None else np.floor(share * 1000) / 1000
    fix = f"; --at-least {least:g} gives the energy of the others"
    expected = "" if is_nothing else f"; expected at least {share_in_words(at_least)}{fix}"
    raise CoverageError(
        f"{fitted.stamp.predictor} supports {supported} of this network on {fitted.subject.device_id}{expected}. "
        f"Unsupported:\n{lines}"
    )


def kernels_frame(kernels: Sequence[NetworkKernel], subject: Subject, processor: str) -> pd.DataFrame:
    """Kernels of a network as predictors see them.

    Args:
        kernels: entries of a kernel list that have a type.
        subject: device and way of running.
        processor: processor that they run on.

    Returns:
        Columns `FEATURES`, one row per kernel, range index.
    """
    place = {"delegate": subject.delegate, "processor": processor, "device_id": subject.device_id}
    frame = pd.DataFrame([kernel.model_dump() | place for kernel in kernels], columns=list(FEATURES))
    return frame.astype(dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(("kernel", *WORDS), "str"))


def main_dtype(kernels: Sequence[NetworkKernel]) -> Dtype:
    """Data type in which most FLOPs of a network are computed."""
    flops: defaultdict[Dtype, int] = defaultdict(int)
    for kernel in kernels:
        flops[kernel.dtype] += kernel.flops or 0
    return max(flops, key=lambda dtype: flops[dtype])


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
