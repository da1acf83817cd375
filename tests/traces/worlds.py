"""Random worlds whose true energy is known: a device, its runs, a meter with its faults, and two clocks.

Everything is drawn from a seed. The truth is the energy that an inference of the run is expected to take,
between its true start and end: how inferences differ from one to the next is drawn around it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.schema.facts import MeterAccuracy
from harness.traces.inferences import Inferences
from harness.traces.settings import ReductionSettings
from harness.traces.trace import Chunk, PowerTrace

_FINE = 600_000
METERS = ("instant", "mean", "counter", "held")


@dataclass(frozen=True)
class World:
    """A trace, its inferences and what is true of them.

    Attributes:
        trace: what the meter logged.
        inferences: what the device logged.
        settings: what is known of the meter.
        energy_mj: true mean energy of one window.
        offset_s: true offset between the clocks.
        drift: true drift between them.
        meter: what a value is.
    """

    trace: PowerTrace
    inferences: Inferences
    settings: ReductionSettings
    energy_mj: float
    offset_s: float
    drift: float
    meter: str


def world(seed: int) -> World:
    """World of a seed."""
    rng = np.random.default_rng(seed)
    starts, ends, last, length = _windows(rng)
    times = np.linspace(0.0, last, _FINE)
    expected, power = _power(rng, times, starts, ends)
    energy, expected_energy = (_running(times, values) for values in (power, expected))
    true = np.interp(ends, times, expected_energy) - np.interp(starts, times, expected_energy)
    true *= length / float((ends - starts).mean())
    offset, drift = _clocks(rng, float(np.median(ends - starts)), last)
    meter = str(rng.choice(METERS))
    accuracy = MeterAccuracy(gain_percent=float(rng.uniform(0.1, 2)), offset_mw=0.0, stated_by="The world.")
    stamps, values = _samples(rng, times, power, energy, ends - starts, meter)
    values = values * (1 + accuracy.gain_percent / 100 * rng.uniform(-1, 1))
    logged = [_on_device(edges, offset, drift, last) for edges in (starts, ends)]
    nanoseconds = [np.round(edges * 1e9).astype(np.int64) for edges in logged]
    kind = "mean" if meter in {"mean", "counter"} else "instant"
    trace = PowerTrace("world", "device", lambda: iter((Chunk(stamps, values),)), kind=kind)
    inferences = Inferences("windows", *nanoseconds)
    return World(trace, inferences, ReductionSettings(accuracy), float(true.mean()), offset, drift, meter)


def _windows(rng):
    """True starts and ends in seconds, the end of the trace, and the expected duration."""
    length = float(10 ** rng.uniform(-2, 1))
    n = int(rng.integers(4, 200))
    lengths = length * (1 + rng.uniform(0, 0.05) * rng.standard_normal(n))
    pause = 0.0 if rng.random() < 0.15 else float(10 ** rng.uniform(-0.6, 0.5))
    gaps = pause * length * (1 + 0.3 * rng.random(n))
    idle = length * rng.uniform(2, 10) + 0.5
    starts = idle + np.concatenate([[0.0], np.cumsum(lengths + gaps)[:-1]])
    ends = starts + lengths
    return starts, ends, float(ends[-1] + length * rng.uniform(2, 10) + 0.5), length


def _running(times, power):
    return np.concatenate([[0.0], np.cumsum((power[1:] + power[:-1]) / 2 * np.diff(times))])


def _power(rng, times, starts, ends):
    """Power of the device in mW: as expected, and as it was."""
    idle = float(10 ** rng.uniform(1, 4))
    load = idle * float(rng.uniform(1.3, 8))
    place = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(starts) - 1)
    phase = (times - starts[place]) / (ends - starts)[place]
    is_load = (phase >= 0) & (phase < 1)
    ripple = 1 + rng.uniform(0, 0.1) * np.sin(2 * np.pi * (phase * rng.integers(1, 4) + rng.random()))
    each = 1 + rng.uniform(0, 0.03) * _red(rng, len(starts), rng.uniform(0, 0.8))
    slow = 1 + rng.uniform(-0.03, 0.03) * times / times[-1]
    powers = [np.where(is_load, idle + (load - idle) * ripple * slow * part, idle) for part in (1.0, each[place])]
    response = rng.choice([0.0, 0.01, 0.03]) * float(np.median(ends - starts))
    step = times[1] - times[0]
    if response > step:
        from scipy.signal import lfilter

        share = 1 - np.exp(-step / response)
        powers = [lfilter([share], [1, share - 1], power - idle) + idle for power in powers]
    return powers


def _red(rng, n, memory):
    """Unit noise in which each value remembers the one before."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + (1 - memory**2) ** 0.5 * noise[i]
    return noise


def _clocks(rng, length, last):
    """Offset in seconds and drift between the clocks: none, some, or a time zone."""
    draw = rng.random()
    offset = 0.0
    if draw > 0.8:
        offset = float(rng.choice([-3600.0, 3600.0, 7200.0]))
    elif draw > 0.55:
        offset = float(rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 0.5)) * length
    drift = float(rng.uniform(-150e-6, 150e-6)) if rng.random() < 0.2 else 0.0
    return offset, drift


def _on_device(edges, offset, drift, last):
    """Times that the device logs, when its clock is off against that of the meter."""
    return edges - offset - drift * (edges - last / 2)


def _samples(rng, times, power, energy, lengths, meter):
    """Stamps in seconds and values in mW, as the meter logs them."""
    length = float(np.median(lengths))
    period = max(length / float(10 ** rng.uniform(0, 2.7)), (times[-1] - times[0]) / 200_000)
    stamps = np.arange(rng.random() * period, times[-1], period)
    jitter = rng.uniform(0, 0.1) * period
    stamps = np.sort(stamps + jitter * rng.uniform(-0.5, 0.5, len(stamps)))
    stamps = stamps[(stamps >= 0) & (stamps <= times[-1])]
    noise = rng.uniform(0, 0.03) * rng.standard_normal(len(stamps)) + rng.uniform(0, 0.004) * _red(
        rng, len(stamps), 0.99
    )
    if meter in {"mean", "counter"}:
        sums = np.interp(stamps, times, energy)
        if meter == "counter":
            unit = float(power.max()) * period * rng.uniform(1e-4, 1e-2)
            sums = np.floor(sums / unit) * unit
            noise = 0.0
        values = np.diff(sums) / np.diff(stamps)
        values = np.concatenate([values[:1], values]) * (1 + noise)
    else:
        values = np.interp(stamps, times, power) * (1 + noise)
        quantum = float(power.max()) * rng.choice([0.0, 1e-4, 1e-3, 1e-2])
        values = np.round(values / quantum) * quantum if quantum else values
    if meter == "held":
        polls = int(rng.integers(3, 12))
        held = np.repeat(values, polls)
        fine = np.concatenate([np.linspace(a, b, polls, endpoint=False) for a, b in pairwise(stamps)])
        return fine, held[: len(fine)]
    return stamps, values
