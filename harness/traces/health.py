"""What is wrong with the samples of a trace, found while they pass: order, gaps, rate, sign, clipping, length."""

import numpy as np

from harness.traces.trace import Chunk, PowerTrace, Reals, TraceFault

FEWEST_SAMPLES = 50
RATE_TOLERANCE = 0.02
OTHER_UNIT = 10.0
"""Factor between rates that no loss of samples explains."""
GAP_PERIODS = 5.0
"""Steps of a device clock from which samples are missing; logs of counters jitter by less."""
CLIPPED_RUN = 20
CLIPPED_FROM_HZ = 100.0
"""Below, meters print few digits and repeat a value without being clipped."""
_MOST_GAPS = 10_000
_FIRST_STEPS = 10_000
"""Steps whose median is the period; that of all of them is no better."""


class Health:
    """Findings about samples, collected while they pass.

    Args:
        trace: where the samples come from.
    """

    def __init__(self, trace: PowerTrace) -> None:
        self._trace = trace
        self.source = trace.source
        self.n_samples = 0
        self.first_stamp_s = 0.0
        self.last_stamp_s = 0.0
        self.gaps: list[tuple[float, float]] = []
        self._period: float | None = None
        self._n_backward = self._n_duplicate = self._n_negative = 0
        self._first_disorder_s: float | None = None
        self._lowest = np.inf
        self._highest = -np.inf
        self._longest_run = self._open_run = 0

    def add(self, chunk: Chunk) -> None:
        """Add the next samples."""
        if not len(chunk.stamps_s):
            return
        self._look_at_order(chunk.stamps_s)
        lowest = float(chunk.power_mw.min())
        if lowest < 0:
            self._n_negative += int((chunk.power_mw < 0).sum())
        self._lowest = min(self._lowest, lowest)
        self._look_at_top(chunk.power_mw)
        self.n_samples += len(chunk.stamps_s)

    def _look_at_order(self, stamps: Reals) -> None:
        if self.n_samples == 0:
            self.first_stamp_s = float(stamps[0])
        else:
            stamps = np.concatenate([[self.last_stamp_s], stamps])
        self.last_stamp_s = float(stamps[-1])
        steps = np.diff(stamps)
        if not len(steps):
            return
        if self._period is None:
            self._period = float(np.median(steps[:_FIRST_STEPS]))
        is_device = self._trace.clock == "device"
        least = float(steps.min())
        if least < 0 or (is_device and least == 0):
            self._n_backward += int((steps < 0).sum())
            self._n_duplicate += int((steps == 0).sum()) if is_device else 0
            if self._first_disorder_s is None:
                self._first_disorder_s = float(stamps[np.flatnonzero(steps <= 0 if is_device else steps < 0)[0]])
        if is_device:
            wide = np.flatnonzero(steps > GAP_PERIODS * (self._period or np.inf))
            room = _MOST_GAPS - len(self.gaps)
            self.gaps += [(float(stamps[i]), float(stamps[i + 1])) for i in wide[:room]]

    def _look_at_top(self, power: Reals) -> None:
        highest = float(power.max())
        if highest > self._highest:
            self._highest, self._longest_run, self._open_run = highest, 0, 0
        if highest < self._highest:
            self._open_run = 0
            return
        at_top = np.flatnonzero(power == highest)
        borders = np.flatnonzero(np.diff(at_top) > 1) + 1
        lengths = np.diff(borders, prepend=0, append=len(at_top))
        if at_top[0] == 0:
            lengths[0] += self._open_run
        self._longest_run = max(self._longest_run, int(lengths.max()))
        self._open_run = int(lengths[-1]) if at_top[-1] == len(power) - 1 else 0

    @property
    def is_in_order(self) -> bool:
        """Whether no stamp is before an earlier one, so that first and last say where the trace lies."""
        return not self._n_backward

    def faults(self, sampling_hz: float | None, *, is_held: bool = False) -> list[TraceFault]:
        """Everything found, once all samples have passed.

        Args:
            sampling_hz: rate of the clock that was found.
            is_held: whether the value often stays the same from one sample to the next, so that a run of the highest
                one is no sign of clipping.
        """
        faults = [*self._trace.faults, *self._order_faults()]
        if self.n_samples < FEWEST_SAMPLES:
            found = f"{self.n_samples} samples"
            faults.append(TraceFault("trace-short", found, f"at least {FEWEST_SAMPLES}", "Record the whole run."))
        faults += self._rate_faults(sampling_hz)
        if self._n_negative:
            found = f"power below 0 in {self._n_negative} of {self.n_samples} samples, down to {self._lowest:.6g} mW"
            faults.append(
                TraceFault(
                    "trace-negative",
                    found,
                    "no negative power",
                    "Look at the zero and the direction of the probe, and for a counter that began again.",
                )
            )
        if not is_held and self._longest_run >= CLIPPED_RUN and (sampling_hz or 0) >= CLIPPED_FROM_HZ:
            found = f"{self._longest_run} samples in a row at the highest power, {self._highest:.6g} mW"
            fix = "If this is the end of the meter's range, choose a larger range and measure again."
            faults.append(TraceFault("trace-clipped", found, "peaks below the range", fix))
        return faults

    def _rate_faults(self, sampling_hz: float | None) -> list[TraceFault]:
        stated = self._trace.stated_hz
        if sampling_hz is None or stated is None or abs(sampling_hz / stated - 1) <= RATE_TOLERANCE:
            return []
        found = f"{sampling_hz:.6g} samples a second"
        ratio = max(sampling_hz / stated, stated / sampling_hz)
        if ratio >= OTHER_UNIT:
            fix = "Look at the unit of the stamps: the header, or an option, states one that they are not in."
            return [TraceFault("trace-time-unit", found, f"about {stated:.6g}", fix)]
        expected = f"{stated:.6g} within {RATE_TOLERANCE:.0%}"
        return [TraceFault("trace-rate", found, expected, "Look for lost samples or a wrong stated rate.")]

    def _order_faults(self) -> list[TraceFault]:
        faults = []
        if self._n_backward or self._n_duplicate:
            counts = ((self._n_backward, "back"), (self._n_duplicate, "nowhere"))
            steps = " and ".join(f"{count} {'step' if count == 1 else 'steps'} {way}" for count, way in counts if count)
            found = f"{steps} in time, the first after {self._first_disorder_s:.6g} s"
            fix = (
                "Cut the file so that one recording of one meter is left, with the inferences that lie in it; where a "
                "clock was set, cut it there."
            )
            if not self._n_backward:
                fix = (
                    "Several samples share a stamp: log fractions of a second that are fine enough for each to have a "
                    "time of its own; where a row was written twice, delete the second one."
                )
            faults.append(TraceFault("trace-order", found, "stamps that rise", fix))
        if self.gaps:
            longest = max(self.gaps, key=lambda gap: gap[1] - gap[0])
            count = "a gap of" if len(self.gaps) == 1 else f"{len(self.gaps)} gaps, the longest"
            found = f"{count} {longest[1] - longest[0]:.3g} s at {longest[0]:.6g} s"
            expected = "samples without a break"
            faults.append(TraceFault("trace-gap", found, expected, "Measure again; inferences in a gap are left out."))
        return faults
