"""Sources that describe their systems themselves, with what a caller states besides.

A delegate that is stated goes before the one that a description leads to. Data type and runtime fill in what it leaves
open, and contradict nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignTable
from harness.intake.stated import UNKNOWN, StatedFacts
from harness.issues import quoted

DESCRIBED_FACTS: Final = ("delegate", "dtype", "runtime")
"""What a caller may state about such a source."""
_OPEN: Final = ("", "unstated")


def with_stated(table: ForeignTable, stated: StatedFacts) -> ForeignTable:
    """A table with what a caller states about its rows.

    Args:
        table: the source as its format reads it.
        stated: what the caller states.

    Raises:
        UsageError: a runtime is stated where the source has another.
    """
    device = table.device
    if device is not None and stated.delegates:
        device = {**device, "delegates": {**device["delegates"], **stated.delegates}}
    rows = [row if row.faults else _row(row, stated) for row in table.rows]
    return replace(table, rows=rows, device=device, submission=_submission(table.submission, stated))


def _row(row: ForeignRow, stated: StatedFacts) -> ForeignRow:
    cells = {**row.cells, **stated.delegate_cell}
    if stated.dtype is not None and cells.get("dtype", "") in _OPEN:
        cells["dtype"] = stated.dtype
    return replace(row, cells=cells)


def _submission(submission: Mapping[str, Any], stated: StatedFacts) -> Mapping[str, Any]:
    if stated.runtime is None:
        return submission
    found = submission["runtime"]
    if found not in (UNKNOWN, stated.runtime):
        raise UsageError(f"the source states the runtime {quoted(found)}; leave --runtime out, or correct the source")
    return {**submission, "runtime": stated.runtime}
