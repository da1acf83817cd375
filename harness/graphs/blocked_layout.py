"""Tensors that a runtime keeps in blocks of channels, where convolutions take up what comes after them.

It finds the tensors from operators and extents; `fusion` decides what is fused.

Source:
    ONNX Runtime, nchwc_transformer.cc: which convolutions, poolings and operators after them work on blocks.
"""

from collections import Counter
from collections.abc import Sequence

from harness.graphs.absorption import is_by_number, is_per_channel
from harness.graphs.fusion_rules import BlockedLayout, Runtime
from harness.graphs.groups import Part
from harness.graphs.sizes import Sizes

_PLANE_RANK = 4


def tensors_in_blocks(parts: Sequence[Part], runtime: Runtime, sizes: Sizes) -> frozenset[str]:
    """Tensors that a runtime makes in blocks of channels; none where it has no such layout.

    Args:
        parts: operators and blocks of them in an order in which they can run.
        runtime: rules.
        sizes: extents of the network.
    """
    if runtime.blocked is None:
        return frozenset()
    found = _Blocked(parts, runtime, runtime.blocked, sizes)
    for part in parts:
        found.add(part)
    return frozenset(found.tensors)


class _Blocked:
    """Tensors in blocks so far; those of convolutions also by what may still join the convolution."""

    def __init__(self, parts: Sequence[Part], runtime: Runtime, layout: BlockedLayout, sizes: Sizes) -> None:
        self.tensors: set[str] = set()
        self._open: set[str] = set()
        self._unshifted: set[str] = set()
        self._layout, self._sizes = layout, sizes
        self._n_readers = Counter(tensor for part in parts for tensor in part.inputs)
        self._convolutions = runtime.names(layout.convolutions)
        self._poolings = runtime.names(layout.poolings)
        self._keepers = runtime.names(layout.keepers)
        self._activations = runtime.names(layout.activations)

    def add(self, part: Part) -> None:
        """Add what a part makes, if that is in blocks."""
        is_alone = len(part.inputs) == 1 and self._n_readers[part.inputs[0]] == 1
        may_join = is_alone and part.inputs[0] in self._open
        is_folded = is_alone and part.inputs[0] in self._unshifted and is_per_channel(part, self._sizes)
        is_convolution = part.name in self._convolutions and self._is_convolution(part)
        is_factor = self.tensors.issuperset(part.inputs) and self._is_factor(part)
        is_sum = part.name == "add" and any(self._n_readers[name] == 1 for name in self._open.intersection(part.inputs))
        if is_convolution or is_folded:
            self._unshifted.update(part.outputs)
        if is_convolution or is_folded or is_factor or (is_sum and self._keeps(part)):
            self._open.update(part.outputs)
        elif not (self._is_pooling(part) or self._keeps(part) or (may_join and part.name in self._activations)):
            return
        self.tensors.update(part.outputs)

    def _is_convolution(self, part: Part) -> bool:
        """Whether a convolution works on blocks: it has no groups, or groups of whole ones or of one channel."""
        window, layout = part.nodes[0].window, self._layout
        if window is None or window.rank != 2 or len(part.inputs) != 1 or not part.constants:
            return False
        groups = window.groups
        cin, cout = self._channels(part.inputs[0]) // groups, self._channels(part.outputs[0])
        if groups == 1:
            return cin < layout.channels or cin % layout.aligned == 0
        is_whole = cin % layout.channels == 0 and cout // groups % layout.channels == 0
        return cout % layout.aligned == 0 and (is_whole or (cin == 1 and cout == groups))

    def _is_pooling(self, part: Part) -> bool:
        is_of_plane = part.name in self._poolings and self._sizes.rank(part.inputs[0]) == _PLANE_RANK
        return is_of_plane and self._is_whole(part.inputs[0])

    def _is_factor(self, part: Part) -> bool:
        """Whether a batch normalisation, or a factor for each channel, becomes a convolution of single channels."""
        if part.name == "bn":
            return True
        is_scale = part.name == "scale" and not is_by_number(part, self._sizes)
        return is_scale and is_per_channel(part, self._sizes)

    def _keeps(self, part: Part) -> bool:
        if part.name not in self._keepers or not self.tensors.issuperset(part.inputs):
            return False
        return part.name != "concat" or all(map(self._is_whole, part.inputs))

    def _is_whole(self, tensor: str) -> bool:
        return self._channels(tensor) % self._layout.channels == 0

    def _channels(self, tensor: str) -> int:
        return self._sizes.extents(tensor).c
