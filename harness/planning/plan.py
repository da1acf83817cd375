"""Plans of measurements: which kernels, why, in which files and in which order; it measures nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from harness.arrays import Reals
from harness.errors import UsageError
from harness.graphs.sampler import sample_kernels
from harness.planning.design import design, variance_left
from harness.planning.kernel_files import kernel_files
from harness.planning.ordering import measuring_order
from harness.planning.targets import DTYPE, KernelTable, Shares, TargetNetwork, kernel_table, key_of, shares_of
from harness.prediction.network_energy import main_dtype
from harness.predictor.features import COST_FEATURES
from harness.schema.networks import Configuration
from harness.schema.plans import FORMATS, FileFormat, LeftOutKernel, Measurement, Plan, PlannedKernel, PlannedNetwork

N_DRAWN: Final = 400
"""Configurations that are drawn from the reference networks, so that kernels like those of the targets stand among
the candidates where these cannot be measured alone, or are larger than they need be."""
LEAST_ROWS: Final = 2
MOST_ROWS: Final = 999
"""Kernels that a plan may have; an order has two ends, and a name three digits."""


@dataclass(frozen=True, slots=True)
class MeasuredKernels:
    """Kernels that the device was measured on before.

    Attributes:
        frame: columns `harness.predictor.features.FEATURES`, one row per configuration.
        ids: their configuration ids.
    """

    frame: pd.DataFrame
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """A plan with the contents of its model files.

    Attributes:
        plan: the plan.
        contents: contents of each file, by its path in the folder of the plan.
    """

    plan: Plan
    contents: Mapping[str, bytes]


def make_plan(
    device_id: str,
    networks: Sequence[TargetNetwork],
    references: Sequence[TargetNetwork],
    n_rows: int,
    *,
    seed: int,
    delegate: str | None = None,
    measured: MeasuredKernels | None = None,
    formats: Collection[FileFormat] = FORMATS,
) -> PlanFiles:
    """Choose kernels that say most about networks, and write each as model files.

    Args:
        device_id: device.
        networks: networks that will be asked for.
        references: networks that further kernels are drawn of.
        n_rows: kernels to choose.
        seed: seed of the draw, of the weights and of the order.
        delegate: how the device runs; None where that was not named.
        measured: kernels that the device was measured on before; none of them is chosen.
        formats: formats of the files.

    Raises:
        UsageError: fewer kernels can be measured than are wanted, or none of the networks' kernels has a type.
    """
    shares = shares_of(networks)
    if not shares.typed:
        raise UsageError("no kernel of the networks has a kernel type, so that nothing can be measured for them")
    wanted, weights = kernel_table([dict(key) for key in shares.typed]), np.array(list(shares.typed.values()))
    candidates, left_out = _candidates(shares, references, seed, formats)
    table = kernel_table(candidates)
    choice = _choice(table, wanted.frame, weights, n_rows, measured)
    written = _Written(seed, formats)
    for number, place in enumerate(choice.places):
        facts: dict[str, Any] = {name: int(table.frame[name].iloc[place]) for name in COST_FEATURES}
        facts |= {"configuration_id": table.ids[place], "weight": shares.typed.get(key_of(candidates[place]), 0.0)}
        facts |= {"variance_before": choice.left[number], "variance_left": choice.left[number + 1]}
        written.add_kernel(candidates[place], facts)
    for network in networks:
        written.add_network(network, sum(each.weight for each in networks))
    plan = Plan(
        device_id=device_id,
        delegate=delegate,
        dtype=DTYPE,
        seed=seed,
        networks=written.networks,
        n_candidates=choice.n_candidates,
        n_measured=0 if measured is None else len(measured.ids),
        variance_measured=choice.left[0],
        kernels=written.kernels,
        order=written.order(),
        left_out=left_out,
    )
    return PlanFiles(plan, written.contents)


class _Choice(NamedTuple):
    """Kernels that were chosen.

    Attributes:
        places: their places among all kernels that files hold.
        left: share of the targets' variance that is left before the first of them and after each.
        n_candidates: kernels that the choice was among.
    """

    places: list[int]
    left: Reals
    n_candidates: int


def _choice(
    table: KernelTable, wanted: pd.DataFrame, weights: Reals, n_rows: int, measured: MeasuredKernels | None
) -> _Choice:
    """Choose among kernels that files hold.

    Raises:
        UsageError: there are fewer than are wanted, or too few are wanted.
    """
    done = frozenset() if measured is None else measured.ids
    free = [place for place, identifier in enumerate(table.ids) if identifier not in done]
    most = min(len(free), MOST_ROWS)
    if not LEAST_ROWS <= n_rows <= most:
        kinds = "that can be measured alone and were not measured before"
        raise UsageError(f"{n_rows} kernels to measure; expected {LEAST_ROWS} to {most}, of the {len(free)} {kinds}")
    before = table.frame.iloc[:0] if measured is None else measured.frame
    picked = design(table.frame.iloc[free], wanted, n_rows, weights=weights, measured=before)
    places = [free[place] for place in picked]
    left = variance_left(pd.concat([before, table.frame.iloc[places]]), wanted, weights)[-n_rows - 1 :]
    return _Choice(places, left, len(free))


class _Written:
    """Kernels and networks of a plan, and the contents of their files."""

    def __init__(self, seed: int, formats: Collection[FileFormat]) -> None:
        self.kernels: list[PlannedKernel] = []
        self.networks: list[PlannedNetwork] = []
        self.contents: dict[str, bytes] = {}
        self._seed, self._formats = seed, formats
        self._sizes: dict[str, int] = {}

    def add_kernel(self, configuration: Configuration, facts: Mapping[str, Any]) -> None:
        """Write a chosen kernel.

        Args:
            configuration: its type and extents.
            facts: its costs, its share in the networks, and the variance before and after it.
        """
        files = kernel_files(configuration, self._seed, self._formats)
        name = f"k{len(self.kernels) + 1:03}-{configuration['kernel']}"
        planned = files.planned(name)
        reason = _reason(facts["weight"], facts["variance_before"] - facts["variance_left"])
        fields: dict[str, Any] = {**configuration, **facts}
        self.kernels.append(PlannedKernel(id=name, reason=reason, files=list(planned.values()), **fields))
        self.contents |= {file.path: files.contents[form] for form, file in planned.items()}
        self._sizes[name] = facts["flops"] + facts["bytes_moved"]

    def add_network(self, network: TargetNetwork, whole: float) -> None:
        """State a network, and write its file if it has one.

        Args:
            network: the network.
            whole: weights of all networks together.
        """
        name, file = f"n{len(self.networks) + 1:03}-network", None
        if network.file is not None:
            file, content = network.file.planned(name)
            self.contents[file.path] = content
            self._sizes[name] = sum((kernel.flops or 0) + (kernel.bytes_moved or 0) for kernel in network.kernels)
        self.networks.append(
            PlannedNetwork(
                id=name,
                model=network.model,
                dtype=main_dtype(network.kernels),
                n_kernels=len(network.kernels),
                weight=network.weight / whole,
                file=file,
            )
        )

    def order(self) -> list[Measurement]:
        """Measurements of all that has a file; the kernel of middle size is the anchor."""
        by_size = sorted(self.kernels, key=lambda kernel: (self._sizes[kernel.id], kernel.id))
        anchor = by_size[len(by_size) // 2].id
        names = measuring_order(self._sizes, anchor, self._seed)
        return [Measurement(id=name, is_anchor=name == anchor) for name in names]


def _candidates(
    shares: Shares, references: Sequence[TargetNetwork], seed: int, formats: Collection[FileFormat]
) -> tuple[list[Configuration], list[LeftOutKernel]]:
    """Kernels that files hold, those of the networks first; and what of the networks no file holds."""
    drawn = sample_kernels((network.kernels for network in references), N_DRAWN, seed).configurations
    types = {dict(key)["kernel"] for key in shares.typed}
    alike = [key_of(configuration) for configuration in drawn if configuration["kernel"] in types]
    found: list[Configuration] = []
    refused: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for key in dict.fromkeys([*shares.typed, *alike]):
        configuration = dict(key)
        files = kernel_files(configuration, None, formats)
        if files.contents:
            found.append(configuration)
        elif key in shares.typed:
            reason = "; ".join(f"{form}: {why}" for form, why in files.refused.items())
            refused[str(configuration["kernel"]), reason].append(shares.typed[key])
    left_out = [(kernel, len(parts), sum(parts), reason) for (kernel, reason), parts in refused.items()]
    left_out += [(operator, n, share, "it has no kernel type") for operator, (n, share) in shares.others.items()]
    named = [LeftOutKernel(kernel=name, n=n, weight=min(share, 1), reason=why) for name, n, share, why in left_out]
    return found, sorted(named, key=lambda each: (-each.weight, each.kernel, each.reason))


def _reason(weight: float, gain: float) -> str:
    """Why a kernel was chosen, in a sentence."""
    place = f"It is {weight:.1%} of what the networks run" if weight else "It stands for kernels of the networks"
    return f"{place}, and measuring it takes {gain:.1%} off the variance of the targets."
