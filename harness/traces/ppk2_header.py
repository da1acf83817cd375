"""The header of an export of Nordic's Power Profiler: time, current, and digital channels in one column or in eight."""

from typing import Final

TIME: Final = "Timestamp(ms)"
CURRENT: Final = "Current(uA)"
BITS: Final = "D0-D7"
"""Column of all digital channels, a character each."""
DIGITAL: Final = tuple(f"D{channel}" for channel in range(8))
MILLISECONDS: Final = 1e3


def ppk2_names(header: str) -> tuple[str, ...] | None:
    """Columns of a header of the Power Profiler; None where it is another.

    >>> ppk2_names("Timestamp(ms),Current(uA),D0-D7")
    ('Timestamp(ms)', 'Current(uA)', 'D0-D7')
    """
    names = tuple(cell.strip() for cell in header.split(","))
    known = {TIME, CURRENT, BITS, *DIGITAL}
    is_whole = len(set(names)) == len(names) > 1 and set(names) <= known
    return names if is_whole and names[0] == TIME else None
