"""The components of the uncertainty of an energy, each from what was seen in the trace or is known of the meter."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.schema.facts import MeterAccuracy
from harness.traces.alignment import Alignment
from harness.traces.budget import HALF_WIDTH, WIDTH, Component, expanded_mj
from harness.traces.bursts import Bursts, lost_s
from harness.traces.clocked import ClockedTrace
from harness.traces.inferences import Inferences
from harness.traces.lags import arrival_u_s, delay_s
from harness.traces.outlasting import idle_level_mw, outlasting_s
from harness.traces.reading import Reading
from harness.traces.statistics import mean_with_error
from harness.traces.steadiness import FEWEST_WINDOWS, change
from harness.traces.trace import Reals, TraceFault

METER: Final = ("meter gain", "meter offset")
"""Components that rest on what a maker states, not on the trace."""
REPEATABILITY: Final = "repeatability"
UNKNOWN_LAG: Final = "unknown lag"
OUTLASTING: Final = "load outside windows"
_CARRIED: Final = (REPEATABILITY, UNKNOWN_LAG)
"""Components that are said and carried, however large: a device that does not repeat itself, and clocks that nobody
can compare."""
MOST_UNCERTAIN: Final = 0.10
"""Expanded uncertainty that the evidence leaves, over the energy, above which there is no energy."""
_HOLDS: Final = 1.5
_N_BLOCKS: Final = 10
"""Parts of a run at most whose baselines are compared."""
_FEWEST_PAUSES: Final = 2
_FEW_PAUSES: Final = 6
"""Pauses below which the power before and after the run is compared with them as well."""
_N_PARTS: Final = 8
_QUIET: Final = 0.25
"""Parts of a pause, and their quantile that is its power."""
_APART: Final = 2
_TRIED_SHARE: Final = 0.25
_N_TRIED: Final = 9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the components are made from.

    Attributes:
        energies_mj: energy of one inference of every used window, in mJ.
        durations_s: duration of every used window in seconds.
        starts_s: start of every used window in seconds, on the clock of the trace.
        reading: what the pass over the trace found.
        resolution_s: seconds between changes of the meter's value.
        alignment: what the trace says of the clocks; None where it cannot tell.
        is_moved: whether windows were moved to where the load is, with any delay of the device and the meter.
        clocked: the trace with its clock.
        inferences: its windows.
    """

    energies_mj: Reals
    durations_s: Reals
    starts_s: Reals
    reading: Reading
    resolution_s: float
    alignment: Alignment | None
    is_moved: bool
    clocked: ClockedTrace
    inferences: Inferences

    @property
    def grid_s(self) -> float:
        """Seconds between the times at which the value may change: those of samples, unless many of them hold it."""
        return self.reading.period_s if self.resolution_s < _HOLDS * self.reading.period_s else self.resolution_s

    @property
    def latency_s(self) -> float:
        """Mean duration of one inference in seconds; 0 where there is none."""
        return float(self.durations_s.mean()) / self.inferences.n_each if len(self.durations_s) else 0.0

    @property
    def power_mw(self) -> float:
        """Mean power of the windows in mW; 0 where there is none."""
        return float(self.energies_mj.mean()) / self.latency_s if self.latency_s else 0.0


def components_of(evidence: Evidence, accuracy: MeterAccuracy | None) -> tuple[Component, ...]:
    """Components of the uncertainty of the mean energy of one inference.

    Args:
        evidence: what was seen.
        accuracy: limits of error of the meter; None where they are unknown.
    """
    energy = float(evidence.energies_mj.mean())
    changes = evidence.reading.changes
    quantum_mw = changes.quantum_mw if changes.is_held else 0.0
    gain = None if accuracy is None else abs(energy) * accuracy.gain_percent / 100 / HALF_WIDTH
    offset = None if accuracy is None else accuracy.offset_mw * evidence.latency_s / HALF_WIDTH
    repeatability = _repeatability_mj(evidence.energies_mj)
    noise = () if len(evidence.energies_mj) > 1 else (Component("noise", _noise_mj(evidence)),)
    return (
        Component(METER[0], gain),
        Component(METER[1], offset),
        Component("quantisation", quantum_mw / WIDTH * evidence.latency_s),
        Component("sampling edges", _edges_mj(evidence)),
        _alignment(evidence),
        Component("clock", _clock_mj(evidence)),
        Component("baseline", _baseline_mw(evidence) * evidence.latency_s),
        Component(OUTLASTING, _outlasting_mj(evidence)),
        *noise,
        Component(REPEATABILITY, repeatability if np.isfinite(repeatability) else None),
    )


def uncertain_fault(components: tuple[Component, ...], energies_mj: Reals) -> list[TraceFault]:
    """Fault of an energy whose expanded uncertainty is too large for it."""
    energy = float(energies_mj.mean()) if len(energies_mj) else 0.0
    known = [each for each in components if each.standard_mj is not None and each.component not in _CARRIED]
    if not known or expanded_mj(known) <= MOST_UNCERTAIN * energy:
        return _wide_fault(components, energies_mj) if len(energies_mj) else []
    largest = max(known, key=lambda each: each.standard_mj or 0.0).component
    found = f"{energy:.6g} ± {expanded_mj(known):.2g} mJ, most of it from {largest}"
    fix = {
        "sampling edges": "Give longer windows of many inferences, or sample faster if the meter can.",
        "alignment": "Bring both clocks to one, or give longer windows of many inferences with idle between them.",
        "quantisation": "Use a finer range of the meter.",
        "baseline": "Let device and meter warm up, and zero the meter; the power between the windows wanders.",
        OUTLASTING: "Power stays high next to the windows, and the trace cannot say whose work that is. Where an end "
        "was logged at the launch, log the end of an inference when the device has finished it. Where other work runs "
        "between inferences, pause before and after each window, or count it in: log one window from the first start "
        "to the last end, with --n-each.",
    }.get(largest, "Use a meter of better accuracy for this power, or longer windows.")
    return [TraceFault("trace-uncertain", found, f"at most ± {MOST_UNCERTAIN:.0%}", fix)]


def _wide_fault(components: tuple[Component, ...], energies_mj: Reals) -> list[TraceFault]:
    """Warning of an energy that what is carried leaves open by more than an energy should be, and the way to less."""
    energy, expanded = float(energies_mj.mean()), expanded_mj(components)
    carried = [each for each in components if each.component in _CARRIED and each.standard_mj is not None]
    if not carried or expanded <= MOST_UNCERTAIN * energy:
        return []
    largest = max(carried, key=lambda each: each.standard_mj or 0.0).component
    n_needed = math.ceil(len(energies_mj) * (expanded / (MOST_UNCERTAIN * energy)) ** 2)
    rule, fix = "trace-unsteady", f"Log more windows, about {n_needed} where they scatter as these do."
    if largest == UNKNOWN_LAG:
        rule = "trace-lag-unknown"
        fix = (
            "Record the idle device before the first and after the last inference, so that the clocks can be compared."
        )
    elif change(energies_mj) is not None:
        fix = "Cut the log of the inferences to one part of the run; more windows of a run that changes do not help."
    found = f"{energy:.6g} ± {expanded:.2g} mJ, most of it from {largest}"
    return [TraceFault(rule, found, f"at most ± {MOST_UNCERTAIN:.0%}", fix)]


def _repeatability_mj(energies_mj: Reals) -> float:
    """Standard error of the mean; of a run that changes that within its parts, and how far they are from the mean.

    The energy of an inference in such a run may be that of any part, as of a rectangular distribution.
    """
    changed = change(energies_mj)
    if changed is None:
        return mean_with_error(energies_mj)[1]
    parts = [energies_mj[: changed.window], energies_mj[changed.window :]]
    within = np.hypot.reduce([len(part) * mean_with_error(part)[1] for part in parts]) / len(energies_mj)
    blocks = np.array_split(energies_mj, min(len(energies_mj) // FEWEST_WINDOWS, _N_BLOCKS))
    furthest = max(abs(float(part.mean() - energies_mj.mean())) for part in (*parts, *blocks))
    return float(np.hypot(within, furthest / HALF_WIDTH))


def _noise_mj(evidence: Evidence) -> float:
    """Standard error that the scatter from sample to sample gives a window which no other one repeats."""
    curve = evidence.reading.windows.curve
    start, end = float(evidence.starts_s[0]), float(evidence.starts_s[0] + evidence.durations_s[0])
    within = slice(*np.searchsorted(curve.times_s, [start, end]))
    steps_s = np.diff(curve.times_s[within])
    powers = np.diff(curve.energies_mj[within])[steps_s > 0] / steps_s[steps_s > 0]
    if len(powers) <= _APART:
        return 0.0
    # Means of two instants share one with their neighbours, but not with the next but one.
    scatter_mw = 1.4826 * float(np.median(np.abs(powers[_APART:] - powers[:-_APART])))
    return float(scatter_mw / len(powers) ** 0.5 * evidence.latency_s)


def _lost_mj(evidence: Evidence, lag_s: float) -> float:
    """Energy of one inference in mJ that is outside of the load for so many seconds."""
    alignment = evidence.alignment
    if alignment is None or not alignment.contrast_mw > 0:
        return 0.0
    windows = Bursts(evidence.starts_s, evidence.starts_s + evidence.durations_s)
    return alignment.contrast_mw * lost_s(windows, lag_s) / evidence.inferences.n_each


def _edges_mj(evidence: Evidence) -> float:
    """A meter that averages rounds both edges; means over intervals that windows share are divided by time alone."""
    rounded = evidence.clocked.trace.averaging_s / 4 / HALF_WIDTH
    gaps = evidence.starts_s[1:] - (evidence.starts_s + evidence.durations_s)[:-1]
    is_near = len(gaps) > 0 and float(np.median(gaps)) < 2 * evidence.resolution_s
    is_divided = evidence.clocked.trace.kind == "mean" and is_near
    divided = evidence.resolution_s / 4 * 2**0.5 / HALF_WIDTH * _alike(evidence) if is_divided else 0.0
    return _lost_mj(evidence, float(np.hypot(rounded, divided)))


def _alike(evidence: Evidence) -> float:
    """How alike the places of window starts between samples are, from 0 to 1; what is alike does not average out."""
    period = evidence.grid_s
    return float(abs(np.exp(2j * np.pi * evidence.starts_s / period).mean())) if period else 0.0


def _alignment(evidence: Evidence) -> Component:
    """A lag loses the step of power for its duration, whichever way it goes."""
    alignment = evidence.alignment
    if alignment is None or not alignment.contrast_mw > 0:
        return Component(UNKNOWN_LAG, _unaligned_mj(evidence))
    if not alignment.is_told:
        moved_mw = _moved_power_mw(evidence, alignment.offset_s)
        return Component(UNKNOWN_LAG, abs(moved_mw - evidence.power_mw) * _rectangle(evidence))
    # Between two samples the place of a step is open, which is no lag.
    period = evidence.grid_s * _alike(evidence)
    excess = max(abs(alignment.offset_s) - period / 2, 0.0)
    drifted = alignment.drift * float(np.ptp(evidence.starts_s)) / 2 / HALF_WIDTH
    # Windows that were moved to the load may have been moved by the delay of the device as well.
    delay = delay_s(alignment) / HALF_WIDTH if evidence.is_moved else 0.0
    parts = [excess, period / WIDTH, delay, alignment.offset_u_s, alignment.scatter_s, drifted]
    lag = float(np.hypot.reduce(parts))
    return Component("alignment", _lost_mj(evidence, lag))


def _unaligned_mj(evidence: Evidence) -> float:
    """Where nothing tells the lag: how much the energy changes when the windows move by up to a quarter of the run."""
    starts, ends = evidence.starts_s, evidence.starts_s + evidence.durations_s
    furthest = _TRIED_SHARE * (float(ends.max()) - float(starts.min()))
    here = evidence.power_mw
    powers = [_moved_power_mw(evidence, float(lag)) for lag in np.linspace(-furthest, furthest, _N_TRIED)]
    return max(abs(power - here) for power in powers) * _rectangle(evidence)


def _rectangle(evidence: Evidence) -> float:
    """Standard uncertainty of an energy in mJ for a bound of its power of 1 mW."""
    return evidence.latency_s / HALF_WIDTH


def _moved_power_mw(evidence: Evidence, lag_s: float) -> float:
    """Mean power of the windows, moved by a lag, as far as they lie in the trace."""
    first, last = float(evidence.reading.windows.curve.times_s[0]), float(evidence.reading.windows.curve.times_s[-1])
    starts = np.clip(evidence.starts_s + lag_s, first, last)
    ends = np.clip(evidence.starts_s + evidence.durations_s + lag_s, first, last)
    covered = float((ends - starts).sum())
    within = float((evidence.reading.windows.curve.at(ends) - evidence.reading.windows.curve.at(starts)).sum())
    return within / covered if covered > 0 else evidence.power_mw


def _baseline_mw(evidence: Evidence) -> float:
    """How much the power between the windows wanders over the run, in mW; a zero of the meter that drifts does this."""
    reading = evidence.reading
    begins, pauses_s = reading.ends[:-1], reading.starts[1:] - reading.ends[:-1]
    shown = reading.used[:-1] & reading.used[1:] & (pauses_s > 2 * evidence.resolution_s)
    levels = _levels_mw(evidence, begins[shown], pauses_s[shown])
    if not len(levels):
        return 0.0
    medians = [float(np.median(part)) for part in np.array_split(levels, min(len(levels), _N_BLOCKS))]
    within = float(np.mean(medians))
    if len(levels) < _FEW_PAUSES:
        # The run alone does not show a zero that wanders.
        medians += _levels_mw(evidence, *_around(evidence, float(np.median(pauses_s[shown])))).tolist()
    if len(medians) < _FEWEST_PAUSES:
        return 0.0
    # The zero was right at some time at best, so the furthest level from that of the run bounds its error.
    furthest = float(np.abs(np.array(medians) - within).max())
    return max(float(np.std(medians, ddof=1)), furthest / HALF_WIDTH)


def _around(evidence: Evidence, piece_s: float) -> tuple[Reals, Reals]:
    """Begin and length in seconds of pieces of the trace before the first window and after the last."""
    reading, times = evidence.reading, evidence.reading.windows.curve.times_s
    parts = ((float(times[0]), float(reading.starts[0])), (float(reading.ends[-1]), float(times[-1])))
    begins, lengths = np.empty(0), np.empty(0)
    for first, last in parts:
        length = min(piece_s, last - first)
        if length > 2 * evidence.resolution_s:
            n_pieces = min(math.ceil((last - first) / length), _FEW_PAUSES)
            begins = np.append(begins, np.linspace(first, last - length, n_pieces))
            lengths = np.append(lengths, np.full(n_pieces, length))
    return begins, lengths


def _levels_mw(evidence: Evidence, begins: Reals, pauses_s: Reals) -> Reals:
    """Power in mW of pauses; something else that ran in one, or in a part of it, is no zero that wanders."""
    curve = evidence.reading.windows.curve
    edges = curve.at(begins[:, np.newaxis] + pauses_s[:, np.newaxis] * np.linspace(0, 1, _N_PARTS + 1))
    levels: Reals = np.quantile(np.diff(edges, axis=1), _QUIET, axis=1) * _N_PARTS / pauses_s
    return levels[levels <= (evidence.power_mw + idle_level_mw(curve)) / 2]


def _outlasting_mj(evidence: Evidence) -> float:
    """Load that touches the windows and may be of their inferences."""
    reading, trace = evidence.reading, evidence.clocked.trace
    curve = reading.windows.curve
    idle_mw = idle_level_mw(curve)
    response_s = 0.0 if evidence.alignment is None else evidence.alignment.response_s
    is_told = evidence.alignment is not None and evidence.alignment.is_told
    least_s = 2 * evidence.resolution_s + trace.averaging_s + trace.stamp_step_s + (response_s if is_told else 0.0)
    windows = Bursts(reading.starts, reading.ends)
    seconds = outlasting_s(curve, windows, reading.period_s, (evidence.power_mw + idle_mw) / 2, least_s)
    return max(evidence.power_mw - idle_mw, 0.0) * seconds / evidence.inferences.n_each / HALF_WIDTH


def _clock_mj(evidence: Evidence) -> float:
    """Uncertainty of the stamps: what all samples share is part of a lag that is told; rounding is not."""
    n_bursts = evidence.alignment.n_bursts if evidence.alignment else 1
    step = evidence.inferences.stamp_step_s
    rounding = 2**0.5 * step / WIDTH / n_bursts**0.5
    stamps = evidence.clocked.trace.stamp_step_s / WIDTH / n_bursts**0.5
    is_told = evidence.alignment is not None and evidence.alignment.is_told
    shared = [] if is_told else [arrival_u_s(evidence.clocked), evidence.clocked.trace.stamp_u_s]
    return _lost_mj(evidence, float(np.hypot.reduce([stamps, rounding, *shared])))
