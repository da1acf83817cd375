"""What a check of rows sees: typed rows of one file, and the facts they are measured against."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.schema.cost import kernel_flops
from harness.schema.facts import Device, Manifest
from harness.schema.vocabulary import KERNEL_REQUIRES, Kernel, Level
from harness.validation.faults import Faults
from harness.validation.table import RowTable

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowContext:
    """Rows of one file with what they are measured against.

    Attributes:
        level: record level of the file.
        rows: typed rows.
        device: contents of device.yaml, None where it is broken.
        manifest: contents of submission.yaml, None where it is broken.
        faults: collects what is wrong.
        is_each_row: whether a fault that many rows share is reported at each of them, and not once for the file.
    """

    level: Level
    rows: RowTable
    device: Device | None
    manifest: Manifest | None
    faults: Faults
    is_each_row: bool = False

    def numbers(self, name: str) -> Numbers:
        """Column as floats, NaN where empty or out of the column's bounds, which the check of cells reports."""
        values: Numbers = self.rows.table.column(name).to_numpy().astype(np.float64, copy=False)
        quantity = self.rows.columns[name].quantity
        outside = np.zeros(len(values), dtype=np.bool_)
        for bound, breaks in ((quantity.gt, np.less_equal), (quantity.ge, np.less), (quantity.le, np.greater)):
            if bound is not None:
                outside |= breaks(values, bound)
        return np.where(outside, np.nan, values) if outside.any() else values

    def with_words(self, name: str, wanted: Collection[str]) -> Mask:
        """Rows that have one of some words in a column."""
        rows: Mask = np.zeros(self.rows.table.num_rows, dtype=np.bool_)
        for code, word, codes in words_with_codes(self.rows.table.column(name)):
            if word in wanted:
                rows |= codes == code
        return rows

    def flops(self) -> Numbers | None:
        """FLOPs of every row, NaN where unknown; None at a level that states none."""
        if self.level == "kernels":
            return kernel_flops(self.rows.table)
        return self.numbers("flops") if self.level == "models" else None

    def report(self, rule: str, row: int, column: str, **words: Any) -> None:
        """Report a fault of one cell; `found` is the cell's own text unless given."""
        self.rows.report(self.faults, rule, row, column, **words)

    def to_report(self, rule: str, rows: Mask) -> Iterator[int]:
        """Rows whose faults of one rule are listed, to be reported one by one; the others are counted.

        Args:
            rule: id of the rule.
            rows: rows that break it.
        """
        places = np.flatnonzero(rows)
        for n_before, row in enumerate(places):
            if not self.faults.is_listed(rule, self.rows.shown):
                self.faults.count(rule, self.rows.shown, len(places) - n_before)
                return
            yield int(row)

    def report_first(
        self, rule: str, rows: Mask, column: str, *, expected: str, fix: str, note: Callable[[int], str] = lambda _: ""
    ) -> None:
        """Report a fault that many rows share, at the first of them or, where asked for, at each.

        Args:
            rule: id of the rule.
            rows: the rows; at least one.
            column: column that it is about.
            expected: what would have been right.
            fix: what to do.
            note: what follows the cell of a row.
        """
        first, n_rows = int(np.argmax(rows)), int(rows.sum())
        for row in rows_where(rows) if self.is_each_row else (first,):
            found = ", ".join(filter(None, (self.rows.text(row, column), note(row))))
            found = found if n_rows == 1 or self.is_each_row else f"{found}, in {n_rows} rows from here"
            self.report(rule, row, column, found=found or "nothing", expected=expected, fix=fix)


def rows_where(mask: Mask) -> Iterator[int]:
    """Rows at which a mask is true."""
    return map(int, np.flatnonzero(mask))


def rows_by_kernel(table: pa.Table) -> Iterator[tuple[Kernel, Mask]]:
    """Known kernel types of a table, each with a mask of its rows."""
    for code, kernel, codes in words_with_codes(table.column("kernel")):
        if kernel in KERNEL_REQUIRES:
            yield kernel, codes == code


def words_with_codes(values: pa.ChunkedArray) -> Iterator[tuple[int, str, npt.NDArray[np.int64]]]:
    """Code and text of every distinct word of a column, with the codes of all rows; -1 where empty."""
    array = values.unify_dictionaries().combine_chunks()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for code, word in enumerate(array.dictionary.to_pylist()):
        yield code, word, codes
