"""A large CSV file as Arrow tables of some megabytes each, read with all cores and bounded memory.

A file that gzip compressed is read as what it holds, whatever its name, and one in UTF-16 as UTF-8.
"""

import gzip
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase, BufferedReader, BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from harness.budget import MOST_LINE_BYTES
from harness.issues import quoted
from harness.numbers import number
from harness.traces.ahead import N_HELD, mapped_ahead
from harness.traces.recoding import UTF16_MARKS, Utf16AsUtf8
from harness.traces.trace import TraceFault, TraceFormatError

_BLANK = 64
_MOST_REST = 1 << 16
BLOCK_BYTES = 1 << 23
"""Large enough that a block takes longer than its turn, small enough that reducing begins soon."""
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_GZIP = b"\x1f\x8b"


def is_as_stored(path: Path) -> bool:
    """Whether the bytes of a file are those that are read: neither compressed nor in UTF-16."""
    with path.open("rb") as file:
        return not file.read(len(_GZIP)).startswith((_GZIP, *UTF16_MARKS))


@contextmanager
def opened(path: Path) -> Iterator[BufferedIOBase]:
    """A file for reading bytes, decompressed where gzip compressed it, and in UTF-8 where it is in UTF-16.

    Raises:
        TraceFormatError: the compressed file is cut off or damaged, or the text is not UTF-16 to its end.
    """
    with path.open("rb") as raw:
        try:
            with gzip.open(raw) if raw.peek(len(_GZIP)).startswith(_GZIP) else nullcontext(raw) as file:
                is_utf16 = file.peek(len(_GZIP)).startswith(UTF16_MARKS)
                yield BufferedReader(Utf16AsUtf8(file)) if is_utf16 else file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            fault = TraceFault("trace-format", "a damaged gzip file", "a whole one", "Copy the file again.")
            raise TraceFormatError(fault) from error
        except UnicodeError as error:
            fix = "Copy the file again, or save it as UTF-8 (in a spreadsheet: CSV UTF-8)."
            raise TraceFormatError(TraceFault("trace-format", "damaged UTF-16", "UTF-8 or UTF-16", fix)) from error


def is_at_most(path: Path, n_bytes: int) -> bool:
    """Whether a file holds at most so many bytes, as they are read."""
    if is_as_stored(path):
        return path.stat().st_size <= n_bytes
    n_read = 0
    with opened(path) as file:
        while n_read <= n_bytes and (data := file.read(BLOCK_BYTES)):
            n_read += len(data)
    return n_read <= n_bytes


def csv_blocks(
    path: Path,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    n_header_lines: int,
    block_bytes: int = BLOCK_BYTES,
    separator: str = ",",
    decimal: str = ".",
    clean: Callable[[bytes], bytes] | None = None,
) -> Iterator[pa.Table]:
    """Tables of consecutive rows.

    Args:
        path: file whose rows all end in a line end, but perhaps the last.
        names: name of every cell of a row.
        types: Arrow type of the columns that are wanted; the others are passed over.
        n_header_lines: lines before the first row.
        block_bytes: bytes read at once.
        separator: what separates cells.
        decimal: decimal sign.
        clean: takes out of rows what is no part of their cells; it keeps line ends.

    Raises:
        TraceFormatError: a row does not fit; with its line.
    """
    form = _Form(tuple(names), dict(types), separator, decimal)
    with opened(path) as file:
        n_before = sum(len(file.readline(MOST_LINE_BYTES)) for _ in range(n_header_lines))

        def line_after(n_bytes: int) -> int:
            return _line_after(path, n_before + n_bytes)

        def table(skipped_and_block: tuple[int, memoryview]) -> pa.Table:
            n_skipped, block = skipped_and_block
            cleaned = block if clean is None else memoryview(clean(bytes(block)))
            return _table(cleaned, form, partial(line_after, n_skipped))

        yield from mapped_ahead(table, _blocks(file, block_bytes, line_after))


@dataclass(frozen=True, slots=True)
class _Form:
    """How a row is written."""

    names: tuple[str, ...]
    types: dict[str, pa.DataType]
    separator: str
    decimal: str


def _line_after(path: Path, n_bytes: int) -> int:
    """Number of the line that begins after so many bytes; counted only where a fault needs it."""
    line = 1
    with opened(path) as file:
        while n_bytes and (data := file.read(min(n_bytes, BLOCK_BYTES))):
            line += data.count(b"\n")
            n_bytes -= len(data)
    return line


def _blocks(
    file: BufferedIOBase, block_bytes: int, line_after: Callable[[int], int]
) -> Iterator[tuple[int, memoryview]]:
    """Whole lines of about `block_bytes`, with the number of bytes before them; each valid until
    `N_HELD` more were asked for.

    Raises:
        TraceFormatError: a line is too long to be one of a table.
    """
    buffers = cycle([bytearray(block_bytes + _MOST_REST) for _ in range(N_HELD)])
    rest, n_before = b"", 0
    while True:
        # Buffers are filled again and again, so that only the part of a line at the end of a block is copied.
        buffer = next(buffers) if len(rest) <= _MOST_REST else bytearray(len(rest) + block_bytes)
        buffer[: len(rest)] = rest
        n_read = file.readinto(memoryview(buffer)[len(rest) : len(rest) + block_bytes])
        n_bytes = len(rest) + n_read
        end = buffer.rfind(b"\n", 0, n_bytes) + 1
        if not end:
            # A line longer than a block, or the end of the file.
            buffer = buffer[:n_bytes] + file.readline(MOST_LINE_BYTES + 1)
            n_bytes = end = len(buffer)
            if n_bytes > MOST_LINE_BYTES:
                raise TraceFormatError(_long_line(n_bytes, line_after(n_before)))
        block, rest = memoryview(buffer)[:end], bytes(memoryview(buffer)[end:n_bytes])
        if end and not (bytes(block[:_BLANK]).isspace() and bytes(block).isspace()):
            yield n_before, block
        n_before += end
        if not n_read:
            return


def values_of(column: pa.ChunkedArray) -> NDArray[Any]:
    """Values of a column of numbers; NaN where a cell is empty.

    `ChunkedArray.to_numpy` imports pandas, which loses an interruption that comes meanwhile.
    """
    if column.null_count:
        column = pc.fill_null(column.cast(pa.float64(), safe=False), math.nan)
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    values: NDArray[Any] = np.from_dlpack(whole)
    return values


def _long_line(n_bytes: int, line: int) -> TraceFault:
    expected, fix = f"at most {MOST_LINE_BYTES} bytes", "Export the trace again; a line end is missing."
    return TraceFault("line-length", f"{n_bytes} bytes or more", expected, fix, line)


def _table(block: memoryview, form: _Form, first_line: Callable[[], int]) -> pa.Table:
    try:
        return pa.csv.read_csv(
            pa.py_buffer(block),
            # In one piece, so that columns are arrays without a copy; other threads parse other blocks.
            read_options=pa.csv.ReadOptions(column_names=list(form.names), block_size=len(block), use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=form.separator, quote_char=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=form.types, include_columns=list(form.types), decimal_point=form.decimal
            ),
        )
    except pa.ArrowInvalid as error:
        raise TraceFormatError(_fault(block, form, first_line())) from error


def _fault(block: memoryview, form: _Form, first_line: int) -> TraceFault:
    """First row of a block that does not fit; found line by line, because Arrow does not say which."""
    numbers = {name: kind for name, kind in form.types.items() if not pa.types.is_string(kind)}
    wholes = [name for name, kind in numbers.items() if pa.types.is_integer(kind)]
    whole = f", a whole one for {', '.join(wholes)}" if wholes else ""
    expected = f"{len(form.names)} cells, with numbers for {', '.join(numbers)}{whole}"
    places = [(form.names.index(name), kind) for name, kind in numbers.items()]
    for line, raw in enumerate(BytesIO(block), start=first_line):
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        cells = [cell.replace(form.decimal, ".") for cell in text.split(form.separator)]
        if not text:
            continue
        if len(cells) != len(form.names) or not all(_fits(cells[place], kind) for place, kind in places):
            fix = "Export the trace again, or cut the file before this line."
            return TraceFault("trace-format", quoted(text), expected, fix, line)
    return TraceFault("trace-format", "a row that cannot be read", expected, "Export the trace again.", first_line)


def _fits(cell: str, kind: pa.DataType) -> bool:
    """Whether a cell holds a number that Arrow reads as one of this type."""
    if pa.types.is_integer(kind):
        return bool(_WHOLE.fullmatch(cell.strip()))
    return number(cell) is not None
