"""The rows of one CSV file: read, checked by every check, and handed on in the schema of their level."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.columns import arrow_schema, columns_of
from harness.schema.facts import Device, Manifest
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import Level
from harness.validation.cells import LIST_SEPARATOR, check_cells
from harness.validation.context import RowContext
from harness.validation.faults import Faults, contained
from harness.validation.header import check_header
from harness.validation.rules import CHECKS
from harness.validation.table import QuoteError, RowTable, header_of, read_table
from harness.validation.text import report_long_lines, report_many_lines


def check_rows(
    data: bytes,
    level: Level,
    *,
    device: Device | None,
    manifest: Manifest | None,
    shown: str,
    faults: Faults,
    is_each_row: bool = False,
) -> RowTable | None:
    """Typed rows of one level's CSV bytes after every check, or None where they cannot be split into cells.

    Args:
        data: the file, known to be UTF-8.
        level: record level of its rows.
        device: contents of device.yaml, None where it is broken.
        manifest: contents of submission.yaml, None where it is broken.
        shown: file name in messages.
        faults: collects what is wrong.
        is_each_row: whether a fault that many rows share is reported at each of them.
    """
    rows = _read_rows(data, level, shown, faults)
    if rows is None:
        return None
    context = RowContext(level, rows, device, manifest, faults, is_each_row)
    # Checks spend their time in Arrow and NumPy, which let other threads run.
    with ThreadPoolExecutor() as pool:
        for finished in [pool.submit(_run_check, check, context) for check in (_check_cells_of, *CHECKS)]:
            faults.join(finished.result())
    return rows


def _run_check(check: Callable[[RowContext], None], context: RowContext) -> Faults:
    """Faults of one check; numbers out of bounds may overflow in it, because the check of cells reports them."""
    own = replace(context, faults=Faults(keeps_all=context.faults.keeps_all))
    with np.errstate(all="ignore"), contained(context.rows.shown, own.faults):
        check(own)
    return own.faults


def _check_cells_of(context: RowContext) -> None:
    check_cells(context.rows, context.faults)


def _read_rows(data: bytes, level: Level, shown: str, faults: Faults) -> RowTable | None:
    columns = columns_of(ROWS[level])
    if report_many_lines(data, shown, faults) or report_long_lines(data, shown, faults):
        return None
    try:
        names = header_of(data)
    except QuoteError as error:
        error.report(shown, faults)
        return None
    if not any(names):
        faults.add(
            "file-empty",
            shown,
            found="an empty file",
            expected="a header and rows",
            fix="Export the file again, or remove it.",
        )
        return None
    if not check_header(names, columns, columns_of(RECORDS[level]), shown, faults):
        return None
    rows = read_table(data, names, columns, shown, faults)
    if rows is not None and not rows.table.num_rows and not rows.n_misfits:
        faults.add(
            "header-only",
            shown,
            line=1,
            found="a header without rows",
            expected="at least one row",
            fix="Add the measured rows, or remove the file.",
        )
    return rows


def as_schema(rows: RowTable, level: Level) -> pa.Table:
    """Checked rows in the Arrow schema of the row model; words decoded, lists split."""
    arrays = []
    for target in arrow_schema(ROWS[level]):
        values = rows.table.column(target.name)
        if pa.types.is_list(target.type):
            values = pc.split_pattern(values.cast(pa.string()), LIST_SEPARATOR)
        arrays.append(values.cast(target.type))
    return pa.table(arrays, schema=arrow_schema(ROWS[level]))
