"""Operators that run no kernel, because every operator that reads what they make does their work."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, get_args

from harness.graphs.fusion_rules import AbsorptionRule, Runtime
from harness.graphs.groups import Part
from harness.graphs.sizes import Sizes
from harness.schema.kernel_types import require_each

_When = Literal["zeros", "matrix", "number"]


def without_absorbed(
    parts: Sequence[Part], taken_outside: frozenset[str], runtime: Runtime, sizes: Sizes
) -> tuple[list[Part], list[Part]]:
    """Parts that run a kernel under the rules of a runtime, reading what those before the others read; and the others.

    Args:
        parts: parts of a network in an order in which they can run.
        taken_outside: tensors that the caller takes.
        runtime: rules.
        sizes: extents of the network.
    """
    rules: dict[str, list[AbsorptionRule]] = defaultdict(list)
    for rule in runtime.absorbed:
        for operator in runtime.names(rule.operators):
            rules[operator].append(rule)
    if rules.keys().isdisjoint(part.name for part in parts):
        return list(parts), []
    readers: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        for tensor in part.inputs:
            readers[tensor].append(part)
    into: dict[str, str] = {}
    for part in reversed(parts):
        its_rule = _rule_for(part, rules.get(part.name, ()), sizes)
        if its_rule is None or len(part.outputs) != 1 or part.outputs[0] in taken_outside:
            continue
        names = {into.get("".join(reader.outputs[:1]), reader.name) for reader in readers[part.outputs[0]]}
        if names and names <= runtime.names(its_rule.into):
            into[part.outputs[0]] = min(names)
    source: dict[str, str] = {}
    kept, absorbed = [], []
    for part in parts:
        inputs = tuple(dict.fromkeys(source.get(tensor, tensor) for tensor in part.inputs))
        if not into.keys().isdisjoint(part.outputs):
            source[part.outputs[0]] = inputs[0]
            absorbed.append(part)
        else:
            kept.append(part if inputs == part.inputs else part._replace(inputs=inputs))
    return kept, absorbed


def _rule_for(part: Part, rules: Sequence[AbsorptionRule], sizes: Sizes) -> AbsorptionRule | None:
    """The first of the rules for operators of its name that applies to a part."""
    if len(part.inputs) != 1:
        return None
    for rule in rules:
        is_of_dtype = not rule.dtypes or any(sizes.dtype(tensor) in rule.dtypes for tensor in part.outputs)
        if is_of_dtype and (rule.when is None or _HOLDS[rule.when](part, sizes)):
            return rule
    return None


def is_by_number(part: Part, sizes: Sizes) -> bool:
    """Whether the constants of a part are single numbers."""
    return bool(part.constants) and all(sizes.elements(tensor) == 1 for tensor in part.constants)


def is_per_channel(part: Part, sizes: Sizes) -> bool:
    """Whether a part scales or shifts a convolution by one number for each channel, or scales it by a bare number.

    Runtimes look for the constant behind the convolution, not before it.
    """
    if part.name == "bn":
        return True
    operator = part.nodes[0].op
    is_second = part.constants == part.nodes[0].inputs[1:]
    if part.name not in ("scale", "bias") or operator not in ("mul", "add") or not is_second:
        return False
    constant, made = part.constants[0], part.outputs[0]
    if sizes.rank(constant) == 0:
        return operator == "mul"
    is_ranked = sizes.rank(constant) >= sizes.rank(made) - 1
    return is_ranked and sizes.elements(constant) == sizes.extents(made).c


def is_vector(part: Part, sizes: Sizes) -> bool:
    """Whether a part adds one number for each column of a matrix product, as a vector or, to one matrix, as its row."""
    made = part.outputs[0]
    constants = [tensor for tensor in part.constants if sizes.elements(tensor) == sizes.last(made)]
    most_rank = 2 if sizes.rank(made) == 2 else 1
    return len(constants) == len(part.constants) == 1 and 1 <= sizes.rank(constants[0]) <= most_rank


def is_hard_swish(part: Part) -> bool:
    """Whether a hard swish is one operator of the file, or a hard sigmoid of its slope and a product."""
    first = part.nodes[0]
    return first.op == "hswish" or bool(first.settings.get("is_of_hard_swish"))


_HOLDS: Final[Mapping[_When, Callable[[Part, Sizes], bool]]] = {
    "zeros": lambda part, _: bool(part.nodes[0].settings.get("is_zeros")),
    "matrix": lambda part, _: bool(part.nodes[0].settings.get("is_of_matrix")),
    "number": is_by_number,
}
require_each(get_args(_When), _HOLDS, "condition of an absorbed operator")
