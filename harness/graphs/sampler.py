"""Draws kernel configurations to measure or simulate from the networks in which they occur.

It measures nothing.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from harness.schema.kernel_costs import pooling_cost
from harness.schema.kernel_types import KERNEL_TYPES, Kernel
from harness.schema.networks import Configuration, NetworkKernel, configuration_of

_N_DRAWN: Final[Mapping[Kernel, int]] = {
    name: n for name in get_args(Kernel) if (n := KERNEL_TYPES[name].n_drawn) is not None
}
COUNTS: Final[Mapping[Kernel, int]] = dict(sorted(_N_DRAWN.items(), key=lambda item: -item[1]))
"""Configurations of each kernel type that SEC 2023 measures, the most first."""
_POOLS: Final = tuple(name for name, kind in KERNEL_TYPES.items() if kind.cost is pooling_cost)

_PLANE: Final = KERNEL_TYPES["relu"].requires

_Key = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True)
class KernelSample:
    """Configurations that were drawn.

    Attributes:
        configurations: kernel type and extents of each, by kernel type and then by extents.
        missing: number of configurations that the networks lack, by kernel type.
    """

    configurations: tuple[Configuration, ...]
    missing: Mapping[Kernel, int]


def sample_kernels(networks: Iterable[Iterable[NetworkKernel]], n_total: int, seed: int) -> KernelSample:
    """Distinct configurations out of networks, in the proportions of `COUNTS`.

    Where the networks have too few of a type, elementwise types are completed from the extents of all tensors that
    the networks read, and each kind of pooling from the windows of the other.

    Args:
        networks: kernel lists.
        n_total: configurations wanted; `sum(COUNTS.values())` gives the counts of the paper.
        seed: seed of the draw.
    """
    own: dict[str, set[_Key]] = defaultdict(set)
    extents: set[_Key] = set()
    for kernel in (kernel for network in networks for kernel in network):
        configuration = configuration_of(kernel)
        name = configuration.pop("kernel", None)
        if name is not None:
            own[str(name)].add(tuple(configuration.items()))
        if "input_h" in configuration and "cin" in configuration:
            extents.add(tuple((field, configuration[field]) for field in _PLANE))
    chosen: list[Configuration] = []
    missing: dict[Kernel, int] = {}
    for name, count in _scaled(n_total).items():
        drawn = _drawn(own[name], _others(name, own, extents), count, f"{seed}/{name}")
        chosen += [{"kernel": name, **dict(key)} for key in drawn]
        if len(drawn) < count:
            missing[name] = count - len(drawn)
    return KernelSample(tuple(chosen), missing)


def _scaled(n_total: int) -> dict[Kernel, int]:
    """Counts in the proportions of `COUNTS`, at least 1 each."""
    whole = sum(COUNTS.values())
    return {name: max(round(count * n_total / whole), 1) for name, count in COUNTS.items()}


def _others(name: Kernel, own: Mapping[str, set[_Key]], extents: set[_Key]) -> set[_Key]:
    """Configurations that a kernel type can have, but that do not occur in the networks."""
    if name in _POOLS:
        return set().union(*(own[pool] for pool in _POOLS)) - own[name]
    if KERNEL_TYPES[name].requires != _PLANE:
        return set()
    fitting = {key for key in extents if not KERNEL_TYPES[name].is_even or int(dict(key)["cin"]) % 2 == 0}
    return fitting - own[name]


def _drawn(own: set[_Key], others: set[_Key], count: int, seed: str) -> list[_Key]:
    """Up to `count` configurations, the type's own before the others, sorted."""
    chance = random.Random(seed)  # noqa: S311  no secret
    drawn = chance.sample(sorted(own), min(count, len(own)))
    drawn += chance.sample(sorted(others), min(count - len(drawn), len(others)))
    return sorted(drawn)
