"""Calendar times and epochs of logs as whole microseconds since 1970; a zone that is not stated is never guessed."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from harness.budget import LATEST_S
from harness.issues import quoted
from harness.numbers import decimal_of
from harness.traces.trace import TimeScale, TraceFault, TraceOptionError

_CALENDAR: Final = re.compile(
    r"(\d{4})[/-](\d\d)[/-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCHS: Final = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
"""Least number that is an epoch in nano-, micro- and milliseconds; smaller numbers are seconds."""
_SURE_EPOCH_S: Final = (1e9, LATEST_S)
"""From 2001 to 2096, a span so short that a number of that size since 1970 can have only one unit."""
_PLACES: Final = {"s": 6, "ms": 3, "us": 0, "ns": -3}
"""Decimal places from a unit down to microseconds."""
_FIRST_EPOCH_US: Final = 10**14
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_MOST_DIGITS: Final = 6
_MOST_ADJUSTED: Final = 30
_LATEST_US: Final = LATEST_S * 1_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time of a log.

    Attributes:
        us: whole microseconds since 1970, or since an unstated start.
        scale: what it counts from; `local` was read as if in UTC.
        step_s: seconds of a unit of its last digit.
        is_zoneless: whether it is calendar time whose text states no zone.
        fold_us: microseconds to add where it is the second time that clocks show it, as summer time ends; 0 where they
            show it once, or the zone is unknown.
    """

    us: int
    scale: TimeScale
    step_s: float
    is_zoneless: bool = field(default=False, repr=False, compare=False)
    fold_us: int = field(default=0, repr=False, compare=False)

    def after(self, us: int) -> "Stamp":
        """The same time, the second time that clocks show it where only that is not before another."""
        return replace(self, us=self.us + self.fold_us) if self.us < us else self


def zone_of(name: str | None) -> tzinfo | None:
    """Time zone of an option; None where none is given.

    Raises:
        TraceOptionError: there is no such zone.

    >>> zone_of("+01:00").utcoffset(None)
    datetime.timedelta(seconds=3600)
    """
    if name is None:
        return None
    match = _OFFSET.fullmatch(name)
    try:
        zone = _fixed(match) if match else UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        zone = None
    if zone is None:
        fix = "Write a name such as Europe/Berlin, UTC, or an offset from UTC such as +01:00."
        expected = "a zone of the IANA database, or an offset"
        raise TraceOptionError(TraceFault("trace-zone", f"time zone {quoted(name)}", expected, fix))
    return zone


def calendar_stamp(text: str, zone: tzinfo | None = None) -> Stamp | None:
    """Calendar time YYYY-MM-DD HH:MM:SS with an optional fraction and zone; None where the text is none.

    Args:
        text: the time; slashes may separate the parts of the date.
        zone: zone where the text states none.

    >>> calendar_stamp("2026-05-06T12:00:00.500+02:00")
    Stamp(us=1778061600500000, scale='epoch', step_s=0.001)
    >>> calendar_stamp("2026/05/06 12:00:00").scale
    'local'
    """
    if not (match := _CALENDAR.fullmatch(text.strip())):
        return None
    fraction, stated = match[7] or "", match[8]
    if stated:
        offset = _OFFSET.fullmatch(stated)
        zone = UTC if offset is None else _fixed(offset)
    try:
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone or UTC)
        seconds = int(moment.timestamp())
        fold_s = int(moment.replace(fold=1).timestamp()) - seconds
    except (ValueError, OverflowError):
        return None
    us = seconds * 1_000_000 + int(fraction[:_MOST_DIGITS].ljust(_MOST_DIGITS, "0"))
    scale: TimeScale = "local" if zone is None else "epoch"
    step_s = 10.0 ** -min(len(fraction), _MOST_DIGITS)
    return Stamp(us, scale, step_s, stated is None, max(fold_s, 0) * 1_000_000)


def number_stamp(text: str) -> Stamp | None:
    """Seconds, milli-, micro- or nanoseconds since 1970 by their size, or seconds since a start; None if no number.

    >>> number_stamp("1767225600100").us
    1767225600100000
    >>> number_stamp("0.25")
    Stamp(us=250000, scale='relative', step_s=0.01)
    """
    value = decimal_of(text)
    if value is None:
        return None
    return unit_stamp(text, next((unit for least, unit in _EPOCHS if abs(value) >= least), "s"))


def late_fix(value: float) -> str:
    """What to do where a number is no time in the unit that is stated of it.

    >>> late_fix(1.78e12)
    'If it counts from 1970, it is in ms: find out the unit, and state it in the header (time_ms), layout or option.'
    """
    unit = next((unit for least, unit in _EPOCHS if value >= least), "s")
    return (
        f"If it counts from 1970, it is in {unit}: find out the unit, and state it in the header (time_{unit}), layout "
        "or option."
    )


def unit_stamp(text: str, unit: str) -> Stamp | None:
    """Number in a stated unit, since 1970 where it is as large as that; None where the text is no time until 2096.

    Args:
        text: the number.
        unit: s, ms, us or ns.

    >>> unit_stamp("250", "ms")
    Stamp(us=250000, scale='relative', step_s=0.001)
    """
    value, places = decimal_of(text), _PLACES[unit]
    if value is None or value.adjusted() + places > _MOST_ADJUSTED or abs(us := value.scaleb(places)) > _LATEST_US:
        return None
    exponent = value.as_tuple().exponent
    step = 10.0 ** (places - 6 + max(exponent if isinstance(exponent, int) else 0, -_MOST_ADJUSTED))
    return Stamp(int(us.to_integral_value()), "epoch" if abs(us) >= _FIRST_EPOCH_US else "relative", step)


def epoch_unit(value: Decimal) -> str | None:
    """Unit in which a number without one is a time since 1970; None where it is a time from 2001 to 2096 in none.

    >>> epoch_unit(Decimal("1767225600100")), epoch_unit(Decimal("12.5"))
    ('ms', None)
    """
    first, last = _SURE_EPOCH_S
    seconds = {unit: float(value) * 10.0 ** (places - 6) for unit, places in _PLACES.items()}
    return next((unit for unit, time_s in seconds.items() if first <= time_s <= last), None)


def any_stamp(text: str, zone: tzinfo | None = None) -> Stamp | None:
    """Calendar time or number; None where the text is neither.

    Args:
        text: the time.
        zone: zone of a calendar time that states none.

    >>> any_stamp("2026-05-06 12:00:00").scale, any_stamp("1767225600").scale
    ('local', 'epoch')
    """
    return calendar_stamp(text, zone) or number_stamp(text)


def _fixed(match: re.Match[str]) -> timezone | None:
    sign = -1 if match[1] == "-" else 1
    try:
        return timezone(sign * timedelta(hours=int(match[2]), minutes=int(match[3])))
    except ValueError:
        return None
