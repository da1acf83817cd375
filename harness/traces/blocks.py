"""A large CSV file as Arrow tables of some megabytes each, read with all cores and bounded memory."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv

from harness.numbers import number
from harness.traces.trace import TraceFault, TraceFormatError

BLOCK_BYTES = 1 << 23
"""Large enough to keep all cores busy, small enough that reducing begins soon."""
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


def csv_blocks(
    path: Path,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    n_header_lines: int,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[pa.Table]:
    """Tables of consecutive rows.

    Args:
        path: file whose rows all end in a line end, but perhaps the last.
        names: name of every cell of a row.
        types: Arrow type of the columns that are wanted; the others are passed over.
        n_header_lines: lines before the first row.
        block_bytes: bytes read at once.

    Raises:
        TraceFormatError: a row does not fit; with its line.
    """
    # One block is read ahead, so that parsing and reducing share the cores.
    with path.open("rb") as file, ThreadPoolExecutor(max_workers=1) as ahead:
        for _ in range(n_header_lines):
            file.readline()
        pending: Future[pa.Table] | None = None
        for first_line, block in _blocks(file, n_header_lines + 1, block_bytes):
            upcoming = ahead.submit(_table, block, names, types, first_line)
            if pending is not None:
                yield pending.result()
            pending = upcoming
        if pending is not None:
            yield pending.result()


def _blocks(file: BinaryIO, line: int, block_bytes: int) -> Iterator[tuple[int, memoryview]]:
    """Whole lines of about `block_bytes`, with the number of their first line."""
    while data := file.read(block_bytes):
        end = data.rfind(b"\n") + 1
        if not end or len(data) < block_bytes:
            # The last block, or a line longer than one.
            data += file.readline()
            end = len(data)
        file.seek(end - len(data), os.SEEK_CUR)
        if not data.isspace():
            yield line, memoryview(data)[:end]
        line += data.count(b"\n", 0, end)


def _table(block: memoryview, names: Sequence[str], types: Mapping[str, pa.DataType], first_line: int) -> pa.Table:
    try:
        return pa.csv.read_csv(
            pa.py_buffer(block),
            # Rows are short and blocks are large: chunks of a megabyte keep every core busy.
            read_options=pa.csv.ReadOptions(column_names=list(names), block_size=1 << 20),
            parse_options=pa.csv.ParseOptions(quote_char=False),
            convert_options=pa.csv.ConvertOptions(column_types=dict(types), include_columns=list(types)),
        )
    except pa.ArrowInvalid as error:
        raise TraceFormatError(_fault(block, names, types, first_line)) from error


def _fault(block: memoryview, names: Sequence[str], types: Mapping[str, pa.DataType], first_line: int) -> TraceFault:
    """First row of a block that does not fit; found line by line, because Arrow does not say which."""
    wholes = [name for name, kind in types.items() if pa.types.is_integer(kind)]
    whole = f", a whole one for {', '.join(wholes)}" if wholes else ""
    expected = f"{len(names)} cells, with numbers for {', '.join(types)}{whole}"
    places = [(list(names).index(name), kind) for name, kind in types.items()]
    for line, raw in enumerate(bytes(block).splitlines(), start=first_line):
        cells = raw.decode("utf-8", "replace").split(",")
        if not raw.strip():
            continue
        if len(cells) != len(names) or not all(_fits(cells[place], kind) for place, kind in places):
            fix = "Export the trace again, or cut the file before this line."
            return TraceFault("trace-format", raw.decode("utf-8", "replace")[:120], expected, fix, line)
    return TraceFault("trace-format", "a row that cannot be read", expected, "Export the trace again.", first_line)


def _fits(cell: str, kind: pa.DataType) -> bool:
    """Whether a cell holds a number that Arrow reads as one of this type."""
    if pa.types.is_integer(kind):
        return bool(_WHOLE.fullmatch(cell.strip()))
    return number(cell) is not None
