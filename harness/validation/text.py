"""Bytes of a file to text that can be parsed: encoding, NUL bytes, line length, size."""

import codecs
import itertools
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.budget import MOST_LINE_BYTES, MOST_TABLE_LINES
from harness.traces.recoding import UTF16_MARKS
from harness.validation.faults import Faults

_BLOCK_BYTES = 1 << 24


def read_bytes(path: Path, shown: str, most_bytes: int, faults: Faults) -> bytes | None:
    """Content of a file without its byte order mark, or None where it cannot be read as text.

    Args:
        path: file to read.
        shown: its name in messages.
        most_bytes: size beyond which it is not read.
        faults: collects what is wrong.
    """
    if not path.is_file():
        # A named pipe would be waited for without end.
        report_unreadable(shown, "a folder or special file", faults)
        return None
    try:
        n_bytes = path.stat().st_size
        if n_bytes > most_bytes:
            report_size(shown, f"{n_bytes} bytes", most_bytes, faults)
            return None
        data = path.read_bytes()
    except OSError as error:
        report_unreadable(shown, error, faults)
        return None
    return checked_bytes(data, shown, faults)


def report_unreadable(shown: str, found: str | OSError, faults: Faults) -> None:
    """Report a file or folder that cannot be read, with the reason of the operating system."""
    if isinstance(found, OSError):
        found = (found.strerror or type(found).__name__).lower()
    fix = "Put a plain file in its place that everybody may read."
    faults.add("file-unreadable", shown, found=found, expected="a readable file", fix=fix)


def report_size(shown: str, found: str, most_bytes: int, faults: Faults) -> None:
    """Report a file that is too large to be read."""
    expected, fix = f"at most {most_bytes} bytes", "Split the file or leave out what is not a measurement."
    faults.add("file-size", shown, found=found, expected=expected, fix=fix)


def checked_bytes(data: bytes, shown: str, faults: Faults) -> bytes | None:
    """Text without its byte order mark; None where it is no text in UTF-8, which is reported."""
    if data.startswith(UTF16_MARKS):
        _report_encoding(shown, 1, "UTF-16", faults)
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        faults.add(
            "text-nul",
            shown,
            line=line_at(data, data.index(b"\0")),
            found="a NUL byte",
            expected="text",
            fix="Export the file again as plain text.",
        )
        return None
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            _report_encoding(shown, line_at(data, error.start), f"byte 0x{data[error.start]:02x}", faults)
            return None
    return data


def _report_encoding(shown: str, line: int, found: str, faults: Faults) -> None:
    faults.add(
        "text-encoding",
        shown,
        line=line,
        found=found,
        expected="UTF-8",
        fix="Save the file as UTF-8 (in a spreadsheet: CSV UTF-8).",
    )


def line_at(data: bytes, offset: int) -> int:
    """Line, counted from 1, that holds a byte; CR, LF and CR LF end a line.

    >>> line_at(b"a\\r\\nb", 3)
    2
    """
    n_ends = data.count(b"\n", 0, offset) + data.count(b"\r", 0, offset)
    return 1 + n_ends - data.count(b"\r\n", 0, offset)


def line_starts(data: bytes) -> Sequence[int]:
    """Offset of the first byte of every line; CR, LF and CR LF end a line.

    >>> list(line_starts(b"a\\r\\nb\\rc\\n"))
    [0, 3, 5, 7]
    """
    starts = array("q", [0])
    for begin in range(0, len(data), _BLOCK_BYTES):
        # One byte more shows whether a CR at the end of the block is followed by LF.
        codes = np.frombuffer(data, np.uint8, min(_BLOCK_BYTES + 1, len(data) - begin), begin)
        is_end = codes == ord("\n")
        is_end[:-1] |= (codes[:-1] == ord("\r")) & ~is_end[1:]
        if len(codes) <= _BLOCK_BYTES:
            is_end[-1] |= codes[-1] == ord("\r")
        starts.frombytes((np.flatnonzero(is_end[:_BLOCK_BYTES]) + begin + 1).astype(np.int64).tobytes())
    return starts


def report_many_lines(data: bytes, shown: str, faults: Faults, most: int = MOST_TABLE_LINES) -> bool:
    """Report a table of more lines than it may have; whether it was one."""
    n_lines = line_at(data, len(data))
    if n_lines <= most:
        return False
    faults.add(
        "file-size",
        shown,
        found=f"{n_lines} lines",
        expected=f"at most {most} lines",
        fix="Split the file or leave out what is not a measurement.",
    )
    return True


def report_long_lines(data: bytes, shown: str, faults: Faults) -> bool:
    """Report every line that is too long to be a row; whether there was one."""
    if not _has_long_line(data):
        return False
    starts = [*line_starts(data), len(data)]
    for number, (start, end) in enumerate(itertools.pairwise(starts), start=1):
        if end - start > MOST_LINE_BYTES and (length := len(data[start:end].rstrip(b"\r\n"))) > MOST_LINE_BYTES:
            faults.add(
                "line-length",
                shown,
                line=number,
                found=f"{length} bytes",
                expected=f"at most {MOST_LINE_BYTES} bytes",
                fix="Export the file again; a line end is missing, or this is not a table.",
            )
    return True


def _has_long_line(data: bytes) -> bool:
    """Whether a line is too long, found by leaping from line end to line end a megabyte at a time."""
    start = 0
    while len(data) - start > MOST_LINE_BYTES:
        window = (start, start + MOST_LINE_BYTES + 1)
        end = max(data.rfind(b"\n", *window), data.rfind(b"\r", *window))
        if end < 0:
            return True
        start = end + 1
    return False
