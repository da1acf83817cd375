"""What fusion makes of a network: parts, which are operators or blocks of them, and groups, which run as one kernel."""

from typing import NamedTuple

from harness.graphs.graph import Node


class Part(NamedTuple):
    """One operator, or one block of operators that a rule names.

    Attributes:
        name: name of the operator as `operator_name` gives it, or of the block.
        nodes: operators in their order.
        inputs: activations that it reads, each once.
        outputs: tensors that the rest of the network, or the caller, takes from it; its first where nothing does.
        constants: weights that it reads.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: tuple[str, ...]


class Group(NamedTuple):
    """Operators that run as one kernel.

    Attributes:
        parts: operators and blocks in their order.
        inputs: activations that the group reads, each once.
    """

    parts: tuple[Part, ...]
    inputs: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Tensors that the group makes for other groups."""
        return self.parts[-1].outputs

    @property
    def operator(self) -> str:
        """Names of the fused operators, joined by +."""
        return "+".join(part.name for part in self.parts)
