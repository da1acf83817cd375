"""Patterns of operators that a runtime replaces by one kernel whatever way they branch, such as a normalisation.

A pattern is an expression: `add(mul($x, sigmoid($x)), $y)`. It names operators, and for each the operands that are no
constants; `$x` is any tensor, the same wherever it is named; `?` after an operator says that it may be missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(r"\s*(\$[a-z]+|[a-z0-9|.-]+\??|[(),])")
MOST_OPERANDS: Final = 2
"""Operands of an operator of a pattern, in either order."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One operator of a pattern with its operands, or any tensor.

    Attributes:
        operators: names that the operator may have; none for any tensor.
        operands: patterns of its operands.
        variable: name of a tensor.
        is_optional: whether the operator may be missing, its only operand in its place.
    """

    operators: frozenset[str] = frozenset()
    operands: tuple["Pattern", ...] = ()
    variable: str = ""
    is_optional: bool = False


class Made(NamedTuple):
    """What makes a tensor.

    Attributes:
        names: names under which a pattern may have the operator.
        inputs: tensors that it reads, constants left out, each once.
    """

    names: frozenset[str]
    inputs: tuple[str, ...]


class Found(NamedTuple):
    """Where a pattern applies.

    Attributes:
        tensors: tensor by the name of a variable.
        made: tensors that the operators of the pattern make.
    """

    tensors: Mapping[str, str]
    made: frozenset[str]


def parsed(text: str, sets: Mapping[str, tuple[str, ...]]) -> Pattern:
    """A pattern from its text.

    Args:
        text: expression.
        sets: operators under a common name.

    Raises:
        ValueError: the text is no expression.

    >>> parsed("mul($x, sigmoid($x))", {}).operands[1].operators
    frozenset({'sigmoid'})
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        raise ValueError(f"{text!r} has characters that no pattern has")
    pattern, rest = _expression(tokens, sets)
    if rest or not pattern.operators:
        raise ValueError(f"{text!r} is not one operator with its operands")
    return pattern


def _expression(tokens: Sequence[str], sets: Mapping[str, tuple[str, ...]]) -> tuple[Pattern, Sequence[str]]:
    word, rest = (tokens[0], tokens[1:]) if tokens else ("", ())
    if word.startswith("$"):
        return Pattern(variable=word[1:]), rest
    if not word.strip("(),?") or rest[:1] != ["("]:
        raise ValueError(f"expected an operator with its operands at {' '.join(tokens[:3])!r}")
    operands: list[Pattern] = []
    while rest[:1] in (["("], [","]):
        operand, rest = _expression(rest[1:], sets)
        operands.append(operand)
    if rest[:1] != [")"] or len(operands) > MOST_OPERANDS:
        raise ValueError(f"expected at most {MOST_OPERANDS} operands and a closing bracket after {word}")
    names = word.rstrip("?").split("|")
    operators = frozenset(name for alternative in names for name in sets.get(alternative, (alternative,)))
    return Pattern(operators, tuple(operands), is_optional=word.endswith("?")), rest[1:]


def matches(tensor: str, pattern: Pattern, maker: Mapping[str, Made], found: Found | None = None) -> Iterator[Found]:
    """Ways in which the operators that make a tensor are those of a pattern.

    Args:
        tensor: what the outermost operator makes.
        pattern: pattern.
        maker: what makes each tensor; without tensors of operators that have several.
        found: what has been found of the whole pattern before.
    """
    found = found or Found({}, frozenset())
    if pattern.variable:
        if found.tensors.get(pattern.variable, tensor) == tensor:
            yield Found({**found.tensors, pattern.variable: tensor}, found.made)
        return
    made = maker.get(tensor)
    if made is not None and not made.names.isdisjoint(pattern.operators) and len(made.inputs) == len(pattern.operands):
        here = Found(found.tensors, found.made | {tensor})
        for order in permutations(made.inputs):
            yield from _all(zip(order, pattern.operands, strict=True), maker, here)
    if pattern.is_optional and len(pattern.operands) == 1:
        yield from matches(tensor, pattern.operands[0], maker, found)


def _all(pairs: Iterable[tuple[str, Pattern]], maker: Mapping[str, Made], found: Found) -> Iterator[Found]:
    first, *rest = pairs
    for each in matches(*first, maker, found):
        if rest:
            yield from _all(rest, maker, each)
        else:
            yield each


def first_operators(pattern: Pattern) -> frozenset[str]:
    """Operators of which one makes what a pattern makes: the outermost, and those inside it where it may be missing."""
    inside = pattern.operands[:1] if pattern.is_optional else ()
    return pattern.operators.union(*map(first_operators, inside))


def names_of(pattern: Pattern) -> Iterator[str]:
    """Operators that a pattern names."""
    yield from pattern.operators
    for operand in pattern.operands:
        yield from names_of(operand)
