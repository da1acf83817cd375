"""A large CSV file as Arrow tables of some megabytes each, read with all cores and bounded memory.

A file that gzip compressed is read as what it holds, whatever its name.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv

from harness.numbers import number
from harness.traces.trace import TraceFault, TraceFormatError

BLOCK_BYTES = 1 << 23
"""Large enough to keep all cores busy, small enough that reducing begins soon."""
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_GZIP = b"\x1f\x8b"


def is_compressed(path: Path) -> bool:
    """Whether gzip compressed a file."""
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file for reading bytes, decompressed where gzip compressed it.

    Raises:
        TraceFormatError: the compressed file is cut off or damaged.
    """
    with path.open("rb") as raw:
        if not is_compressed(path):
            yield raw
            return
        try:
            with gzip.open(raw) as file:
                yield cast(BinaryIO, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            fault = TraceFault("trace-format", "a damaged gzip file", "a whole one", "Copy the file again.")
            raise TraceFormatError(fault) from error


def is_at_most(path: Path, n_bytes: int) -> bool:
    """Whether a file holds at most so many bytes, decompressed."""
    if not is_compressed(path):
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
    # One block is read ahead, so that parsing and reducing share the cores.
    with opened(path) as file, ThreadPoolExecutor(max_workers=1) as ahead:
        for _ in range(n_header_lines):
            file.readline()
        pending: Future[pa.Table] | None = None
        for first_line, block in _blocks(file, n_header_lines + 1, block_bytes):
            upcoming = ahead.submit(
                _table, block if clean is None else memoryview(clean(bytes(block))), form, first_line
            )
            if pending is not None:
                yield pending.result()
            pending = upcoming
        if pending is not None:
            yield pending.result()


@dataclass(frozen=True, slots=True)
class _Form:
    """How a row is written."""

    names: tuple[str, ...]
    types: dict[str, pa.DataType]
    separator: str
    decimal: str


def _blocks(file: BinaryIO, line: int, block_bytes: int) -> Iterator[tuple[int, memoryview]]:
    """Whole lines of about `block_bytes`, with the number of their first line."""
    rest = b""
    while data := file.read(block_bytes):
        end = data.rfind(b"\n") + 1
        if not end:
            # A line longer than a block.
            data += file.readline()
            end = len(data)
        block, rest = rest + data[:end], data[end:]
        if not block.isspace():
            yield line, memoryview(block)
        line += block.count(b"\n")
    if rest.strip():
        yield line, memoryview(rest)


def _table(block: memoryview, form: _Form, first_line: int) -> pa.Table:
    try:
        return pa.csv.read_csv(
            pa.py_buffer(block),
            # Rows are short and blocks are large: chunks of a megabyte keep every core busy.
            read_options=pa.csv.ReadOptions(column_names=list(form.names), block_size=1 << 20),
            parse_options=pa.csv.ParseOptions(delimiter=form.separator, quote_char=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=form.types, include_columns=list(form.types), decimal_point=form.decimal
            ),
        )
    except pa.ArrowInvalid as error:
        raise TraceFormatError(_fault(block, form, first_line)) from error


def _fault(block: memoryview, form: _Form, first_line: int) -> TraceFault:
    """First row of a block that does not fit; found line by line, because Arrow does not say which."""
    numbers = {name: kind for name, kind in form.types.items() if not pa.types.is_string(kind)}
    wholes = [name for name, kind in numbers.items() if pa.types.is_integer(kind)]
    whole = f", a whole one for {', '.join(wholes)}" if wholes else ""
    expected = f"{len(form.names)} cells, with numbers for {', '.join(numbers)}{whole}"
    places = [(form.names.index(name), kind) for name, kind in numbers.items()]
    for line, raw in enumerate(bytes(block).splitlines(), start=first_line):
        text = raw.decode("utf-8", "replace")
        cells = [cell.replace(form.decimal, ".") for cell in text.split(form.separator)]
        if not raw.strip():
            continue
        if len(cells) != len(form.names) or not all(_fits(cells[place], kind) for place, kind in places):
            fix = "Export the trace again, or cut the file before this line."
            return TraceFault("trace-format", text[:120], expected, fix, line)
    return TraceFault("trace-format", "a row that cannot be read", expected, "Export the trace again.", first_line)


def _fits(cell: str, kind: pa.DataType) -> bool:
    """Whether a cell holds a number that Arrow reads as one of this type."""
    if pa.types.is_integer(kind):
        return bool(_WHOLE.fullmatch(cell.strip()))
    return number(cell) is not None
