"""CSV logs of jtop (jetson-stats): milliwatts of every rail of an NVIDIA Jetson board, and their total.

A value is the product of voltage and current that the sensor gives when jtop reads it, once an interval (jetson-stats,
`jtop.core.power`). `Power TOT` is the input rail where the board has one, and otherwise the sum of all rails, some of
which may feed others; so the total of a board whose rails are known is taken first (`harness.traces.boards`).
Times are local.
"""

from collections.abc import Sequence
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.schema.vocabulary import Boundary
from harness.traces.boards import Board, board_of, read_rails
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.log_table import add_rows, first_line, header_cells, table_rows, time_column
from harness.traces.logs import Log, log_lines, refused
from harness.traces.stamps import zone_of
from harness.traces.trace import PowerTrace

_POWER = "Power "
_TOTALS = ("TOT", "power cur")
"""Total by its name in newer and older versions."""
_PEAK_MW = (1.0, 1e6)
_SUM_TOLERANCE = 0.01


def _powers(header: Sequence[str]) -> dict[str, int]:
    """Place of every rail and total, by its name without the prefix."""
    return {
        name.removeprefix(_POWER): place
        for place, name in enumerate(header)
        if name.startswith(_POWER) or name == _TOTALS[1]
    }


def _is_header(text: str) -> bool:
    header = header_cells(text)
    return "time" in header and "uptime" in header and any(total in _powers(header) for total in _TOTALS)


def _looks_like(head: bytes) -> bool:
    return _is_header(first_line(head))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    header = header_cells(lines[0][1]) if lines else []
    time = time_column(header)
    if not lines or not _is_header(lines[0][1]) or time is None:
        found, fix = quoted(lines[0][1]) if lines else "an empty file", "Log with jtop_logger.py of jetson-stats."
        raise refused(found, "a header with time, uptime and Power TOT", fix, 1)
    powers = _powers(header)
    log = Log(path.name, _PEAK_MW)
    rows = list(table_rows(lines, log))
    parts = tuple(name for name in powers if name not in (*_TOTALS, "power avg"))
    board = board_of(powers) or _by_total(powers, parts, [cells for _, cells in rows])
    wanted, boundary = read_rails((options.channel or "").replace(_POWER, "") or None, list(powers), board)

    def power_mw(line: int, cells: list[str]) -> float | None:
        values = [number(cells[powers[rail]]) for rail in wanted]
        if any(value is None for value in values):
            rail = wanted[values.index(None)]
            log.leave_out(line, f"{_POWER}{rail} = {quoted(cells[powers[rail]])}", "a power in mW")
            return None
        return sum(value for value in values if value is not None)

    add_rows(log, iter(rows), time, zone_of(options.timezone), power_mw)
    log.space_evenly()
    is_sum = boundary == "sum-of-rails" and len(wanted) == 1
    return log.trace(boundary=boundary, rails=parts if is_sum else tuple(wanted))


def _by_total(powers: dict[str, int], parts: Sequence[str], rows: Sequence[Sequence[str]]) -> Board:
    """A board that is not known, with the total that jtop computed: the sum of its rails, or an input rail."""
    total = next(name for name in _TOTALS if name in powers)
    boundary: Boundary = "sum-of-rails" if len(parts) > 1 else "rail"
    for cells in rows:
        whole, each = number(cells[powers[total]]), [number(cells[powers[name]]) for name in parts]
        summed = sum(power for power in each if power is not None)
        if whole is not None and abs(whole - summed) > _SUM_TOLERANCE * abs(whole) + len(parts):
            boundary = "module"
    return Board("a Jetson board", (total,), boundary, "jetson-stats, jtop.core.power")


FORMAT = TraceFormat(
    "jtop",
    "jtop of jetson-stats, CSV log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with jtop logs, a folder", "jtop", (".csv", ".log", ".txt")),
)
