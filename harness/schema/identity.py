"""Content hashes that identify records and configurations; the same content has the same id everywhere."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.kernel_costs import AT_LEAST_ONE
from harness.schema.kernel_types import KERNEL_TYPES
from harness.schema.older_columns import ENERGY_KIND, IDLE_SUBTRACTED, KINDS
from harness.schema.records import KEYS, SHARED_KEY
from harness.schema.vocabulary import Level

_ID_DIGITS = 20
_TRUTH: Final = {kind: cell == "true" for cell, kind in KINDS.items()}


def content_id(content: Mapping[str, Any]) -> str:
    """Twenty hexadecimal digits of the SHA-256 of a mapping, whatever the order of its keys.

    Absent and null values count alike, so that a new optional field changes no id.

    >>> content_id({"a": 1, "b": None}) == content_id({"a": 1})
    True
    """
    given = {key: value for key, value in content.items() if value is not None}
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_ID_DIGITS]


def record_ids(table: pa.Table, level: Level, submission_id: str) -> list[str]:
    """Record id of every row: configuration, conditions, submission and row of the source."""
    rows = table.select([*KEYS[level], *SHARED_KEY, "source_id"]).to_pylist()
    return [content_id(_hashed(row) | {"level": level, "submission_id": submission_id}) for row in rows]


def _hashed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Key of a row as it is hashed.

    Absolute and idle-subtracted energies are hashed in the form of the older column, so that they keep their ids.
    """
    cells = dict(row)
    kind = cells.pop(ENERGY_KIND)
    return cells | ({ENERGY_KIND: kind} if kind not in _TRUTH else {IDLE_SUBTRACTED.name: _TRUTH[kind]})


def configuration_ids(table: pa.Table) -> list[str]:
    """Configuration id of every kernel row; the same for every device, delegate, data type and way of writing it."""
    return [content_id(row) for row in canonical_configurations(table).select(list(KEYS["kernels"])).to_pylist()]


def canonical_configurations(table: pa.Table) -> pa.Table:
    """Rows with each configuration in one form, whatever the form that it is stated in.

    An extent that may be left out for 1 is left out. A convolution whose groups are its input channels is the
    convolution of each channel by itself (`dwconv-bn-relu`). The output channels of that are left out where they are
    the input channels. Heights and widths are always both stated.

    Args:
        table: rows with the columns of a kernel configuration, and any others, which stay as they are.
    """
    kernel = table.column("kernel").cast(pa.string())
    for name in sorted(AT_LEAST_ONE):
        kinds = pa.array([kind for kind, declared in KERNEL_TYPES.items() if name in declared.allows], pa.string())
        is_one = pc.and_(pc.is_in(kernel, kinds), pc.equal(table.column(name), 1))
        table = _emptied(table, name, is_one)
    groups, cin, cout = (table.column(name) for name in ("groups", "cin", "cout"))
    is_of_channels = _true(pc.and_(pc.equal(kernel, "conv-bn-relu"), pc.equal(groups, cin)))
    kernel = pc.if_else(is_of_channels, "dwconv-bn-relu", kernel)
    table = _emptied(table, "groups", is_of_channels)
    table = _emptied(table, "cout", pc.and_(pc.equal(kernel, "dwconv-bn-relu"), pc.equal(cout, cin)))
    return table.set_column(table.column_names.index("kernel"), "kernel", kernel)


def _true(mask: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(mask, fill_value=False)


def _emptied(table: pa.Table, name: str, rows: pa.ChunkedArray) -> pa.Table:
    """Table whose column is empty in some rows."""
    column = table.column(name)
    kept = pc.if_else(_true(rows), pa.scalar(None, column.type), column)
    return table.set_column(table.column_names.index(name), name, kept)
