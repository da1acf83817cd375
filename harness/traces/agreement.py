"""Whether two columns of a meter agree: power with current and voltage, with a counter of energy, or with a part of it.

The first rows of a table suffice, since a wrong unit is wrong everywhere.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from harness.numbers import decimal_of
from harness.traces.columns import TableColumns, first_rows, step_of
from harness.traces.trace import TraceFault

_SHARE_APART: Final = 0.01
"""Share by which two columns may differ beyond their rounding, since each is a mean of its own."""
_FEWEST_ROWS: Final = 3
_FIX: Final = "Find out which column has another unit than its header states, and correct the header."


def energy_fault(path: Path, columns: TableColumns, energy: str, factor: float) -> TraceFault | None:
    """Fault of a table whose own counter of energy contradicts its power; None where they agree or rows are few.

    Args:
        path: the file.
        columns: how power is read.
        energy: column of the energy since a start.
        factor: mJ of an energy of 1.
    """
    place = columns.names.index(energy)
    found = []
    for _, line in first_rows(path, columns.n_header_lines):
        row = columns.row(line)
        if row is not None and (own := decimal_of(columns.cells(line)[place])) is not None:
            time_s = row.time / (columns.per_second or 1e6)
            # A 0 is written without the digits that others have.
            found.append((time_s, row.value, float(own) * factor, step_of(own) * factor if own else 0.0))
    if len(found) < _FEWEST_ROWS:
        return None
    times, powers, energies, steps = np.array(found).T
    with np.errstate(over="ignore", invalid="ignore"):
        each = powers[1:] if columns.meaning == "mean-before" else powers[:-1]
        if columns.meaning == "instant":
            each = (powers[1:] + powers[:-1]) / 2
        by_power, by_counter = float(np.sum(each * np.diff(times))), float(energies[-1] - energies[0])
    if abs(by_counter - by_power) <= _SHARE_APART * abs(by_power) + float(steps[0] + steps[-1]):
        return None
    text = f"{energy} that rises by {by_counter:.6g} mJ over the first {len(found)} rows"
    return TraceFault("trace-unit", text, f"{by_power:.6g} mJ, the energy by {' and '.join(columns.factors)}", _FIX)


def product_fault(path: Path, columns: TableColumns, power: str, factor: float) -> TraceFault | None:
    """Fault of a table whose own power contradicts the product of other columns; None where they agree.

    Args:
        path: the file.
        columns: how the product is read.
        power: column of the power.
        factor: mW of a power of 1.
    """
    place = columns.names.index(power)
    stated, product, rounding = 0.0, 0.0, 0.0
    n_rows = 0
    for _, line in first_rows(path, columns.n_header_lines):
        row = columns.row(line)
        if row is not None and (own := decimal_of(columns.cells(line)[place])) is not None:
            n_rows += 1
            stated, product = stated + float(own) * factor, product + row.value
            rounding += step_of(own) * factor
    if abs(stated - product) <= _SHARE_APART * abs(product) + rounding:
        return None
    text = f"{power} of {stated / n_rows:.6g} mW on average over the first {n_rows} rows"
    expected = f"{product / n_rows:.6g} mW, the product of {' and '.join(columns.factors)}"
    return TraceFault("trace-unit", text, expected, _FIX)


def part_fault(whole: str, part: str, cells: Iterable[tuple[str, str]]) -> TraceFault | None:
    """Fault of a log in which a part of a power is more than the whole; None where it is not, or rows are few.

    Args:
        whole: column of the whole.
        part: column of the part, in the same unit.
        cells: of every row, the cell of the whole and that of the part; those that are no numbers are passed over.

    >>> part_fault("PkgWatt", "CorWatt", [("4.0", "6.5")] * 3).found
    'CorWatt of 6.5 on average over 3 rows'
    """
    rows = [(decimal_of(of_whole), decimal_of(of_part)) for of_whole, of_part in cells]
    known = [(of_whole, of_part) for of_whole, of_part in rows if of_whole is not None and of_part is not None]
    if len(known) < _FEWEST_ROWS:
        return None
    most, held = (float(sum(values)) for values in zip(*known, strict=True))
    rounding = sum(step_of(of_whole) + step_of(of_part) for of_whole, of_part in known) / 2
    if held <= most + _SHARE_APART * abs(most) + rounding:
        return None
    text = f"{part} of {held / len(known):.6g} on average over {len(known)} rows"
    expected = f"at most {most / len(known):.6g}, that of {whole}, which {part} is a part of"
    fix = f"Find out whether {whole} and {part} were exchanged or have another unit, and correct the header."
    return TraceFault("trace-unit", text, expected, fix)
