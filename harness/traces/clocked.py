"""A trace with the times at which its samples were taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.traces.clock import ArrivalFit, SampleClock
from harness.traces.health import Health
from harness.traces.trace import Chunk, PowerTrace, Reals

MOST_KEPT_SAMPLES: Final = 30_000_000
"""Powers of a host-stamped trace up to this length are kept while its clock is found; longer ones are read again."""


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
        n_before, numbers = 0, np.empty(0)
        powers = self.kept if self.kept is not None else (chunk.power_mw for chunk in self.trace.chunks())
        for power in powers:
            # Numbers of samples in a chunk are the same in each.
            if len(numbers) < len(power):
                numbers = np.arange(len(power), dtype=np.float64)
            yield Chunk(self.clock.times(numbers[: len(power)] + n_before), power)
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
