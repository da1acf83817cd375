"""Names of operators that say more than those of kernel lists: what the constants of arithmetic are, what is averaged.

Patterns are written in them, because runtimes look at the values of constants; no kernel list has them.
"""

from collections.abc import Iterator
from typing import Final

from harness.graphs.graph import Node
from harness.graphs.sizes import Sizes

_WITH_CONSTANT: Final = frozenset({"add", "div", "mul", "pow"})


def further_names(node: Node, sizes: Sizes) -> frozenset[str]:
    """Names of an operator beside that of `operator_name`.

    Arithmetic with one number is `mul-number`, and `mul-0.5` where the number is known (`1-div` where it comes first);
    with as many numbers as the last extent has elements, `mul-vector`. A mean along the last extent is `mean-of-last`.

    Args:
        node: operator.
        sizes: extents of the network.
    """
    if node.op in _WITH_CONSTANT and len(node.inputs) == 2:
        return frozenset(_of_constant(node, sizes))
    return frozenset({"mean-of-last"} if node.settings.get("is_over_last") else ())


def _of_constant(node: Node, sizes: Sizes) -> Iterator[str]:
    first, second = map(sizes.is_constant, node.inputs)
    if first == second:
        return
    constant = node.inputs[0 if first else 1]
    if sizes.shape(constant) == (sizes.last(node.outputs[0]),):
        yield f"{node.op}-vector"
    if sizes.is_known(constant) and sizes.elements(constant) == 1:
        yield f"{node.op}-number"
        number = node.settings.get("number")
        yield f"{number}-{node.op}" if first and node.op in ("div", "pow") else f"{node.op}-{number}"
