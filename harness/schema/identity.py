"""Content hashes that identify records and configurations; the same content has the same id everywhere."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from harness.schema.records import KEYS, SHARED_KEY
from harness.schema.vocabulary import Level

_ID_DIGITS = 20


def content_id(content: Mapping[str, Any]) -> str:
    """Twenty hexadecimal digits of the SHA-256 of a mapping, whatever the order of its keys.

    Absent and null values count alike, so that a new optional field changes no id.

    >>> content_id({"a": 1, "b": None}) == content_id({"a": 1})
    True
    """
    given = {key: value for key, value in content.items() if value is not None}
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_ID_DIGITS]


def _ids(table: pa.Table, fields: Sequence[str], **constants: str) -> list[str]:
    return [content_id(row | constants) for row in table.select(list(fields)).to_pylist()]


def record_ids(table: pa.Table, level: Level, submission_id: str) -> list[str]:
    """Record id of every row: configuration, conditions, submission and row of the source."""
    fields = (*KEYS[level], *SHARED_KEY, "source_id")
    return _ids(table, fields, level=level, submission_id=submission_id)


def configuration_ids(table: pa.Table) -> list[str]:
    """Configuration id of every kernel row; the same for every device, delegate and data type."""
    return _ids(table, KEYS["kernels"])
