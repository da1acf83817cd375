"""Trace reduction beside reading alone and beside a mask for every inference, and its peak memory.

It asserts nothing about time; it does check that the loop finds the same energy.
"""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from rich.console import Console
from rich.table import Table

from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences
from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.trace import PowerTrace
from tests.bench.timing import best_time

N_SAMPLES = 10_000_000
N_SHORT = 4_000_000
N_HUGE = 100_000_000
N_INFERENCES = 1_000
HZ = 5_000.0
_DUTY = 0.4
_EPOCH_US = 1_756_255_164_000_000


def _spacing_s(seconds: float) -> float:
    """Seconds from the start of one inference to that of the next."""
    return (seconds - 2) / N_INFERENCES


def write_monsoon(path: Path, n_samples: int) -> None:
    """Burst-stamped current and voltage in the layout of a Monsoon export."""
    rng = np.random.default_rng(0)
    bursts = np.arange(n_samples) // 128
    arrivals = _EPOCH_US + (bursts + 1) * 128 / HZ * 1e6 + rng.exponential(200, bursts[-1] + 1)[bursts]
    stamps = np.maximum.accumulate(arrivals.astype(np.int64) + np.arange(n_samples) % 128)
    # Load in the windows of `write_inferences`, so that the clocks can be compared.
    place = (np.arange(n_samples) / HZ - 1) / _spacing_s(n_samples / HZ)
    is_load = (place >= 0) & (place % 1 < _DUTY) & (place < N_INFERENCES)
    current = np.round(np.where(is_load, 700, 100) + rng.uniform(-20, 20, n_samples), 9)
    voltage = np.round(rng.uniform(4.15, 4.2, n_samples), 5)
    table = pa.table({"t": stamps, "i": current, "u": voltage, "empty": pa.nulls(n_samples, pa.string())})
    with path.open("wb") as file:
        file.write(b"Time(ms),Main(mA),Main Voltage(V),\n")
        pa.csv.write_csv(table, file, pa.csv.WriteOptions(include_header=False))


def write_inferences(path: Path, seconds: float) -> None:
    """A thousand inferences, evenly over the trace."""
    spacing_us = _spacing_s(seconds) * 1e6
    starts = (_EPOCH_US + 1e6 + spacing_us * np.arange(N_INFERENCES)).astype(np.int64)
    length = int(_DUTY * spacing_us)
    rows = [f"{row},{start},{start + length},{length}" for row, start in enumerate(starts)]
    path.write_text("\n".join(["inference_index,start_us,end_us,duration_us", *rows]) + "\n", encoding="utf-8")


def by_deepen(power: Path, inferences: Path) -> Reduction:
    return reduce_trace(open_trace(power), read_inferences(inferences))


def in_memory(power: Path) -> PowerTrace:
    """The same trace with its samples read already."""
    trace = open_trace(power)
    chunks = list(trace.chunks())
    return replace(trace, chunks=lambda: iter(chunks))


def by_loop(trace: pd.DataFrame, windows: pd.DataFrame) -> float:
    """What scripts usually do: for every inference a mask over all rows, and a mean of those that it keeps."""
    energies = []
    for window in windows.itertuples():
        rows = trace[(trace["t"] >= window.start_us) & (trace["t"] <= window.end_us)]
        energies.append((rows["i"] * rows["u"]).mean() * (window.end_us - window.start_us) / 1e6)
    return float(np.mean(energies))


def peak_mb(code: str) -> float:
    """Largest resident memory in MB of a Python process that runs the code."""
    # The kernel's high-water mark of this process; getrusage would hand down the parent's.
    status = "next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))"
    probe = f"{code}\nprint({status}.split()[1])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


def huge_peak_mb(folder: Path) -> tuple[float, float]:
    """Peak memory of reducing a device-clocked trace of 100 million samples, and the size of its file in MB."""
    power, inferences = folder / "huge-energy.bin", folder / "huge.csv"
    with power.open("wb") as file:
        file.write(b"\xf1" + np.float32(HZ).tobytes())
        # Ten seconds with one second of load, as the windows have it, and no value twice in a row.
        cycle = 0.2 + np.linspace(0, 0.01, int(10 * HZ), dtype=np.float32)
        cycle[: int(HZ)] += 0.8
        for _ in range(N_HUGE // len(cycle)):
            file.write(cycle.tobytes())
    inferences.write_text(
        "start_s,end_s\n" + "".join(f"{s},{s + 1}\n" for s in range(10, 10_010, 10)), encoding="utf-8"
    )
    code = (
        "from pathlib import Path\nfrom tests.bench.reduction import by_deepen\n"
        f"assert by_deepen(Path({str(power)!r}), Path({str(inferences)!r})).n_used == 1000"
    )
    return peak_mb(code), power.stat().st_size / 2**20


def main(console: Console) -> None:
    """Generate, check, measure, print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, n_samples in (("long", N_SAMPLES), ("short", N_SHORT)):
            write_monsoon(folder / f"{name}_power.csv", n_samples)
            write_inferences(folder / f"{name}_inference_time.csv", n_samples / HZ)
        long = folder / "long_power.csv", folder / "long_inference_time.csv"
        short = folder / "short_power.csv", folder / "short_inference_time.csv"
        trace, inferences = in_memory(short[0]), read_inferences(short[1])
        frame, windows = pd.read_csv(short[0], header=0, names=["t", "i", "u", "empty"]), pd.read_csv(short[1])
        reduced, looped = reduce_trace(trace, inferences).energy_mj, by_loop(frame, windows)
        # The loop takes times of arrival for times of samples, which blurs the edges of windows.
        if reduced is None or abs(reduced / looped - 1) > 0.05:
            raise SystemExit(f"the loop finds {looped} mJ, deepen reduce {reduced} mJ")
        from_file, from_memory = "deepen reduce", "deepen reduce, samples in memory"
        seconds = {
            ("pyarrow.csv.read_csv alone", N_SAMPLES): best_time(lambda: pa.csv.read_csv(long[0]), 5),
            (from_file, N_SAMPLES): best_time(lambda: by_deepen(*long), 5),
            (from_memory, N_SHORT): best_time(lambda: reduce_trace(trace, inferences), 5),
            ("a mask for every inference, in memory", N_SHORT): best_time(lambda: by_loop(frame, windows), 1),
        }
        ours = {N_SAMPLES: seconds[from_file, N_SAMPLES], N_SHORT: seconds[from_memory, N_SHORT]}
        table = Table(title=f"trace reduction, {N_INFERENCES} inferences")
        for heading in ("contender", "samples", "seconds", "against deepen reduce"):
            table.add_column(heading, justify="left" if heading == "contender" else "right")
        for (name, n_samples), taken in seconds.items():
            ratio = taken / ours[n_samples]
            table.add_row(name, f"{n_samples:,}", f"{taken:.3f}", f"{ratio:.2f} x the time")
        console.print(table)
        idle_mb = peak_mb("import tests.bench.reduction")
        huge_mb, file_mb = huge_peak_mb(folder)
        console.print(
            f"peak memory for {N_HUGE:,} samples ({file_mb:.0f} MB): {huge_mb:.0f} MB, "
            f"of which {idle_mb:.0f} MB are the interpreter and its libraries"
        )
        long_mb = peak_mb(
            f"from pathlib import Path\nfrom tests.bench.reduction import by_deepen\n"
            f"by_deepen(Path({str(long[0])!r}), Path({str(long[1])!r}))"
        )
        size = long[0].stat().st_size / 2**20
        console.print(f"peak memory for {N_SAMPLES:,} host-stamped samples ({size:.0f} MB of CSV): {long_mb:.0f} MB")
