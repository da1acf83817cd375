"""KernelExtents and weights of a kernel that is written as a model file."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.errors import DeepenError
from harness.schema.kernel_costs import AT_LEAST_ONE, SE_REDUCTION
from harness.schema.networks import Configuration

BYTES_PER_WEIGHT: Final = 4
MOST_WEIGHT_BYTES: Final = 64 * 1024**2
"""Bytes of the weights of one file: a plan of tens of kernels has to fit on a device, often by a slow connection."""


class UnwritableKernelError(DeepenError):
    """A kernel configuration that no file of a format holds, with the reason."""


def unwritable(reason: str) -> UnwritableKernelError:
    """Error with the reason, which completes a sentence."""
    return UnwritableKernelError(reason)


class KernelExtents(Mapping[str, int]):
    """KernelExtents of a configuration; one of `AT_LEAST_ONE` that is left out is 1."""

    def __init__(self, configuration: Configuration) -> None:
        """Take the extents of a configuration."""
        self._stated = {name: value for name, value in configuration.items() if isinstance(value, int)}
        self.function = str(configuration.get("function", ""))

    def __getitem__(self, name: str) -> int:
        return self._stated.get(name, 1) if name in AT_LEAST_ONE else self._stated[name]

    def __contains__(self, name: object) -> bool:
        return name in self._stated

    def __iter__(self) -> Iterator[str]:
        return iter(self._stated)

    def __len__(self) -> int:
        return len(self._stated)


class Operands:
    """Weights of one file: random, of a seed, so that runtimes neither fold nor skip them.

    A weight is uniform within 1 / sqrt(n) of 0 where n products are summed, so that outputs are of the size of inputs.
    """

    def __init__(self, seed: int | None, name: str) -> None:
        """Begin the weights of a file.

        Args:
            seed: seed of the plan; None for zeros, where only what the file holds is to be seen.
            name: name of the file, so that every file has weights of its own.
        """
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        self._chance = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "big")))
        self._is_blank = seed is None
        self._n_bytes = 0

    def weights(self, extents: Sequence[int], n_summed: int) -> npt.NDArray[np.float32]:
        """Weights of some extents.

        Args:
            extents: extents of the array.
            n_summed: products that are summed to one output.

        Raises:
            UnwritableKernelError: the weights of the file would be more than `MOST_WEIGHT_BYTES`.
        """
        self._n_bytes += math.prod(extents) * BYTES_PER_WEIGHT
        if self._n_bytes > MOST_WEIGHT_BYTES:
            raise unwritable(f"its weights take more than {MOST_WEIGHT_BYTES // 1024**2} MiB")
        if self._is_blank:
            return np.zeros(tuple(extents), np.float32)
        drawn = self._chance.random(tuple(extents), np.float32)
        return np.asarray((drawn * 2 - 1) / math.sqrt(n_summed), np.float32)


def halves(extents: Mapping[str, int]) -> int:
    """Half of the channels.

    Raises:
        UnwritableKernelError: they are odd.
    """
    if extents["cin"] % 2:
        raise unwritable("its channels are odd")
    return extents["cin"] // 2


def squeezed_channels(extents: Mapping[str, int]) -> int:
    """Channels between the two layers of squeeze and excitation."""
    return max(extents["cin"] // SE_REDUCTION, 1)
