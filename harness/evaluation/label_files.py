"""Files of a predictor that hold energies of the rows that it is tested on, found by the numbers in them.

Numbers are read from text, and from arrays of floating-point numbers wherever they lie in a file, also within ZIP and
gzip files. A number counts where it equals an energy. Energies of few digits equal numbers by chance; how often is
estimated from values beside each energy, some units of its last digit away.
"""

import contextlib
import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import numpy as np

from harness.arrays import Mask, Reals

MOST_BYTES: Final = 64 << 20
"""Bytes of a file, and of what is packed in it, that are searched."""
LEAST_FOUND: Final = 8
"""Distinct energies in a file, beyond those expected by chance, from which it is reported."""
_DEVIATIONS: Final = 4.0
"""Standard deviations of the number expected by chance that have to be exceeded."""
_LEAST_DIGITS: Final = 3
"""Significant digits of energies that are looked for."""
_BESIDE: Final = (-7, -5, -3, -2, 2, 3, 5, 7)
"""Where chance is estimated, in units of the last digit."""
_RANGE: Final = (1e-9, 1e12)
"""Numbers that may be energies in mJ."""
_NUMBER: Final = re.compile(rb"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK"
_NO_ARCHIVE: Final = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError, struct.error, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What the readers of archives raise about a file that is none."""
_LEAST_LEFT: Final = 1 << 10
"""Bytes that an entry counts for at least, as there may be very many empty ones."""
_UNPACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def numbers_in(files: Mapping[str, Path]) -> dict[str, Reals]:
    """Distinct numbers of each file in ascending order, only those that may be energies.

    Args:
        files: paths by name; what is no regular file, such as a link, holds none.
    """
    found = {}
    for name, path in files.items():
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                found[name] = np.unique(
                    np.concatenate([part for content in _contents(file) for part in _parts(content)])
                )
    return found


def label_files(numbers: Mapping[str, Reals], energies_mj: Reals) -> dict[str, int]:
    """Files that hold energies, each with the number of distinct ones.

    Args:
        numbers: what `numbers_in` found.
        energies_mj: energies of the rows, shape `(n,)`.
    """
    telling = [(energy, *_last_digit(energy)) for energy in np.unique(energies_mj).tolist()]
    energies, units = np.array([one[:2] for one in telling if one[2] >= _LEAST_DIGITS]).reshape(-1, 2).T
    found = {}
    for name, of_file in numbers.items():
        n_found = int(_holds(of_file, energies).sum())
        if n_found >= LEAST_FOUND:
            chance = float(
                np.mean([_holds(of_file, _rounded(energies + step * units, units)).sum() for step in _BESIDE])
            )
            if n_found - chance >= max(LEAST_FOUND, _DEVIATIONS * chance**0.5):
                found[name] = n_found
    return found


def _holds(numbers: Reals, energies_mj: Reals) -> Mask:
    """Which energies are among ascending numbers, as they are or in single precision."""
    single = energies_mj.astype(np.float32).astype(np.float64)
    found: Mask = np.isin(energies_mj, numbers) | np.isin(single, numbers)
    return found


def _rounded(values: Reals, units: Reals) -> Reals:
    """Values rounded to a unit below 1, as the same digits in text would be read."""
    per_unit = np.round(1 / units)
    rounded: Reals = np.where(units < 1, np.round(values * per_unit) / per_unit, values)
    return rounded


def _last_digit(energy: float) -> tuple[float, int]:
    """Unit of the last digit of a number, and how many digits are significant.

    >>> _last_digit(12.5), _last_digit(0.003), _last_digit(1200.0)
    ((0.1, 3), (0.001, 1), (1.0, 2))
    """
    digits, _, exponent = repr(energy).partition("e")
    whole, _, part = digits.partition(".")
    part = "" if part == "0" else part
    significant = (whole + part).lstrip("0") if part else whole.strip("0")
    return float(f"1e{int(exponent or 0) - len(part)}"), len(significant)


def _contents(file: IO[bytes]) -> Iterator[bytes]:
    """What a file holds, and what is packed in it."""
    content = file.read(MOST_BYTES)
    yield content
    try:
        if content.startswith(_GZIP):
            with gzip.open(io.BytesIO(content)) as inner:
                yield inner.read(MOST_BYTES)
        elif content.startswith(_ZIP):
            yield from _entries(content)
    except _NO_ARCHIVE:
        # A file need not be what it begins like, nor whole.
        return


def _entries(content: bytes) -> Iterator[bytes]:
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if left <= 0:
                return
            if entry.compress_type in _UNPACKED:
                # One that is damaged or encrypted hides none of the others.
                with contextlib.suppress(*_NO_ARCHIVE), archive.open(entry) as inner:
                    unpacked = inner.read(left)
                    left -= max(len(unpacked), _LEAST_LEFT)
                    yield unpacked


def _parts(content: bytes) -> Iterator[Reals]:
    """Numbers as text; and, of what is no text, as floating-point numbers from every byte on."""
    yield _likely(np.array([float(word) for word in set(_NUMBER.findall(content))], dtype=np.float64))
    if b"\0" in content:
        for kind in (np.dtype("<f8"), np.dtype("<f4")):
            for start in range(kind.itemsize):
                n = max(len(content) - start, 0) // kind.itemsize
                if n:
                    yield _likely(np.frombuffer(content, dtype=kind, count=n, offset=start))


def _likely(numbers: Reals) -> Reals:
    with np.errstate(invalid="ignore"):
        kept: Reals = numbers[(numbers > _RANGE[0]) & (numbers < _RANGE[1])].astype(np.float64)
    return kept
