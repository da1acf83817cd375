"""How the rows of a table become samples: which cells hold the time and which a power, a current or a counter.

It opens no trace.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Final

from harness.budget import MOST_LINE_BYTES
from harness.numbers import decimal_of, number
from harness.schema.facts import Meaning
from harness.traces.blocks import opened
from harness.traces.format import TraceOptions
from harness.traces.logs import PEAK_MW, log_text
from harness.traces.stamps import Stamp, calendar_stamp
from harness.traces.trace import TimeScale, TraceFault, TraceOptionError

EPOCH_S: Final = 1e8
"""Seconds from which on a time counts from 1970 and not from the start of a recording; reached in 1973."""
SMALL_PEAK_MW: Final = (1e-6, PEAK_MW[1])
"""Bounds of the highest power of a device whose current is measured in microampere."""
HEAD_BYTES: Final = 1 << 16
"""Bytes of the rows that are looked at before a table is read."""
_EXPONENTS: Final = (-30, 30)
_SPACES: Final = re.compile(rb"[ \t]+")
_EDGE_SPACES: Final = re.compile(rb"(?m)^ | (?=\r?$)")


@dataclass(frozen=True, slots=True)
class TableColumns:
    """How the rows of a table become samples.

    Attributes:
        names: name of every cell of a row, each once.
        time: name of the time.
        per_second: units of the time in a second; None where it is calendar time.
        factors: columns whose product is the power, or the counter of energy.
        factor: mW, or mJ of a counter, of a product of 1.
        meaning: what a value is.
        range_mj: energy in mJ at which a counter begins again; None where it is unknown.
        n_header_lines: lines before the first row.
        separator: what separates cells.
        decimal: decimal sign.
        zone: zone of calendar times that state none.
        has_quotes: whether quotation marks stand around cells.
        peak_mw: bounds of a plausible highest power in mW.
    """

    names: tuple[str, ...]
    time: str
    per_second: float | None
    factors: tuple[str, ...]
    factor: float
    meaning: Meaning = "instant"
    range_mj: float | None = None
    n_header_lines: int = 1
    separator: str = ","
    decimal: str = "."
    zone: tzinfo | None = None
    has_quotes: bool = False
    peak_mw: tuple[float, float] = PEAK_MW

    @property
    def wanted(self) -> tuple[str, ...]:
        """Columns that are read."""
        return self.time, *self.factors

    def cells(self, line: str) -> list[str]:
        """Cells of a line, with a decimal point."""
        text = line.replace('"', "") if self.has_quotes else line
        parts = text.split() if self.separator == " " else text.split(self.separator)
        return [cell.strip().replace(self.decimal, ".") for cell in parts]

    @property
    def clean(self) -> Callable[[bytes], bytes] | None:
        """What takes out of rows what is no part of their cells; None where there is nothing."""
        if self.separator == " ":
            return _single_spaces
        return _without_quotes if self.has_quotes else None

    def row(self, line: str) -> "Row | None":
        """Row of a line; None where it is none of this table."""
        cells = self.cells(line)
        if len(cells) != len(self.names) or (value := self._value(cells)) is None:
            return None
        cell = cells[self.names.index(self.time)]
        if self.per_second is None:
            stamp = calendar_stamp(cell, self.zone)
            return None if stamp is None else Row(stamp.us, value, stamp.step_s, stamp.scale, stamp)
        time = decimal_of(cell)
        if time is None or not math.isfinite(seconds := float(time) / self.per_second):
            return None
        return Row(float(time), value, step_of(time) / self.per_second, scale_of(seconds))

    @property
    def expected(self) -> str:
        """What a line should hold, in words."""
        if self.per_second is not None:
            return f"{len(self.names)} cells, with numbers for {', '.join(self.wanted)}"
        numbers = ", ".join(self.factors)
        time = f"a calendar time YYYY-MM-DD HH:MM:SS for {self.time}"
        return f"{len(self.names)} cells, with {time} and numbers for {numbers}"

    def value(self, line: str) -> float | None:
        """Power in mW, or counter in mJ, of a line; None where it holds none."""
        cells = self.cells(line)
        return self._value(cells) if len(cells) == len(self.names) else None

    def _value(self, cells: Sequence[str]) -> float | None:
        value = self.factor
        for name in self.factors:
            factor = number(cells[self.names.index(name)])
            if factor is None:
                return None
            value *= factor
        return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of a table holds.

    Attributes:
        time: whole microseconds where it is calendar time, else a number in the table's unit.
        value: power in mW, or counter in mJ.
        step_s: seconds of a unit of the last digit of the time.
        scale: what the time counts from.
        stamp: the time as a stamp; None where it is a number.
    """

    time: float | int
    value: float
    step_s: float
    scale: TimeScale
    stamp: Stamp | None = None

    def after(self, time: float | int) -> "Row":
        """The same row, its calendar time the second that clocks show where only that is not before another."""
        return self if self.stamp is None else replace(self, time=self.stamp.after(int(time)).us)


def step_of(value: Decimal) -> float:
    """A unit of the last digit that is written of a number.

    >>> step_of(Decimal("12.500"))
    0.001
    """
    exponent = value.as_tuple().exponent
    return float(10.0 ** min(max(exponent if isinstance(exponent, int) else 0, _EXPONENTS[0]), _EXPONENTS[1]))


def first_rows(path: Path, n_header_lines: int) -> list[tuple[int, str]]:
    """First lines after the header that are not blank, with their numbers from 1; the last may be left off."""
    with opened(path) as file:
        for _ in range(n_header_lines):
            file.readline(MOST_LINE_BYTES)
        data = file.read(HEAD_BYTES)
    lines = log_text(data).split("\n")
    # The last line may be cut off.
    whole = lines[:-1] if len(data) == HEAD_BYTES and len(lines) > 1 else lines
    return [(line, text) for line, text in enumerate(whole, start=n_header_lines + 1) if text.strip()]


def _without_quotes(data: bytes) -> bytes:
    return data.replace(b'"', b"")


def _single_spaces(data: bytes) -> bytes:
    """Rows with one space between cells and none around them."""
    return _EDGE_SPACES.sub(b"", _SPACES.sub(b" ", _without_quotes(data)))


def scale_of(seconds: float) -> TimeScale:
    """What a time in seconds counts from, by its size.

    >>> scale_of(1.7e9), scale_of(12.5)
    ('epoch', 'relative')
    """
    return "epoch" if seconds >= EPOCH_S else "relative"


def supply_voltage(options: TraceOptions, column: str) -> float:
    """Voltage in V that the options state for a column of current.

    Raises:
        TraceOptionError: they state none.
    """
    if options.voltage_v is None:
        fix = "Give --voltage, the supply voltage in V at which the current was measured."
        fault = TraceFault("trace-format", f"{column} without a voltage", "the supply voltage of the device", fix)
        raise TraceOptionError(fault)
    return options.voltage_v


def refuse_voltage(options: TraceOptions) -> None:
    """Refuse a stated voltage where the table has its own, or a power.

    Raises:
        TraceOptionError: a voltage is stated.
    """
    if options.voltage_v is not None:
        expected = "no stated voltage, for the file has voltages or powers of its own"
        fault = TraceFault("trace-format", f"a voltage of {options.voltage_v:g} V", expected, "Leave the voltage out.")
        raise TraceOptionError(fault)


def first_line_of(path: Path) -> str:
    """First line of a file, without white space around it."""
    with opened(path) as file:
        return log_text(file.readline(HEAD_BYTES)).strip()
