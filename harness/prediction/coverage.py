"""What of a network a predictor supports, by FLOPs and by bytes; it asks no predictor."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.errors import DeepenError
from harness.issues import share_in_words
from harness.prediction.fitted import FittedPredictor
from harness.schema.networks import NetworkKernel
from harness.schema.results import Interval

Cost = Literal["flops", "bytes_moved"]
COSTS: Final[dict[Cost, str]] = {"flops": "FLOPs", "bytes_moved": "bytes"}
"""Costs that have to be covered, in words: energy goes into arithmetic and into memory."""


class CoverageError(DeepenError):
    """Too little of a network is supported; the message lists the unsupported kernels."""


@dataclass(frozen=True)
class KernelEnergy:
    """One kernel of a network.

    Attributes:
        kernel: entry of its kernel list.
        energy_mj: energy; None where the kernel is unsupported.
        interval_mj: interval of the energy; None where the predictor gives none, or was fitted on none like it.
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
        bytes_share: their share of the bytes that all kernels move; None likewise.
    """

    operator: str
    reason: str
    n: int
    flops_share: float | None
    bytes_share: float | None

    @property
    def in_words(self) -> str:
        """Number, operator, shares and reason on one line."""
        shares = (in_words(self.flops_share), in_words(self.bytes_share))
        return f"{self.n} {self.operator}, {shares[0]} of FLOPs, {shares[1]} of bytes: {self.reason}"


def in_words(share: float | None) -> str:
    """Share in words; one that is unknown as such."""
    return "an unknown share" if share is None else share_in_words(share)


def covered_share(kernels: Sequence[KernelEnergy], cost: Cost) -> float | None:
    """Share of a cost in supported kernels; None where some is unknown, that of kernels where there is none."""
    costs = [getattr(each.kernel, cost) for each in kernels]
    if None in costs:
        return None
    covered = sum(count for count, each in zip(costs, kernels, strict=True) if not each.reason)
    total = sum(costs)
    return covered / total if total else sum(not each.reason for each in kernels) / len(kernels)


def unsupported(kernels: Sequence[KernelEnergy]) -> tuple[UnsupportedKernels, ...]:
    """Unsupported kernels by operator and reason, those with the greatest share of FLOPs or bytes first."""
    by_reason: defaultdict[tuple[str, str], list[NetworkKernel]] = defaultdict(list)
    for each in kernels:
        if each.reason:
            by_reason[each.kernel.operator, each.reason].append(each.kernel)
    everything = [each.kernel for each in kernels]
    found = [
        UnsupportedKernels(*why, len(of), _share(of, everything, "flops"), _share(of, everything, "bytes_moved"))
        for why, of in by_reason.items()
    ]
    return tuple(
        sorted(found, key=lambda item: (-max(item.flops_share or 0, item.bytes_share or 0), item.operator, item.reason))
    )


def _share(chosen: Sequence[NetworkKernel], everything: Sequence[NetworkKernel], cost: Cost) -> float | None:
    costs = [getattr(kernel, cost) for kernel in everything]
    return None if None in costs else float(sum(getattr(kernel, cost) for kernel in chosen) / max(sum(costs), 1))


def check_coverage(kernels: Sequence[KernelEnergy], fitted: FittedPredictor, at_least: float) -> None:
    """Refuse a network of whose FLOPs or bytes less is covered; an unknown share is covered only if nothing has to be.

    Args:
        kernels: kernels with the reasons why they are unsupported.
        fitted: predictor.
        at_least: share that has to be covered, 0 to 1.

    Raises:
        CoverageError: less is covered, or nothing.
    """
    shares = [covered_share(kernels, cost) for cost in COSTS]
    is_nothing = all(each.reason for each in kernels)
    short = [share for share in shares if share is None or share < at_least]
    if not is_nothing and (not short or at_least == 0):
        return
    lines = "\n".join(f"  {item.in_words}" for item in unsupported(kernels))
    of_costs = " and ".join(
        f"{in_words(share)} of the {name}" for share, name in zip(shares, COSTS.values(), strict=True)
    )
    least = 0.0 if None in short else min((math.floor((share or 0) * 1000) / 1000 for share in short), default=0.0)
    fix = f"; --at-least {least:g} gives the energy of the others"
    expected = "" if is_nothing else f"; expected at least {share_in_words(at_least)} of either{fix}"
    supported = "no kernel" if is_nothing else of_costs
    raise CoverageError(
        f"{fitted.stamp.predictor} supports {supported} of this network on {fitted.subject.device_id}{expected}. "
        f"Unsupported:\n{lines}"
    )
