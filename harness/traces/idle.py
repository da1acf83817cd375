"""Power of the idle device: from a baseline of its own, or from before the first inference."""

from dataclasses import dataclass

import numpy as np

from harness.traces.budget import WIDTH
from harness.traces.clocked import with_clock
from harness.traces.health import Health
from harness.traces.reading import Reading
from harness.traces.steadiness import IDLE_SHARE, SHORTEST_IDLE_S, UNSTABLE, quietest, whole
from harness.traces.trace import PowerTrace, TraceFault
from harness.traces.windows import WindowEnergies


@dataclass(frozen=True, slots=True)
class IdlePower:
    """Mean power of the idle device.

    Attributes:
        power_mw: mean power in mW; None where it is not known.
        u_mw: its standard uncertainty in mW; None where it is not known.
        faults: what makes it doubtful.
    """

    power_mw: float | None
    u_mw: float | None = None
    faults: tuple[TraceFault, ...] = ()


def idle_power(trace: PowerTrace) -> IdlePower:
    """Power of the idle device over a whole trace, the baseline."""
    clocked = with_clock(trace)
    health = clocked.health or Health(trace)
    windows = WindowEnergies(np.empty(0), np.empty(0), trace.kind)
    for chunk in clocked.chunks():
        if clocked.health is None:
            health.add(chunk)
        windows.add(chunk.stamps_s, chunk.power_mw)
    windows.finish()
    found = [*trace.faults, *(fault for fault in health.faults(None) if fault.rule == "trace-order")]
    quiet = whole(windows.curve)
    if quiet is not None and quiet.range_share > UNSTABLE:
        shown = f"idle power that varies by {quiet.range_share:.0%} over the baseline"
        fix = "Record the baseline with nothing else running, after the device has settled."
        found.append(TraceFault("trace-idle", shown, f"within {UNSTABLE:.0%}", fix))
    faults = tuple(fault.at(trace.source) for fault in dict.fromkeys(found))
    return IdlePower(None, None, faults) if quiet is None else IdlePower(quiet.power_mw, quiet.u_mw, faults)


def idle_before(reading: Reading, power_mw: float) -> IdlePower:
    """Idle power from before the first window, or why that stretch gives none."""
    first = reading.windows.first_s
    if first is None or not len(reading.starts):
        return IdlePower(None)
    until = min(float(reading.starts.min()), reading.windows.last_s or first)
    quiet = quietest(reading.windows.curve, first, until)
    if quiet is None:
        return IdlePower(None)
    expected = f"at least {SHORTEST_IDLE_S:g} s of power below that of the inferences before the first of them"
    fix = "Record at least two seconds of the idle device before the first inference, or give a baseline."
    if until - first < SHORTEST_IDLE_S:
        found = f"{until - first:.3g} s before the first inference"
        return IdlePower(None, None, (TraceFault("trace-idle", found, expected, fix, source=reading.health.source),))
    if power_mw and quiet.power_mw > IDLE_SHARE * power_mw:
        found = f"{quiet.power_mw:.6g} mW before the first inference, {power_mw:.6g} mW during inferences"
        return IdlePower(None, None, (TraceFault("trace-idle", found, expected, fix, source=reading.health.source),))
    faults: tuple[TraceFault, ...] = ()
    if quiet.range_share > UNSTABLE:
        found = f"idle power that varies by {quiet.range_share:.0%} within {quiet.seconds:.3g} s"
        faults = (TraceFault("trace-idle", found, f"within {UNSTABLE:.0%}", fix, source=reading.health.source),)
    quantum_mw = reading.changes.quantum_mw if reading.changes.is_held else 0.0
    return IdlePower(quiet.power_mw, float(np.hypot(quiet.u_mw, quantum_mw / WIDTH)), faults)
