"""Hypothesis strategies of valid row tables, derived from the bounds that the schema declares."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from harness.schema.columns import Column, arrow_schema, columns_of
from harness.schema.networks import Network, NetworkKernel
from harness.schema.records import KEYS, ROWS, SHARED_KEY
from harness.schema.vocabulary import CONFIGURATION_FIELDS, KERNEL_ALLOWS, KERNEL_REQUIRES, Level

MOST_EXTENT = 256
"""Extents stay small, so that the product of six of them fits into 64 bits."""


def values(column: Column) -> st.SearchStrategy[Any]:
    """Admitted values of one column, never null."""
    quantity = column.element or column.quantity
    scalars: st.SearchStrategy[Any]
    if column.choices:
        scalars = st.sampled_from(column.choices)
    elif column.python_type is bool:
        scalars = st.booleans()
    elif column.python_type is int:
        low, high = quantity.ge or 0, quantity.le
        if column.name in CONFIGURATION_FIELDS:
            high = MOST_EXTENT
        scalars = st.integers(int(low), None if high is None else int(high))
    elif column.python_type is float:
        low = quantity.gt if quantity.gt is not None else quantity.ge
        scalars = st.floats(low, quantity.le, exclude_min=quantity.gt is not None, allow_nan=False)
    elif quantity.pattern is not None:
        scalars = _texts_of(quantity.pattern, quantity.max_length or 1000)
    else:
        scalars = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=quantity.max_length)
    return st.lists(scalars, min_size=1, max_size=3) if column.is_list else scalars


def _texts_of(pattern: str, most: int) -> st.SearchStrategy[str]:
    """Texts of a pattern; those of a repeated class of characters are drawn whole, which costs much less."""
    parts = re.fullmatch(r"\^(\[[^]]+])?(\[[^]]+])([*+])\$", pattern)
    if parts is None:
        return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= most)
    first, repeated, sign = parts.groups()
    n_first = int(first is not None)
    rest = st.text(_characters_of(repeated), min_size=int(sign == "+"), max_size=most - n_first)
    if first is None:
        return rest
    return st.tuples(st.text(_characters_of(first), min_size=1, max_size=1), rest).map("".join)


def _characters_of(character_class: str) -> st.SearchStrategy[str]:
    is_within = re.compile(character_class).fullmatch
    if character_class.startswith("[^"):
        outside = [character for character in map(chr, range(0x10000)) if not is_within(character)]
        return st.characters(exclude_characters=outside, exclude_categories=["Cs"])
    return st.sampled_from([character for character in map(chr, range(0x80)) if is_within(character)])


def _cells(column: Column) -> st.SearchStrategy[Any]:
    if column.is_required:
        return values(column)
    return st.one_of(st.just(column.default), values(column))


@cache
def _cells_of(level: Level) -> Mapping[str, st.SearchStrategy[Any]]:
    """Cells of every column; kept, because a strategy of a pattern costs more to make than to draw from."""
    return {name: _cells(column) for name, column in columns_of(ROWS[level]).items()}


@cache
def _values_of(level: Level) -> Mapping[str, st.SearchStrategy[Any]]:
    return {name: values(column) for name, column in columns_of(ROWS[level]).items()}


@st.composite
def _rows(draw: st.DrawFn, level: Level, delegates: Sequence[str]) -> dict[str, Any]:
    cells = _cells_of(level)
    row = {name: draw(cell) for name, cell in cells.items() if name not in CONFIGURATION_FIELDS}
    row["delegate"] = draw(st.sampled_from(delegates))
    if level == "kernels":
        for name in CONFIGURATION_FIELDS:
            if name in KERNEL_REQUIRES[row["kernel"]]:
                row[name] = draw(_values_of(level)[name])
            elif name in KERNEL_ALLOWS.get(row["kernel"], ()):
                row[name] = draw(cells[name])
    return row


def row_tables(
    level: Level, delegates: Sequence[str] = ("CPU1", "GPU"), max_rows: int = 6
) -> st.SearchStrategy[pa.Table]:
    """Tables of valid rows in the schema of the level's row model; no two rows share their key.

    Args:
        level: the level.
        delegates: delegates of the device that the rows are for.
        max_rows: most rows; there is at least one.
    """
    key = (*KEYS[level], *SHARED_KEY, "source_id")
    unique = st.lists(
        _rows(level, delegates),
        min_size=1,
        max_size=max_rows,
        unique_by=lambda row: tuple(row.get(name) for name in key),
    )
    return unique.map(lambda rows: pa.Table.from_pylist(rows, schema=arrow_schema(ROWS[level])))


@cache
def _kernel_entries() -> st.SearchStrategy[dict[str, Any]]:
    # Totals must fit into the column of the row.
    small = {name: st.integers(0, 10**12) for name in ("flops", "params", "bytes_moved")}
    return st.fixed_dictionaries({name: _cells(column) for name, column in columns_of(NetworkKernel).items()} | small)


def kernel_lists(table: pa.Table) -> st.SearchStrategy[dict[str, Network]]:
    """Kernel lists of some of the networks in a table of model rows; kernels hold whatever their fields admit."""
    models = sorted(set(table.column("model").to_pylist()))

    def network(model: str) -> st.SearchStrategy[Network]:
        head = {"schema_version": st.just(1), "model": st.just(model), "runtime": st.sampled_from(["one", "two"])}
        kernels = st.lists(_kernel_entries(), min_size=1, max_size=3)
        return st.fixed_dictionaries(head | {"kernels": kernels}).map(Network.model_validate)

    return st.fixed_dictionaries({}, optional={model: network(model) for model in models})
