"""Traces of known energy, made for tests."""

import numpy as np

from harness.traces.inferences import Inferences
from harness.traces.trace import Chunk, PowerTrace


def inferences_of(starts_s, ends_s, n_each=1):
    return Inferences(
        "inferences",
        np.round(np.asarray(starts_s) * 1e9).astype(np.int64),
        np.round(np.asarray(ends_s) * 1e9).astype(np.int64),
        n_each,
    )


def trace_of(stamps_s, power_mw, *, clock="device", stated_hz=None, chunk=1000, source="trace.csv"):
    stamps_s, power_mw = np.asarray(stamps_s, dtype=float), np.asarray(power_mw, dtype=float)

    def chunks():
        for start in range(0, len(stamps_s), chunk):
            yield Chunk(stamps_s[start : start + chunk], power_mw[start : start + chunk])

    return PowerTrace(source, clock, chunks, stated_hz)


def burst_stamped(seed, *, hz=4992.3, seconds=12.0, burst=128, jitter_s=0.0002, n_stalls=0, n_lost=0, chunk=5000):
    """A meter at `hz` read by a host in bursts, beside its inferences and their true mean energy in mJ.

    Power rises and falls smoothly around each inference, as that of a board with capacitors does.
    """
    rng = np.random.default_rng(seed)
    n_samples = int(seconds * hz)
    taken = np.arange(n_samples) / hz
    starts = np.arange(1.0, seconds - 0.5, 0.053) + rng.uniform(0, 0.002)
    length = 0.030
    middle = starts + length / 2

    def power(times):
        nearest = middle[np.clip(np.searchsorted(middle, times - 0.0265), 0, len(middle) - 1)]
        return 1250 - 750 * np.tanh((np.abs(times - nearest) - length / 2) / 0.0008)

    fine = np.linspace(0, length, 30_001)
    energies = [np.trapezoid(power(start + fine), fine) for start in starts]
    bursts = np.arange(n_samples) // burst
    last = np.minimum((np.arange(bursts[-1] + 1) + 1) * burst - 1, n_samples - 1)
    arrivals = taken[last] + rng.exponential(jitter_s, len(last))
    for stall in rng.uniform(1, seconds - 1.5, n_stalls):
        arrivals = np.where((arrivals >= stall) & (arrivals < stall + 0.2), stall + 0.2, arrivals)
    arrivals = np.maximum.accumulate(arrivals)
    stamps = np.maximum.accumulate(np.round(arrivals[bursts] + (np.arange(n_samples) % burst) * 1e-6, 6))
    powers = power(taken) + rng.normal(0, 5, n_samples)
    kept = np.ones(n_samples, dtype=bool)
    if n_lost:
        kept[n_samples // 2 : n_samples // 2 + n_lost] = False
    trace = trace_of(stamps[kept], powers[kept], clock="host", stated_hz=5000.0, chunk=chunk)
    return trace, inferences_of(starts, starts + length), float(np.mean(energies))
