"""The window of a run of MLPerf Inference, from LoadGen's `mlperf_log_detail.txt`.

It reads no power; that is in PTDaemon's `spl.txt` beside it.
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Any, Final

from harness.issues import quoted
from harness.traces.inference_reading import Reading
from harness.traces.stamps import Stamp, calendar_stamp
from harness.traces.trace import TraceFault, TraceFormatError

_MARK: Final = ":::MLLOG "
_BEGIN: Final = "power_begin"
_END: Final = "power_end"
QUERY_COUNT: Final = "result_query_count"
"""Key of the queries that were run, from v2.0 on."""
MEAN_LATENCY: Final = "result_mean_latency_ns"
POWER_MARKS: Final = (_BEGIN, _END)
_WANTED: Final = (*POWER_MARKS, QUERY_COUNT, MEAN_LATENCY)
_MONTH_FIRST: Final = re.compile(r"(\d\d)-(\d\d)-(\d{4})( .{1,40})", re.ASCII)
_MOST: Final = 10**15
_FIX: Final = "Take mlperf_log_detail.txt of a performance run with power, as LoadGen wrote it."


def month_first_stamp(text: str, zone: tzinfo | None = None) -> Stamp | None:
    """Time written MM-DD-YYYY HH:MM:SS.mmm, as LoadGen and PTDaemon write it; None where the text is none.

    >>> month_first_stamp("03-06-2021 09:12:59.828").us
    1615021979828000
    """
    match = _MONTH_FIRST.fullmatch(text.strip())
    return None if match is None else calendar_stamp(f"{match[3]}-{match[1]}-{match[2]}{match[4]}", zone)


def is_loadgen(text: str) -> bool:
    """Whether a file is a detailed log of LoadGen.

    >>> is_loadgen(':::MLLOG {"key": "power_begin"}')
    True
    """
    return text.lstrip("\ufeff \n\r\t").startswith(_MARK.rstrip())


def loadgen_window(text: str, reading: Reading, zone: tzinfo | None = None) -> int:
    """Read the window of a detailed log: its power marks.

    Args:
        text: the log.
        reading: what the window is added to.
        zone: zone of its times, which state none.

    Returns:
        Queries in the window: as counted from v2.0 on; before, its duration over the mean latency.

    Raises:
        TraceFormatError: it has no begin, no end, or no number of queries.
    """
    values = loadgen_values(text, _WANTED)
    begin, end = power_marks(values, zone)
    reading.add(begin.us * 1000, end.us * 1000, (str(values[_BEGIN]), str(values[_END])), None)
    reading.scale = begin.scale
    reading.step(_BEGIN, begin.step_s)
    count, latency_ns = whole_number(values, QUERY_COUNT), whole_number(values, MEAN_LATENCY)
    if count is not None:
        return count
    if latency_ns is None:
        expected = f"{QUERY_COUNT}, or {MEAN_LATENCY}"
        raise TraceFormatError(TraceFault("trace-no-inference", "no number of queries", expected, _FIX))
    return max(1, round((end.us - begin.us) * 1000 / latency_ns))


def power_marks(values: Mapping[str, Any], zone: tzinfo | None = None) -> tuple[Stamp, Stamp]:
    """Begin and end of the window, from the values of a detailed log.

    Raises:
        TraceFormatError: one of them is not there or is no time, or the end is not after the begin.
    """
    begin, end = (_stamp(values, key, zone) for key in (_BEGIN, _END))
    if end.us <= begin.us:
        found = f"{_END} {quoted(values[_END])}"
        raise TraceFormatError(TraceFault("inference-order", found, f"after {_BEGIN} {quoted(values[_BEGIN])}", _FIX))
    return begin, end


def loadgen_values(text: str, wanted: Collection[str]) -> dict[str, Any]:
    """Values of the wanted keys of a detailed log, each as it stands last; without the keys that it does not have."""
    values = {}
    for line in text.split("\n"):
        if not line.startswith(_MARK) or not any(key in line for key in wanted):
            continue
        try:
            entry = json.loads(line.removeprefix(_MARK))
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and entry.get("key") in wanted:
            values[entry["key"]] = entry.get("value")
    return values


def _stamp(values: Mapping[str, Any], key: str, zone: tzinfo | None) -> Stamp:
    if key not in values:
        raise TraceFormatError(TraceFault("trace-no-inference", f"no {key}", f"{_BEGIN} and {_END}", _FIX))
    stamp = month_first_stamp(str(values[key]), zone)
    if stamp is None:
        found = f"{key} {quoted(values[key])}"
        raise TraceFormatError(TraceFault("trace-format", found, "a time, MM-DD-YYYY HH:MM:SS.mmm", _FIX))
    return stamp


def whole_number(values: Mapping[str, Any], key: str) -> int | None:
    """Whole number above 0 under a key; None where there is none."""
    value = values.get(key)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST
    return value if is_count else None
