"""A power trace and its inferences to energy per inference, with spread, idle power and what is wrong.

It reads a trace once or twice, some samples at a time, so that memory does not grow with the trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from harness.traces.clock import ArrivalFit, SampleClock
from harness.traces.health import Health
from harness.traces.inferences import Inferences
from harness.traces.trace import Chunk, PowerTrace, Reals, TraceFault
from harness.traces.windows import EnergyAt

MOST_KEPT_SAMPLES = 30_000_000
"""Powers of a host-stamped trace up to this length are kept while its clock is found; longer ones are read again."""
FEWEST_SAMPLES_EACH = 5
_IDLE_PARTS = 20
_QUIET_PARTS = 10
_SHORTEST_IDLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Reduction:
    """Energy per inference of one trace; None where it is unknown.

    Attributes:
        n_samples: samples of the trace.
        sampling_hz: rate of the clock that was found.
        clock_residual_ms: how far the freshest arrivals lie from that clock, median; None for a device clock.
        n_inferences: inferences that were given.
        n_used: those that lie in the trace and in no gap.
        energy_mj: mean energy of one inference.
        energy_median_mj: median energy of one inference.
        energy_std_mj: standard deviation over inferences.
        energy_ci95_mj: 95 % interval of the mean, by Student's t.
        energy_idle_subtracted_mj: mean energy less idle power times latency.
        idle_power_mw: mean power of the baseline; without one, of the quietest half before the first inference.
        latency_ms: mean duration of one inference.
        power_mw: mean power during inferences.
        energies_mj: energy of every used inference, in order.
        faults: what is wrong.
    """

    n_samples: int
    sampling_hz: float | None
    clock_residual_ms: float | None
    n_inferences: int
    n_used: int
    energy_mj: float | None
    energy_median_mj: float | None
    energy_std_mj: float | None
    energy_ci95_mj: tuple[float, float] | None
    energy_idle_subtracted_mj: float | None
    idle_power_mw: float | None
    latency_ms: float | None
    power_mw: float | None
    energies_mj: Reals
    faults: tuple[TraceFault, ...]


@dataclass(frozen=True, slots=True)
class IdlePower:
    """Mean power of the idle device, from a trace of its own.

    Attributes:
        power_mw: mean power of the whole trace in mW; None where it has no duration.
        faults: what makes it doubtful: its reader's findings and stamps out of order.
    """

    power_mw: float | None
    faults: tuple[TraceFault, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockedTrace:
    """A trace with the times at which its samples were taken.

    Attributes:
        trace: the trace.
        health: what was seen when it was read for its clock; None where that was not needed.
        clock: the clock found; None where the stamps are the clock.
        kept: powers in mW, where they were kept in memory.
    """

    trace: PowerTrace
    health: Health | None
    clock: SampleClock | None
    kept: tuple[Reals, ...] | None

    def chunks(self) -> Iterator[Chunk]:
        """Samples with their sampling times."""
        if self.clock is None:
            yield from self.trace.chunks()
            return
        n_before = 0
        powers = self.kept if self.kept is not None else (chunk.power_mw for chunk in self.trace.chunks())
        for power in powers:
            yield Chunk(self.clock.times(n_before, len(power)), power)
            n_before += len(power)


def with_clock(trace: PowerTrace) -> ClockedTrace:
    """Trace with its clock; the stamps of a device-clocked trace are its clock."""
    if trace.clock == "device":
        return ClockedTrace(trace, None, None, None)
    health, arrivals = Health(trace), ArrivalFit()
    kept: list[Reals] | None = []
    for chunk in trace.chunks():
        health.add(chunk)
        arrivals.add(chunk.stamps_s)
        if kept is not None:
            kept.append(chunk.power_mw)
            if health.n_samples > MOST_KEPT_SAMPLES:
                kept = None
    clock = arrivals.fit()
    return ClockedTrace(trace, health, clock, tuple(kept) if kept is not None and clock is not None else None)


def reduce_trace(trace: PowerTrace, inferences: Inferences, idle: IdlePower | None = None) -> Reduction:
    """Energy per inference of a trace.

    Args:
        trace: the trace.
        inferences: its windows, on the same time scale.
        idle: power of the idle device, from a baseline; without it idle power comes from before the first window.
    """
    clocked = with_clock(trace)
    starts, ends = inferences.relative_to(trace.start_s)
    reading = _read(clocked, starts, ends)
    health, clock = reading.health, clocked.clock
    sampling_hz = _rate(health, clock)
    if clock is not None:
        health.gaps += [(at, at + lost) for at, lost in clock.losses]
    used = reading.is_inside & ~_in_gap(starts, ends, health.gaps) & np.isfinite(reading.energies_mj)
    found = _window_faults(reading, starts, ends, used, sampling_hz)
    idle = idle or IdlePower(reading.quiet_mw)
    faults = (
        *inferences.faults,
        *(fault.at(trace.source) for fault in health.faults(sampling_hz)),
        *(fault.at(trace.source if fault.rule == "trace-resolution" else inferences.source) for fault in found),
        *idle.faults,
    )
    return Reduction(
        n_samples=health.n_samples,
        sampling_hz=sampling_hz,
        clock_residual_ms=clock.residual_s * 1000 if clock else None,
        n_inferences=len(starts) * inferences.n_each,
        n_used=int(used.sum()) * inferences.n_each,
        idle_power_mw=idle.power_mw,
        faults=faults,
        **_figures(reading.energies_mj[used], (ends - starts)[used], inferences.n_each, idle.power_mw),
    )


def _figures(energies_mj: Reals, durations_s: Reals, n_each: int, idle_mw: float | None) -> dict[str, Any]:
    """Figures of one inference, from the energies and durations of the used windows; None where there is no window."""
    energies = energies_mj / n_each
    if not len(energies):
        names = ("energy_mj", "energy_median_mj", "energy_std_mj", "energy_ci95_mj", "energy_idle_subtracted_mj")
        return {**dict.fromkeys((*names, "latency_ms", "power_mw")), "energies_mj": energies}
    mean, latency_s = float(energies.mean()), float(durations_s.mean()) / n_each
    deviation = float(energies.std(ddof=1)) if len(energies) > 1 else None
    return {
        "energy_mj": mean,
        "energy_median_mj": float(np.median(energies)),
        "energy_std_mj": deviation,
        "energy_ci95_mj": _interval(mean, deviation, len(energies)),
        "energy_idle_subtracted_mj": None if idle_mw is None else mean - idle_mw * latency_s,
        "latency_ms": latency_s * 1000,
        "power_mw": mean / latency_s if latency_s else None,
        "energies_mj": energies,
    }


@dataclass(frozen=True, slots=True)
class _Reading:
    health: Health
    energies_mj: Reals
    is_inside: np.ndarray[tuple[int], np.dtype[np.bool_]]
    quiet_mw: float | None


def _read(clocked: ClockedTrace, starts: Reals, ends: Reals) -> _Reading:
    """Pass over the samples, integrating between all edges at once."""
    health = clocked.health or Health(clocked.trace)
    energy: EnergyAt | None = None
    quiet = np.empty(0)
    for chunk in clocked.chunks():
        if energy is None and len(chunk.stamps_s):
            if len(starts):
                quiet = np.linspace(chunk.stamps_s[0], max(starts.min(), chunk.stamps_s[0]), _IDLE_PARTS + 1)
            energy = EnergyAt(np.concatenate([starts, ends, quiet]))
        if clocked.health is None:
            health.add(chunk)
        if energy is not None:
            # A power beyond all bounds is reported by the reader of the trace.
            with np.errstate(over="ignore", invalid="ignore"):
                energy.add(chunk.stamps_s, chunk.power_mw)
    if energy is None or energy.first_s is None or energy.last_s is None:
        return _Reading(health, np.zeros(len(starts)), np.zeros(len(starts), dtype=np.bool_), None)
    at = energy.energies_mj
    n = len(starts)
    is_inside = (starts >= energy.first_s) & (ends <= energy.last_s) & (ends > starts)
    with np.errstate(invalid="ignore"):
        return _Reading(health, at[n : 2 * n] - at[:n], is_inside, _quietest_mw(quiet, at[2 * n :]))


def _quietest_mw(edges_s: Reals, energies_mj: Reals) -> float | None:
    """Mean power of the quietest half of a stretch; what a device does while a model loads is not idle."""
    if not len(edges_s) or edges_s[-1] - edges_s[0] < _SHORTEST_IDLE_S:
        return None
    energies = energies_mj[_QUIET_PARTS:] - energies_mj[:-_QUIET_PARTS]
    quietest = float((energies / (edges_s[_QUIET_PARTS:] - edges_s[:-_QUIET_PARTS])).min())
    return quietest if np.isfinite(quietest) else None


def idle_power(trace: PowerTrace) -> IdlePower:
    """Power of the idle device over a whole trace, the baseline."""
    clocked = with_clock(trace)
    health = clocked.health or Health(trace)
    energy = EnergyAt(np.empty(0))
    for chunk in clocked.chunks():
        if clocked.health is None:
            health.add(chunk)
        with np.errstate(over="ignore", invalid="ignore"):
            energy.add(chunk.stamps_s, chunk.power_mw)
    found = (*trace.faults, *(fault for fault in health.faults(None) if fault.rule == "trace-order"))
    faults = tuple(fault.at(trace.source) for fault in dict.fromkeys(found))
    if energy.first_s is None or energy.last_s is None or energy.last_s <= energy.first_s:
        return IdlePower(None, faults)
    mean = energy.total_mj / (energy.last_s - energy.first_s)
    return IdlePower(mean if np.isfinite(mean) else None, faults)


def _rate(health: Health, clock: SampleClock | None) -> float | None:
    if clock is not None:
        return 1 / clock.period_s
    duration = health.last_stamp_s - health.first_stamp_s
    return (health.n_samples - 1) / duration if duration > 0 else None


def _interval(mean: float, deviation: float | None, n: int) -> tuple[float, float] | None:
    if deviation is None:
        return None
    half = float(stdtrit(n - 1, 0.975)) * deviation / n**0.5
    return mean - half, mean + half


def _in_gap(starts: Reals, ends: Reals, gaps: list[tuple[float, float]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Windows that any gap reaches into."""
    if not gaps:
        return np.zeros(len(starts), dtype=np.bool_)
    from_s, to_s = np.array(gaps).T
    return np.searchsorted(to_s, starts, side="right") < np.searchsorted(from_s, ends, side="left")


def _window_faults(
    reading: _Reading,
    starts: Reals,
    ends: Reals,
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    sampling_hz: float | None,
) -> list[TraceFault]:
    faults = []
    if not len(starts):
        fix = "Log start and end of every inference on the clock of the trace."
        return [TraceFault("trace-no-inference", "no inferences", "at least one", fix)]
    outside = np.flatnonzero(~reading.is_inside)
    if len(outside):
        first = int(outside[0])
        place = f"number {first + 1} first, at {starts[first]:.6f} to {ends[first]:.6f} s"
        found = f"{len(outside)} of {len(starts)} inferences outside the trace, {place}"
        span = f"{reading.health.first_stamp_s:.6f} to {reading.health.last_stamp_s:.6f} s on the clock of the trace"
        faults.append(TraceFault("trace-window", found, span, "Bring both to one clock, or record longer."))
    if sampling_hz is not None and used.any():
        each = float(np.median((ends - starts)[used])) * sampling_hz
        if each < FEWEST_SAMPLES_EACH:
            found = f"{each:.2g} samples in an inference"
            fix = "Sample faster, or give windows of many inferences."
            faults.append(TraceFault("trace-resolution", found, f"at least {FEWEST_SAMPLES_EACH}", fix))
    return faults
