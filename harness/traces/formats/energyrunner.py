"""EnergyRunner traces of MLPerf Tiny: the energy of every sample on the meter's clock.

They are `trace1-energy.bin`, and from v1.3 on the samples in `results.json`.

It reads no marks and no results file. The published energy of a window is the sum of the sample energies between two
marks, which are rounded to a millisecond. Sample k is the mean from k / rate to (k + 1) / rate and stamped at its end,
so that the energy between two marks is that sum; a stamp at 0 begins the first of these intervals.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.traces.format import TraceFormat, TraceOptions
from harness.traces.logs import PEAK_MW, held_bytes, peak_fault, refuse_channel, refused
from harness.traces.meter_ranges import JOULESCOPE
from harness.traces.tiny_results import RATE_HZ, is_tiny_results, read_trials
from harness.traces.trace import Chunk, PowerTrace, Reals, TraceFault

_MAGIC = 0xF1
_HEAD_BYTES = 5
_SAMPLE_BYTES = 4
_RATES_HZ = (1.0, 1e7)
_BLOCK_SAMPLES = 1 << 20
_PEAK_MW = (PEAK_MW[0], JOULESCOPE.highest_mw())
"""A Joulescope has the largest range of the meters that the runner reads."""


def _rate(head: bytes) -> float:
    with np.errstate(all="ignore"):
        return float(np.frombuffer(head, "<f4", count=1, offset=1)[0])


def _looks_like(head: bytes) -> bool:
    if is_tiny_results(head.decode("utf-8-sig", "replace")):
        return True
    return len(head) >= _HEAD_BYTES and head[0] == _MAGIC and _RATES_HZ[0] <= _rate(head) <= _RATES_HZ[1]


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    fix = "Take the file as EnergyRunner wrote it."
    if head.lstrip().startswith(b"["):
        return _of_results(path)
    if len(head) < _HEAD_BYTES or head[0] != _MAGIC:
        raise refused(f"the bytes {head.hex(' ') or 'of an empty file'}", "f1 and the rate as a float32", fix)
    rate_hz = _rate(head)
    if not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        expected = f"between {_RATES_HZ[0]:g} and {_RATES_HZ[1]:g} Hz"
        raise refused(f"a rate of {rate_hz:.6g} Hz", expected, fix)
    n_samples, n_tail = divmod(path.stat().st_size - _HEAD_BYTES, _SAMPLE_BYTES)
    if not n_samples:
        raise refused("no samples", "at least one sample", "Record the run again.")
    faults = _faults(path, rate_hz)
    if n_tail:
        found = f"{n_tail} bytes after sample {n_samples}"
        fix = "The file was cut off; copy it again."
        faults.append(TraceFault("trace-format", found, f"whole samples of {_SAMPLE_BYTES} bytes", fix))
    chunks = partial(_chunks, path, rate_hz)
    return PowerTrace(path.name, "device", chunks, stated_hz=rate_hz, kind="mean", faults=tuple(faults))


def _of_results(path: Path) -> PowerTrace:
    """Trace of the trials of a `results.json`, one after the other."""
    trials = read_trials(held_bytes(path).decode("utf-8-sig", "replace"))
    power = trials.energies_uj * (RATE_HZ / 1e3)
    if not np.isfinite(power).all():
        raise refused("a sample that is no number", "energies in J", "Take the file as EnergyRunner wrote it.")
    unlikely = peak_fault(float(power.max()), _PEAK_MW)
    chunk = _begun(np.arange(1, len(power) + 1, dtype=np.float64) / RATE_HZ, power)
    faults = () if unlikely is None else (unlikely,)
    return PowerTrace(path.name, "device", lambda: iter((chunk,)), stated_hz=RATE_HZ, kind="mean", faults=faults)


def _blocks(path: Path) -> Iterator[npt.NDArray[np.float64]]:
    """Energies in µJ, some samples at a time."""
    with path.open("rb") as file:
        file.seek(_HEAD_BYTES)
        while len(data := file.read(_BLOCK_SAMPLES * _SAMPLE_BYTES)) >= _SAMPLE_BYTES:
            with np.errstate(invalid="ignore"):
                yield np.frombuffer(data, "<f4", count=len(data) // _SAMPLE_BYTES).astype(np.float64)


def _faults(path: Path, rate_hz: float) -> list[TraceFault]:
    """Samples that are no numbers, and a highest power that is none."""
    n_before, n_bad, first_bad, peak = 0, 0, 0, -np.inf
    for energies in _blocks(path):
        bad = np.flatnonzero(~np.isfinite(energies))
        if len(bad) and not n_bad:
            first_bad = n_before + int(bad[0])
        n_bad += len(bad)
        n_before += len(energies)
        peak = max(peak, float(energies.max(initial=-np.inf, where=np.isfinite(energies))))
    if n_bad == n_before:
        raise refused("no sample is a number", "energies in µJ", "Take the file as EnergyRunner wrote it.")
    faults = []
    if n_bad:
        found = f"{n_bad} samples that are no numbers, the first number {first_bad}"
        fix = "They are left out; copy the file again, or measure again."
        faults.append(TraceFault("trace-format", found, "energies in µJ", fix))
    unlikely = peak_fault(peak * rate_hz / 1e3, _PEAK_MW)
    return faults if unlikely is None else [*faults, unlikely]


def _begun(stamps_s: Reals, power_mw: Reals) -> Chunk:
    """First samples of a trace, after the stamp at which the first of their intervals begins."""
    return Chunk(np.concatenate([[0.0], stamps_s]), np.concatenate([power_mw[:1], power_mw]))


def _chunks(path: Path, rate_hz: float) -> Iterator[Chunk]:
    n_before, is_begun = 0, False
    for energies in _blocks(path):
        stamps = np.arange(n_before + 1, n_before + len(energies) + 1, dtype=np.float64) / rate_hz
        n_before += len(energies)
        is_number = np.isfinite(energies)
        stamps, power = stamps[is_number], energies[is_number] * (rate_hz / 1e3)
        if len(power):
            yield Chunk(stamps, power) if is_begun else _begun(stamps, power)
            is_begun = True


FORMAT = TraceFormat(
    "energyrunner",
    "MLPerf Tiny EnergyRunner, trace or results.json",
    "analyser",
    "mean-after",
    _looks_like,
    _open,
)
