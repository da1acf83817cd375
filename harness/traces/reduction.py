"""A power trace and its inferences to energy per inference, with its uncertainty, idle power and what is wrong.

It reads a trace once or twice, some samples at a time, so that memory does not grow with the trace. An energy is given
only where nothing makes it wrong.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from harness.schema.vocabulary import Boundary
from harness.traces.alignment import Alignment
from harness.traces.alignment_faults import alignment_faults
from harness.traces.budget import Component, expanded_mj
from harness.traces.clocked import ClockedTrace, with_clock
from harness.traces.components import Evidence, components_of, uncertain_fault
from harness.traces.displaced import displaced_faults
from harness.traces.findings import duration_faults, resolution_faults, sign_faults, steadiness_faults, window_faults
from harness.traces.idle import IdlePower, idle_before
from harness.traces.inferences import Inferences
from harness.traces.lags import is_off, offset_u_s
from harness.traces.reading import Mask, Reading, read_windows
from harness.traces.settings import ReductionSettings
from harness.traces.steadiness import warm_up
from harness.traces.trace import REFUSING, PowerTrace, Reals, TraceFault

_AS_IT_IS: Final = ReductionSettings()
_MOST_ROUNDS: Final = 3
"""Alignments in turn; a drift is found once the offset is undone."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Energy per inference of one trace; None where it is unknown, or where a finding makes it wrong.

    Attributes:
        n_samples: samples of the trace.
        sampling_hz: rate of the clock that was found.
        resolution_ms: time between changes of the meter's value.
        clock_residual_ms: how far the freshest arrivals lie from that clock, median; None for a device clock.
        offset_s: what has to be added to the times of the inferences to put them where the load is, with what was
            added already; None where the trace cannot tell.
        offset_u_s: its standard uncertainty.
        drift_ppm: further seconds for a million seconds of the run, likewise.
        applied_offset_s: what was added to the times of the inferences, in the middle of the run.
        applied_drift_ppm: drift that was undone.
        n_inferences: inferences that were given.
        n_skipped: windows that were left out at the beginning.
        n_used: inferences that lie in the trace and in no gap, without those left out.
        energy_mj: mean energy of one inference.
        energy_u_mj: its expanded uncertainty, k = 2.
        uncertainty: its components.
        energy_median_mj: median energy of one inference.
        energy_std_mj: standard deviation over inferences.
        energy_idle_subtracted_mj: mean energy less idle power times latency.
        energy_idle_subtracted_u_mj: its expanded uncertainty, k = 2.
        idle_power_mw: mean power of the baseline; without one, of the quietest half before the first inference.
        idle_u_mw: its standard uncertainty.
        latency_ms: mean duration of one inference.
        power_mw: mean power during inferences.
        boundary: what the power is of; None where the trace does not tell.
        rails: rails or columns that were read.
        energies_mj: energy of every used inference, in order; empty where there is no energy.
        faults: what is wrong.
    """

    n_samples: int
    n_inferences: int
    faults: tuple[TraceFault, ...]
    n_skipped: int = 0
    n_used: int = 0
    sampling_hz: float | None = None
    resolution_ms: float | None = None
    clock_residual_ms: float | None = None
    offset_s: float | None = None
    offset_u_s: float | None = None
    drift_ppm: float | None = None
    applied_offset_s: float = 0.0
    applied_drift_ppm: float = 0.0
    energy_mj: float | None = None
    energy_u_mj: float | None = None
    uncertainty: tuple[Component, ...] = ()
    energy_median_mj: float | None = None
    energy_std_mj: float | None = None
    energy_idle_subtracted_mj: float | None = None
    energy_idle_subtracted_u_mj: float | None = None
    idle_power_mw: float | None = None
    idle_u_mw: float | None = None
    latency_ms: float | None = None
    power_mw: float | None = None
    boundary: Boundary | None = None
    rails: tuple[str, ...] = ()
    energies_mj: Reals = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class _Aligned:
    """Windows read at the place that the settings ask for, and what was added to them."""

    reading: Reading
    alignment: Alignment | None
    resolution_s: float
    offset_s: float
    drift: float

    def evidence(self, used: Mask, clocked: ClockedTrace, inferences: Inferences) -> Evidence:
        """What the uncertainty of the windows that are used is made from."""
        return Evidence(
            energies_mj=self.reading.windows.energies_mj[used] / inferences.n_each,
            durations_s=(self.reading.ends - self.reading.starts)[used],
            starts_s=self.reading.starts[used],
            reading=self.reading,
            resolution_s=self.resolution_s,
            alignment=self.alignment,
            is_moved=self.offset_s != 0,
            clocked=clocked,
            inferences=inferences,
        )


def reduce_trace(
    trace: PowerTrace,
    inferences: Inferences,
    idle: IdlePower | None = None,
    settings: ReductionSettings = _AS_IT_IS,
) -> Reduction:
    """Energy per inference of a trace.

    Args:
        trace: the trace.
        inferences: its windows.
        idle: power of the idle device, from a baseline; without it idle power comes from before the first window.
        settings: what the files cannot say of themselves.
    """
    clocked = with_clock(trace)
    aligned = _aligned(clocked, inferences, settings)
    used, n_skipped = _without_skipped(aligned.reading, settings)
    evidence = aligned.evidence(used, clocked, inferences)
    components = components_of(evidence, settings.accuracy) if len(evidence.energies_mj) else ()
    idle = idle or idle_before(aligned.reading, evidence.power_mw)
    faults = (*_faults(evidence, components, settings, n_skipped), *idle.faults)
    reduction = replace(
        _without_energies(aligned, evidence, faults),
        n_skipped=n_skipped,
        n_used=int(used.sum()) * inferences.n_each,
        idle_power_mw=idle.power_mw,
        idle_u_mw=idle.u_mw,
    )
    if not len(evidence.energies_mj) or any(fault.rule in REFUSING for fault in faults):
        return reduction
    return _with_energies(reduction, evidence, components)


def _faults(
    evidence: Evidence, components: tuple[Component, ...], settings: ReductionSettings, n_skipped: int
) -> tuple[TraceFault, ...]:
    """What is wrong with the inferences, the samples, and the two together; each in the file that it is about."""
    reading, clocked, inferences = evidence.reading, evidence.clocked, evidence.inferences
    about_trace = [
        *reading.health.faults(reading.sampling_hz, is_held=reading.changes.is_held),
        *resolution_faults(evidence.durations_s, evidence.resolution_s, clocked.trace),
        *duration_faults(evidence.durations_s, inferences.n_each, reading.period_s),
    ]
    about_clocks = alignment_faults(evidence.alignment, clocked, inferences, settings, evidence.resolution_s)
    has_open_zone = any(fault.rule == "trace-zone" for fault in about_clocks)
    about_windows = [
        *window_faults(reading, clocked.trace.start_s, is_comparable=reading.health.is_in_order and not has_open_zone),
        *sign_faults(evidence.energies_mj),
        *about_clocks,
        *displaced_faults(reading),
        *steadiness_faults(evidence.energies_mj, evidence.durations_s, n_skipped, reading),
    ]
    if not any(fault.rule in REFUSING for fault in (*about_trace, *about_windows)):
        about_windows += uncertain_fault(components, evidence.energies_mj)
    return (
        *inferences.faults,
        *(fault.at(clocked.trace.source) for fault in about_trace),
        *(fault.at(inferences.source) for fault in about_windows),
    )


def _without_energies(aligned: _Aligned, evidence: Evidence, faults: tuple[TraceFault, ...]) -> Reduction:
    """What is known of a trace and its clocks, whatever is wrong."""
    reading, alignment, clocked = aligned.reading, aligned.alignment, evidence.clocked
    return Reduction(
        n_samples=reading.health.n_samples,
        n_inferences=len(evidence.inferences) * evidence.inferences.n_each,
        faults=faults,
        sampling_hz=reading.sampling_hz,
        resolution_ms=evidence.resolution_s * 1000,
        clock_residual_ms=clocked.clock.residual_s * 1000 if clocked.clock else None,
        offset_s=None if alignment is None else aligned.offset_s + alignment.offset_s,
        offset_u_s=None if alignment is None else offset_u_s(alignment, clocked, evidence.resolution_s),
        drift_ppm=None if alignment is None else (aligned.drift + alignment.drift) * 1e6,
        applied_offset_s=aligned.offset_s,
        applied_drift_ppm=aligned.drift * 1e6,
        boundary=clocked.trace.boundary,
        rails=clocked.trace.rails,
    )


def _aligned(clocked: ClockedTrace, inferences: Inferences, settings: ReductionSettings) -> _Aligned:
    starts, ends = inferences.relative_to(clocked.trace.start_s)
    offset_s, drift = settings.offset_s, settings.drift_ppm / 1e6
    found = _read_at(clocked, starts, ends, offset_s, drift)
    for _ in range(_MOST_ROUNDS if settings.is_aligned else 0):
        alignment = found.alignment
        if alignment is None or not is_off(alignment, clocked, found.resolution_s):
            break
        offset_s, drift = offset_s + alignment.offset_s, drift + alignment.drift
        found = _read_at(clocked, starts, ends, offset_s, drift)
    return found


def _read_at(clocked: ClockedTrace, starts: Reals, ends: Reals, offset_s: float, drift: float) -> _Aligned:
    reading = read_windows(clocked, *_moved(starts, ends, offset_s, drift))
    alignment = reading.alignment()
    resolution_s = reading.resolution_s(alignment, clocked.trace.averaging_s)
    return _Aligned(reading, alignment, resolution_s, offset_s, drift)


def _moved(starts: Reals, ends: Reals, offset_s: float, drift: float) -> tuple[Reals, Reals]:
    """Windows with an offset and a drift around the middle of the run added."""
    middle = (float(starts[0]) + float(ends[-1])) / 2 if len(starts) else 0.0
    return starts + offset_s + drift * (starts - middle), ends + offset_s + drift * (ends - middle)


def _with_energies(reduction: Reduction, evidence: Evidence, components: tuple[Component, ...]) -> Reduction:
    """Reduction with its energies, of which nothing says that they are wrong."""
    energies, latency_s = evidence.energies_mj, evidence.latency_s
    mean, idle_mw = float(energies.mean()), reduction.idle_power_mw
    reduction = replace(
        reduction,
        energy_mj=mean,
        energy_u_mj=expanded_mj(components),
        uncertainty=components,
        energy_median_mj=float(np.median(energies)),
        energy_std_mj=float(energies.std(ddof=1)) if len(energies) > 1 else None,
        latency_ms=latency_s * 1000,
        power_mw=mean / latency_s,
        energies_mj=energies,
    )
    if idle_mw is None:
        return reduction
    idle_part = Component("idle power", (reduction.idle_u_mw or 0.0) * latency_s)
    return replace(
        reduction,
        energy_idle_subtracted_mj=mean - idle_mw * latency_s,
        energy_idle_subtracted_u_mj=expanded_mj((*components, idle_part)),
    )


def _without_skipped(reading: Reading, settings: ReductionSettings) -> tuple[Mask, int]:
    """Windows that are used, without those of the warm-up, and how many windows that leaves out."""
    used, n_skipped = reading.used.copy(), settings.n_skipped
    used[:n_skipped] = False
    if settings.skips_warm_up:
        places = np.flatnonzero(used)
        n_early = warm_up(reading.windows.energies_mj[used])
        used[places[:n_early]] = False
        n_skipped = int(places[n_early]) if n_early else n_skipped
    return used, n_skipped
