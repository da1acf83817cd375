"""Energy of a network as the sum over its kernels, with an interval, coverage and extrapolations.

Unsupported kernels are listed and never count as zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.defaults import COVERAGE, LEAST_COVERED
from harness.errors import DeepenError
from harness.issues import share_in_words
from harness.prediction.coverage import KernelEnergy, UnsupportedKernels, check_coverage, covered_share, unsupported
from harness.prediction.extrapolation import Extrapolation, extrapolations, other_weights, without_interval
from harness.prediction.fitted import FittedPredictor
from harness.prediction.sum_interval import interval_of_sum, widened
from harness.predictor.columns import KernelColumns
from harness.predictor.features import FEATURES, NUMBERS
from harness.schema.networks import ListedKernel, NetworkKernel, count_of
from harness.schema.results import Interval, Subject
from harness.schema.vocabulary import CONFIGURATION_FIELDS, Dtype

Reals = npt.NDArray[np.float64]

MOST_WIDENED: Final = 0.25
"""Greatest share of the energy in extrapolated kernels for which an interval is widened; beyond it there is none."""
MOST_EXTRAPOLATED: Final = 0.5
"""Greatest share of the energy in extrapolated kernels that is predicted without being asked to."""


class ExtrapolationError(DeepenError):
    """Too much of the energy is of kernels unlike all that the predictor was fitted on; the message lists them."""


@dataclass(frozen=True)
class NetworkEnergy:
    """Energy of one inference of a network.

    Attributes:
        kernels: kernels in order of execution.
        energy_mj: sum over the supported kernels, times the ratio of networks to such sums where that is known.
        interval_mj: interval of it; None where there is none.
        why_no_interval: why there is none; empty where there is one.
        interval_coverage: nominal coverage of the interval, a probability.
        extrapolations: where kernels differ from all rows of the fit, with their numbers in the network from 0.
    """

    kernels: tuple[KernelEnergy, ...]
    energy_mj: float
    interval_mj: Interval | None
    interval_coverage: float
    extrapolations: tuple[Extrapolation, ...]
    why_no_interval: str = ""

    @property
    def coverage_kernels(self) -> float:
        """Share of kernels that are supported."""
        return sum(not each.reason for each in self.kernels) / len(self.kernels)

    @property
    def coverage_flops(self) -> float | None:
        """Share of FLOPs in supported kernels; None where FLOPs are unknown, that of kernels where there are none."""
        return covered_share(self.kernels, "flops")

    @property
    def coverage_bytes(self) -> float | None:
        """Share of the bytes moved in supported kernels; None where some are unknown."""
        return covered_share(self.kernels, "bytes_moved")

    @property
    def is_complete(self) -> bool:
        """Whether all kernels are supported; if not, the energy is a part of the network's."""
        return not self.unsupported

    @property
    def unsupported(self) -> tuple[UnsupportedKernels, ...]:
        """Unsupported kernels, those with the greatest share of FLOPs or bytes first."""
        return unsupported(self.kernels)

    @property
    def extrapolated_share(self) -> float:
        """Share of the energy in kernels unlike all that the predictor was fitted on."""
        return self.share(sorted({place for found in self.extrapolations for place in found.places}))

    @property
    def is_extrapolated(self) -> bool:
        """Whether more of the energy is extrapolated than is predicted without being asked to."""
        return self.extrapolated_share > MOST_EXTRAPOLATED

    def share(self, places: Sequence[int]) -> float:
        """Share of some kernels, by their numbers from 0, of the energy."""
        # Sums in another order may differ in the last digit.
        return min(sum(self.kernels[place].energy_mj or 0.0 for place in places) / self.energy_mj, 1.0)


def predict_network(
    kernels: Sequence[NetworkKernel],
    fitted: FittedPredictor,
    *,
    coverage: float = COVERAGE,
    at_least: float = LEAST_COVERED,
    may_extrapolate: bool = False,
) -> NetworkEnergy:
    """Energy of one inference of a network on the device that a predictor is fitted for.

    Args:
        kernels: kernel list of the network.
        fitted: predictor.
        coverage: nominal coverage of intervals, a probability.
        at_least: share of FLOPs and of bytes that has to be covered.
        may_extrapolate: whether any share of the energy may be of kernels unlike all that the predictor was fitted on.

    Raises:
        CoverageError: less is covered, or nothing.
        ExtrapolationError: more than `MOST_EXTRAPOLATED` of the energy is extrapolated.
        PredictorError: the predictor fails.
    """
    reasons = [_why_not(kernel, fitted) for kernel in kernels]
    found = [KernelEnergy(kernel, reason=reason) for kernel, reason in zip(kernels, reasons, strict=True)]
    places = [place for place, reason in enumerate(reasons) if not reason]
    check_coverage(found, fitted, at_least)
    covered = [kernels[place] for place in places]
    columns = kernel_columns(covered, fitted.subject, fitted.ranges.processor)
    energies, bounds = fitted.predict(columns, coverage)
    counts = np.array([count_of(kernel) for kernel in covered], np.float64)
    energies, bounds = energies * counts, None if bounds is None else bounds * counts[:, None]
    outside = [*other_weights(covered, fitted.subject.dtype), *extrapolations(columns, fitted.ranges)]
    if bounds is not None:
        outside += without_interval(columns, np.isnan(bounds[:, 0]), outside)
    is_outside = np.isin(np.arange(len(covered)), [place for each in outside for place in each.places])
    interval, reason = _interval(energies, bounds, columns, is_outside)
    total_mj, ratio = float(energies.sum()), fitted.ratio
    if ratio is not None:
        interval = None if interval is None else ratio.of(total_mj, interval, coverage)
        energies, bounds = energies * ratio.factor, None if bounds is None else bounds * ratio.factor
    for number, place in enumerate(places):
        is_bounded = bounds is not None and not is_outside[number]
        own = (float(bounds[number, 0]), float(bounds[number, 1])) if bounds is not None and is_bounded else None
        found[place] = KernelEnergy(kernels[place], float(energies[number]), own)
    network = NetworkEnergy(
        tuple(found), float(energies.sum()), interval, coverage, tuple(_in_network(outside, places)), reason
    )
    if network.is_extrapolated and not may_extrapolate:
        raise ExtrapolationError(_too_far(network, fitted))
    return network


def _interval(
    energies: Reals, bounds: Reals | None, columns: KernelColumns, is_outside: npt.NDArray[np.bool_]
) -> tuple[Interval | None, str]:
    """Interval of the sum, and why there is none."""
    if bounds is None:
        return None, "this predictor gives no interval"
    share = float(energies[is_outside].sum() / energies.sum())
    if share > MOST_WIDENED:
        found, most = share_in_words(share), share_in_words(MOST_WIDENED)
        return None, f"no interval: {found} of the energy is extrapolated; at most {most} is covered by widening it"
    inside = ~is_outside
    sums = interval_of_sum(energies[inside], bounds[inside], _configurations(columns[inside]))
    return widened(sums, energies[is_outside], bounds[is_outside]), ""


def _too_far(network: NetworkEnergy, fitted: FittedPredictor) -> str:
    """Message that lists what is extrapolated."""
    shares = [(found.in_words, share_in_words(network.share(found.places))) for found in network.extrapolations]
    lines = "\n".join(f"  {found}: {share} of the energy" for found, share in shares)
    found, most = share_in_words(network.extrapolated_share), share_in_words(MOST_EXTRAPOLATED)
    return (
        f"{found} of the energy on {fitted.subject.device_id} is of kernels unlike all that "
        f"{fitted.stamp.predictor} was fitted on; expected at most {most}; --extrapolate gives it all the "
        f"same, without an interval. Outside:\n{lines}"
    )


def _why_not(kernel: NetworkKernel, fitted: FittedPredictor) -> str:
    """Why a kernel is unsupported; empty where it is supported."""
    subject = fitted.subject
    if kernel.kernel is None:
        open_costs = {"FLOPs": kernel.flops, "bytes": kernel.bytes_moved}
        unknown = " and ".join(name for name, count in open_costs.items() if count is None)
        return f"has no kernel type, and its {unknown} are unknown" if unknown else "has no kernel type"
    if kernel.kernel not in fitted.stamp.kernels:
        where = f"{subject.device_id}, {subject.delegate}"
        return f"{fitted.stamp.predictor} was fitted on no {kernel.kernel} of {where}"
    if kernel.dtype != subject.dtype:
        return f"runs in {kernel.dtype}, not in {subject.dtype}"
    return ""


def kernel_columns(kernels: Sequence[NetworkKernel], subject: Subject, processor: str) -> KernelColumns:
    """Kernels of a network as predictors see them.

    Args:
        kernels: entries of a kernel list that have a type.
        subject: device and way of running.
        processor: processor that they run on.

    Returns:
        Columns `FEATURES`, one row per kernel; a kernel that runs several times as one run of it.
    """
    place = {"delegate": subject.delegate, "processor": processor, "device_id": subject.device_id}
    rows = [_of_one_run(kernel).model_dump() | place for kernel in kernels]
    # None becomes NaN where the column is one of numbers.
    kinds = {name: np.float64 if name in NUMBERS else object for name in FEATURES}
    return KernelColumns({name: np.array([row[name] for row in rows], kind) for name, kind in kinds.items()})


def _configurations(kernels: KernelColumns) -> npt.NDArray[np.int64]:
    """Configuration of each kernel as a number below the count of configurations, shape `(n,)`."""
    # As words, because a missing number is not equal to itself.
    columns = [kernels[name].astype(str) for name in ("kernel", *CONFIGURATION_FIELDS)]
    numbers: dict[tuple[str, ...], int] = {}
    rows = zip(*columns, strict=True)
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.int64)


def _of_one_run(kernel: NetworkKernel) -> NetworkKernel:
    return kernel.of_one_run() if isinstance(kernel, ListedKernel) else kernel


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
