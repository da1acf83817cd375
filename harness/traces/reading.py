"""One pass over a trace with its windows: energies, findings about samples, and how often the value changes."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.traces.alignment import Alignment, align
from harness.traces.bursts import Bursts
from harness.traces.clock import SampleClock
from harness.traces.clocked import ClockedTrace
from harness.traces.health import Health
from harness.traces.resolution import Changes
from harness.traces.trace import Reals
from harness.traces.windows import WindowEnergies

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over a trace found; times are on the clock of the trace.

    Attributes:
        starts: start of every window in seconds.
        ends: end of every window in seconds.
        health: findings about samples.
        changes: changes of the value.
        windows: energies of the windows.
        period_s: seconds between samples; 0 where they are unknown.
        sampling_hz: rate of the clock; None where it is unknown.
        used: windows that lie in the trace, in no gap, and have samples inside.
    """

    starts: Reals
    ends: Reals
    health: Health
    changes: Changes
    windows: WindowEnergies
    period_s: float
    sampling_hz: float | None
    used: Mask

    @property
    def is_inside(self) -> Mask:
        """Windows that lie in the trace and have a duration."""
        first, last = self.windows.first_s, self.windows.last_s
        if first is None or last is None:
            return np.zeros(len(self.starts), dtype=np.bool_)
        return (self.starts >= first) & (self.ends <= last) & (self.ends > self.starts)

    def alignment(self) -> Alignment | None:
        """What the power says about the clocks; None where it cannot tell."""
        return align(self.windows.curve, Bursts(self.starts, self.ends), self.period_s)

    def resolution_s(self, alignment: Alignment | None, averaging_s: float) -> float:
        """Seconds between changes of the value, or over which the meter averages.

        Args:
            alignment: what the power says about the clocks.
            averaging_s: seconds over which the meter is known to average.
        """
        lag_s = 0.0 if alignment is None else alignment.offset_s
        edges = np.concatenate([self.starts, self.ends]) + lag_s
        return max(self.changes.resolution_s(self.period_s, edges), averaging_s)


def read_windows(clocked: ClockedTrace, starts: Reals, ends: Reals) -> Reading:
    """Pass over the samples, integrating all windows at once."""
    health, changes = clocked.health or Health(clocked.trace), Changes()
    windows = WindowEnergies(starts, ends, clocked.trace.kind)
    for chunk in clocked.chunks():
        if clocked.health is None:
            health.add(chunk)
        changes.add(chunk.stamps_s, chunk.power_mw)
        windows.add(chunk.stamps_s, chunk.power_mw)
    windows.finish()
    sampling_hz = _rate(health, clocked.clock)
    gaps = list(health.gaps)
    if clocked.clock is not None:
        gaps += [(at, at + lost) for at, lost in clocked.clock.losses if (at, at + lost) not in gaps]
        health.gaps = gaps
    period = 1 / sampling_hz if sampling_hz else 0.0
    reading = Reading(starts, ends, health, changes, windows, period, sampling_hz, np.zeros(0, dtype=np.bool_))
    used = reading.is_inside & ~_in_gap(starts, ends, gaps) & np.isfinite(windows.energies_mj) & (windows.n_inside > 0)
    return replace(reading, used=used)


def _rate(health: Health, clock: SampleClock | None) -> float | None:
    if clock is not None:
        return 1 / clock.period_s
    duration = health.last_stamp_s - health.first_stamp_s
    return (health.n_samples - 1) / duration if duration > 0 else None


def _in_gap(starts: Reals, ends: Reals, gaps: list[tuple[float, float]]) -> Mask:
    """Windows that any gap reaches into."""
    if not gaps:
        return np.zeros(len(starts), dtype=np.bool_)
    from_s, to_s = np.array(gaps).T
    return np.searchsorted(to_s, starts, side="right") < np.searchsorted(from_s, ends, side="left")
