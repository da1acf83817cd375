"""Power logs of SPEC PTDaemon, `spl.txt` of MLPerf Inference: mean power of each second at the socket.

Stamps are calendar time without a zone, as those of LoadGen beside it. A power of -1 W marks a sample that the meter
missed; such lines are skipped, and leave a gap.
"""

from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.numbers import number
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.loadgen import month_first_stamp
from harness.traces.logs import Log, log_lines, log_text, refuse_channel, refused
from harness.traces.stamps import zone_of
from harness.traces.trace import PowerTrace, TimeScale

_PEAK_MW: Final = (1.0, 1e9)
_MISSED_W: Final = -1.0
_EXPECTED: Final = "Time,MM-DD-YYYY HH:MM:SS.mmm,Watts,POWER and other pairs of a name and a value"


def _looks_like(head: bytes) -> bool:
    return log_text(head[:64]).startswith("Time,") and b",Watts," in head.split(b"\n", 1)[0]


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    zone = zone_of(options.timezone)
    lines = log_lines(path)
    if not lines or not _looks_like(lines[0][1].encode()):
        found = quoted(lines[0][1]) if lines else "an empty file"
        raise refused(found, _EXPECTED, "Take spl.txt as PTDaemon wrote it.", 1)
    log = Log(path.name, _PEAK_MW)
    scale: TimeScale = "local" if zone is None else "epoch"
    for line, text in lines:
        cells = text.split(",")
        pairs = dict(zip(cells[::2], cells[1::2], strict=False))
        stamp, watts = month_first_stamp(pairs.get("Time", ""), zone), number(pairs.get("Watts", ""))
        if stamp is None or watts is None:
            log.leave_out(line, quoted(text) or "a blank line", _EXPECTED)
        elif watts != _MISSED_W:
            log.add(line, stamp.us, watts * 1e3, per_second=1e6)
    return log.trace(kind="mean", scale=scale, stamp_step_s=1e-3, boundary="wall", rails=("Watts",))


FORMAT = TraceFormat(
    "spl",
    "SPEC PTDaemon of MLPerf Inference, spl.txt",
    "analyser",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs of MLPerf Inference with power, a folder", "power analyser read by PTDaemon", ("spl.txt",)),
)
