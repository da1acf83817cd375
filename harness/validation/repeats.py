"""Rules of rows that share an identifier or a configuration: identifiers, duplicates, repeats."""

from typing import Final

import numpy as np
import pyarrow as pa

from harness.schema.identity import canonical_configurations
from harness.schema.records import KEYS, SHARED_KEY
from harness.schema.vocabulary import KERNEL_REQUIRES
from harness.validation.context import Mask, RowContext, rows_by_kernel
from harness.validation.grouping import Codes, group_codes, repeated_groups
from harness.validation.table import IDENTIFIER

REPEAT_LIMIT: Final = 0.10
"""Spread of repeats over their median; DeepEn2023's twelve repeats spread up to 7.0 % (7.3 % of the lower)."""


def check_identifiers(context: RowContext) -> None:
    """id-reused."""
    table = context.rows.table
    if IDENTIFIER not in context.rows.names:
        return
    has_identifier = np.asarray(table.column(IDENTIFIER).is_valid())
    groups = [members for members in repeated_groups(group_codes(table, (IDENTIFIER,))) if has_identifier[members[0]]]
    if not groups:
        return
    keys = _keys(context)
    for members in groups:
        _report_reuse(context, members, keys)


def check_repeats(context: RowContext) -> None:
    """record-duplicate, repeat, repeat-spread."""
    groups = repeated_groups(_keys(context))
    if not groups:
        return
    is_usable = context.numbers("energy_mj") > 0
    if context.level == "kernels":
        is_usable &= _has_configuration(context.rows.table)
    for members in groups:
        usable = [row for row in members if is_usable[row]]
        if len(usable) > 1:
            _report_repeats(context, usable)


def _keys(context: RowContext) -> Codes:
    table = context.rows.table
    if context.level == "kernels":
        table = canonical_configurations(table)
    return group_codes(table, (*KEYS[context.level], *SHARED_KEY))


def _has_configuration(table: pa.Table) -> Mask:
    """Rows that give every extent their kernel requires; the others cannot repeat each other."""
    has_all: Mask = np.zeros(table.num_rows, dtype=np.bool_)
    for kernel, of_kernel in rows_by_kernel(table):
        given = [np.asarray(table.column(name).is_valid()) for name in KERNEL_REQUIRES[kernel]]
        has_all |= of_kernel & np.logical_and.reduce(given)
    return has_all


def _report_reuse(context: RowContext, members: list[int], keys: Codes) -> None:
    first = members[0]
    for row in members[1:]:
        if keys[row] != keys[first]:
            expected = f"one configuration per id; line {context.rows.line(first)} has another under it"
            context.report("id-reused", row, IDENTIFIER, expected=expected, fix="Give every configuration its own id.")


def _report_repeats(context: RowContext, members: list[int]) -> None:
    rows = context.rows
    seen: dict[str, int] = {}
    distinct = []
    for row in members:
        first = seen.setdefault(rows.text(row, IDENTIFIER), row)
        if first == row:
            distinct.append(row)
            continue
        if not context.faults.is_listed("record-duplicate", rows.shown):
            context.faults.count("record-duplicate", rows.shown, 1)
            continue
        expected = f"another source_id than in line {rows.line(first)}, which has the same key"
        found = rows.text(row, IDENTIFIER) or "nothing"
        fix = "If both were measured, give each its own source_id; if one is a copy, remove it."
        context.report("record-duplicate", row, IDENTIFIER, found=found, expected=expected, fix=fix)
    if len(distinct) < 2:
        return
    energies = context.numbers("energy_mj")[distinct]
    spread = float((energies.max() - energies.min()) / np.median(energies))
    rule = "repeat" if spread <= REPEAT_LIMIT else "repeat-spread"
    context.report(
        rule,
        distinct[-1],
        "energy_mj",
        found=f"{rows.text(distinct[-1], 'energy_mj')}, {spread:.1%} spread with line "
        + ", ".join(str(rows.line(row)) for row in distinct[:-1]),
        expected=f"repeats within {REPEAT_LIMIT:.0%}",
        fix="Nothing to do."
        if rule == "repeat"
        else "Keep all of them, and state under conditions or notes what changed between the runs, where it is known.",
    )
