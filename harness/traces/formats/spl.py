"""Power logs of SPEC PTDaemon, `spl.txt` of MLPerf Inference: mean power of each second at the socket.

Stamps are calendar time without a zone, as those of LoadGen beside it. A power of -1 W marks a sample that the meter
missed; such lines are skipped, and leave a gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.numbers import number
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.loadgen import month_first_stamp
from harness.traces.logs import Log, log_lines, log_text, refuse_channel, refused
from harness.traces.stamps import Stamp, zone_of
from harness.traces.trace import PowerTrace, TimeScale

_PEAK_MW: Final = (1.0, 1e9)
_MISSED_W: Final = -1.0
SPL_LAYOUT: Final = "Time,MM-DD-YYYY HH:MM:SS.mmm,Watts,POWER and other pairs of a name and a value"


def _looks_like(head: bytes) -> bool:
    return log_text(head[:64]).startswith("Time,") and b",Watts," in head.split(b"\n", 1)[0]


@dataclass(frozen=True, slots=True)
class SplLine:
    """One line of the log.

    Attributes:
        number: its number from 1.
        text: the line.
        stamp: end of its second; None where the line is none of the log.
        watts: mean power in W, -1 where the meter missed it; None as before.
    """

    number: int
    text: str
    stamp: Stamp | None
    watts: float | None

    @property
    def is_missed(self) -> bool:
        """Whether the meter missed the sample."""
        return self.watts == _MISSED_W


def spl_lines(path: Path, zone: tzinfo | None = None) -> Iterator[SplLine]:
    """Lines of a log, in their order.

    Args:
        path: spl.txt.
        zone: zone of its times, which state none.

    Raises:
        TraceFormatError: it is no such log.
    """
    lines = log_lines(path)
    if not lines or not _looks_like(lines[0][1].encode()):
        found = quoted(lines[0][1]) if lines else "an empty file"
        raise refused(found, SPL_LAYOUT, "Take spl.txt as PTDaemon wrote it.", 1)
    for line, text in lines:
        cells = text.split(",")
        pairs = dict(zip(cells[::2], cells[1::2], strict=False))
        yield SplLine(line, text, month_first_stamp(pairs.get("Time", ""), zone), number(pairs.get("Watts", "")))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    zone = zone_of(options.timezone)
    log = Log(path.name, _PEAK_MW)
    scale: TimeScale = "local" if zone is None else "epoch"
    for line in spl_lines(path, zone):
        if line.stamp is None or line.watts is None:
            log.leave_out(line.number, quoted(line.text) or "a blank line", SPL_LAYOUT)
        elif not line.is_missed:
            log.add(line.number, line.stamp.us, line.watts * 1e3, per_second=1e6)
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
