"""Extents of a network's inputs: what the file declares, completed by what the user gives."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.graphs.faults import ModelFileError, model_issue
from harness.issues import Issue, quoted, unknown

MOST_EXTENT: Final = 2**31 - 1
"""Largest extent of one dimension; runtimes of edge devices count in 32 bits."""
MOST_ELEMENTS: Final = 2**40
"""Elements of the largest tensor that is accepted as intended."""


_BATCH: Final = re.compile(r"(?i)n|b|bs|n_?batch(es)?|(\w*_)?batch(_?size|_?dim)?(_\d+)?")
"""Names of a first dimension by which a file says that it is the batch."""
_ANONYMOUS: Final = re.compile(r"(?i)[^a-z]*|unk(nown)?_*\d*|none|dynamic")
"""Names that exporters write for a dimension without one, so that two of them are not the same dimension."""


def dimension_name(text: str) -> str | None:
    """Name of a dimension; None where it names nothing.

    >>> dimension_name("seq_len"), dimension_name("?"), dimension_name("unk__12"), dimension_name("")
    ('seq_len', None, None, None)
    """
    return None if _ANONYMOUS.fullmatch(text) else text


class DeclaredInput(NamedTuple):
    """An input as the file declares it.

    Attributes:
        name: name of the tensor.
        dims: number, name or None for each dimension; names and None are open. None where their number is open, too.
    """

    name: str
    dims: tuple[int | str | None, ...] | None


class InputExtents(NamedTuple):
    """Extents of all inputs.

    Attributes:
        shapes: extents by input.
        bound: extents by name of the dimension, as far as the file names its open dimensions.
        batch: inferences that run together: the first extent that the file calls the batch, or the one that is given.
    """

    shapes: Mapping[str, tuple[int, ...]]
    bound: Mapping[str, int]
    batch: int


def parse_input_option(text: str) -> tuple[str, tuple[int, ...]]:
    """Name and extents of `--input`.

    Raises:
        UsageError: it does not have the form `name=1x3x224x224` with numbers from 1 to 2147483647.

    >>> parse_input_option("data=1x3x224x224")
    ('data', (1, 3, 224, 224))
    """
    name, sign, extents = text.rpartition("=")
    parts = extents.split("x")
    if not sign or not name or not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
        raise UsageError(f"--input '{quoted(text)}' is not an input; expected name=1x3x224x224")
    shape = tuple(map(int, parts))
    if not all(1 <= extent <= MOST_EXTENT for extent in shape):
        raise UsageError(f"--input '{quoted(text)}' has an extent outside 1 to {MOST_EXTENT}")
    return name, shape


def parse_set_option(text: str) -> tuple[str, str]:
    """Name and value of `--set`.

    Raises:
        UsageError: it does not have the form `name=value`.

    >>> parse_set_option("sr=16000")
    ('sr', '16000')
    """
    name, sign, value = text.rpartition("=")
    if not sign or not name or not value:
        raise UsageError(f"--set '{quoted(text)}' is not a value of an input; expected name=value, as in sr=16000")
    return name, value


def parsed_value(name: str, text: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The value of an input of one element that `--set` gives.

    Args:
        name: name of the input.
        text: value.
        shape: its extents; None where they are unknown.
        dtype: its data type; that of objects for one that is no number.

    Raises:
        UsageError: the input has more than one element, or the text is no value of its type.

    >>> parsed_value("sr", "16000", (1,), np.dtype("int64"))
    array([16000])
    """
    if shape is None or math.prod(shape) != 1:
        found = "unknown extents" if shape is None else f"{_crossed(shape)} elements"
        raise UsageError(
            f"--set '{quoted(name)}': the input has {found}; only one of a single element is given a value"
        )
    kinds: Mapping[str, tuple[str, Callable[[str], float]]] = {
        "b": ("true or false", _truth),
        "i": ("a whole number", int),
        "u": ("a whole number", int),
        "f": ("a number", float),
    }
    expected, parse = kinds.get(dtype.kind, ("an input of numbers or truths", _no_value))
    try:
        return np.array(parse(text), dtype).reshape(shape)
    except (KeyError, OverflowError, ValueError):
        raise UsageError(
            f"--set '{quoted(name)}={quoted(text)}': the input is of {dtype}; expected {expected}"
        ) from None


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _no_value(text: str) -> bool:
    raise ValueError(text)


def resolve(
    declared: Sequence[DeclaredInput], given: Mapping[str, tuple[int, ...]], shown: str, batch: int | None = None
) -> InputExtents:
    """Extents of all inputs; an open first dimension is 1 unless it is given.

    A dimension that has a name in the file has the same extent wherever the name occurs. A first extent is a batch
    only where the file names it so or `batch` says so: it may as well count tokens, frames or points.

    Args:
        declared: inputs of the file that its operators read.
        given: extents by name of the input.
        shown: file as messages show it.
        batch: first extent that is the batch; None where only names tell.

    Raises:
        UsageError: extents are given for an input that the file does not have, or no input has that batch.
        ModelFileError: extents contradict the file, are absurd, or are unknown.
    """
    for name in given:
        if name not in {item.name for item in declared}:
            raise unknown("input of the model", name, (item.name for item in declared))
    issues = [issue for item in declared for issue in _contradictions(item, given.get(item.name), shown)]
    if issues:
        raise ModelFileError(issues)
    bound: dict[str, int] = {}
    for item in declared:
        for dim, extent in zip(item.dims or (), given.get(item.name, ()), strict=False):
            if isinstance(dim, str) and bound.setdefault(dim, extent) != extent:
                raise ModelFileError([_two_extents(item, dim, (bound[dim], extent), shown)])
    for item in declared:
        if item.name not in given and item.dims and isinstance(item.dims[0], str):
            bound.setdefault(item.dims[0], batch or 1)
    shapes, open_dims = {}, []
    for item in declared:
        dims = given.get(item.name, item.dims)
        full = None if dims is None else tuple(_closed(place, dim, bound, batch or 1) for place, dim in enumerate(dims))
        if full is None or None in full:
            open_dims.append(_open(item, full, shown))
        else:
            shapes[item.name] = tuple(extent for extent in full if extent is not None)
    issues = [*open_dims, *(issue for name, shape in shapes.items() for issue in absurd(name, shape, shown))]
    if issues:
        raise ModelFileError(issues)
    return InputExtents(shapes, bound, _batch(declared, shapes, bound, batch))


def _batch(
    declared: Sequence[DeclaredInput],
    shapes: Mapping[str, tuple[int, ...]],
    bound: Mapping[str, int],
    stated: int | None,
) -> int:
    if stated is None:
        named = {item.dims[0] for item in declared if item.dims and isinstance(item.dims[0], str)}
        extents = {bound[name] for name in named if name in bound and _BATCH.fullmatch(name)}
        return extents.pop() if len(extents) == 1 else 1
    if all(shape[:1] != (stated,) for shape in shapes.values()):
        found = ", ".join(f"{quoted(name)}={_crossed(shape)}" for name, shape in shapes.items())
        raise UsageError(f"--batch {stated} is the first extent of no input; the inputs are {found}")
    return stated


def absurd(tensor: str, shape: Sequence[int], shown: str) -> Iterator[Issue]:
    """Issue of a tensor whose extents no device can have."""
    if shape and (min(shape) < 0 or max(shape) > MOST_EXTENT or math.prod(shape) > MOST_ELEMENTS):
        yield model_issue(
            "model-shape",
            shown,
            tensor=tensor,
            found=_crossed(shape),
            expected=f"extents up to {MOST_EXTENT}, and {MOST_ELEMENTS} elements at most",
            fix="Export the network again, or give the intended extents with --input.",
        )


def _closed(place: int, dim: int | str | None, bound: Mapping[str, int], first: int) -> int | None:
    if isinstance(dim, int):
        return dim
    if isinstance(dim, str) and dim in bound:
        return bound[dim]
    return first if place == 0 else None


def _crossed(dims: Sequence[int | str | None]) -> str:
    return "x".join("?" if dim is None else str(dim) for dim in dims) or "one number"


def _contradictions(item: DeclaredInput, given: tuple[int, ...] | None, shown: str) -> Iterator[Issue]:
    if given is None or item.dims is None:
        return
    agrees = len(given) == len(item.dims) and all(
        dim == extent for dim, extent in zip(item.dims, given, strict=True) if isinstance(dim, int)
    )
    if not agrees:
        yield model_issue(
            "model-shape",
            shown,
            tensor=item.name,
            found=f"{_crossed(given)} given with --input",
            expected=f"{len(item.dims)} extents, {_crossed(item.dims)}",
            fix="Give the extents that the file leaves open, and the others as they are.",
        )


def _two_extents(item: DeclaredInput, dim: str, extents: tuple[int, int], shown: str) -> Issue:
    return model_issue(
        "model-shape",
        shown,
        tensor=item.name,
        found=f"{extents[1]} given for the dimension {quoted(dim)}, which is {extents[0]} elsewhere",
        expected="one extent of every named dimension",
        fix="Give the same number wherever the file uses the name.",
    )


def _open(item: DeclaredInput, full: Sequence[int | None] | None, shown: str) -> Issue:
    dims = "extents that the file does not state" if item.dims is None else _crossed(item.dims)
    example = "1xN" if full is None else "x".join("N" if extent is None else str(extent) for extent in full)
    return model_issue(
        "model-shape",
        shown,
        tensor=item.name,
        found=dims,
        expected="a number for every extent",
        fix=f"Give them with --input '{quoted(item.name)}={example}', a number for each N.",
    )
