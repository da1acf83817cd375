"""Energy and cycles of a network: the sum of its kernels' estimates, with the share of its FLOPs that they cover."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.schema.kernel_types import KERNEL_TYPES
from harness.schema.networks import NetworkKernel, configuration_of
from harness.schema.vocabulary import Dtype
from harness.simulation.accelerators import Accelerator
from harness.simulation.cache import Cache
from harness.simulation.estimator import Estimate
from harness.simulation.layers import layers_of
from harness.simulation.runner import outcome_of

DTYPE: Final[Dtype] = "int8"
"""Data type of every simulated figure."""
_PRODUCTS: Final = tuple(name for name, kind in KERNEL_TYPES.items() if kind.is_product)
"""Kernel types whose FLOPs are two for each multiply-accumulate of their layer."""


@dataclass(frozen=True, slots=True)
class NamedNetwork:
    """A network with the kernels that a runtime executes.

    Attributes:
        model: name of the network.
        family: family of the network.
        variant: name within the family.
        input_shape: input as records write it.
        runtime: runtime whose fusion rules made the kernels.
        kernels: kernels in order of execution, in any number format.
    """

    model: str
    family: str
    variant: str
    input_shape: str
    runtime: str
    kernels: Sequence[NetworkKernel]

    @property
    def flops(self) -> int:
        """FLOPs of one inference, of the kernels whose FLOPs are known."""
        return sum(kernel.flops or 0 for kernel in self.kernels)

    @property
    def params(self) -> int:
        """Parameters of all kernels."""
        return sum(kernel.params for kernel in self.kernels)


@dataclass(frozen=True, slots=True)
class NetworkEstimate:
    """Cost of a network on one accelerator.

    Attributes:
        network: the network.
        estimate: sum over the kernels that have an estimate.
        coverage_flops: share of the FLOPs in those kernels, 0 to 1.
        left_out: kernels without an estimate, by operator with their number.
        padding: simulated FLOPs of convolutions over those of the network, less 1; above 0 where the network pads less
            than "same".
    """

    network: NamedNetwork
    estimate: Estimate
    coverage_flops: float
    left_out: Mapping[str, int]
    padding: float


def estimate_network(network: NamedNetwork, accelerator: Accelerator, cache: Cache) -> NetworkEstimate:
    """Sum of the cached estimates of a network's kernels; a kernel without an estimate lowers the coverage."""
    energy, cycles, flops = 0.0, 0.0, 0
    padded, unpadded = 0, 0
    left_out: Counter[str] = Counter()
    for kernel in network.kernels:
        configuration = configuration_of(kernel)
        found = outcome_of(configuration, accelerator, cache).estimate
        if found is None:
            left_out[kernel.operator] += 1
            continue
        energy, cycles, flops = energy + found.energy_pj, cycles + found.cycles, flops + (kernel.flops or 0)
        if kernel.kernel in _PRODUCTS:
            padded += 2 * sum(layer.n_operations for layer in layers_of(configuration))
            unpadded += kernel.flops or 0
    return NetworkEstimate(
        network=network,
        estimate=Estimate(energy, cycles),
        coverage_flops=flops / network.flops if network.flops else 0.0,
        left_out=left_out,
        padding=padded / unpadded - 1 if unpadded else 0.0,
    )
