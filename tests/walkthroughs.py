"""Files of the pages that walk through a measurement: a board and a phone that run 20 inferences, with their meters."""

import random
from pathlib import Path

START_S = 1_780_000_000
N_INFERENCES = 20
WINDOWS_S = [(3 + 0.9 * number, 3.6 + 0.9 * number) for number in range(N_INFERENCES)]
"""Starts and ends of the inferences in seconds since the start of the trace: 3 s of idle, then 0.6 s of each 0.9 s."""
_SECONDS = 24.0
_CLOCK_OFFSET_S = 0.08
"""How far the clock of the phone is ahead of that of its meter."""


def is_busy(at_s: float) -> bool:
    """Whether an inference runs at a time."""
    return any(start <= at_s < end for start, end in WINDOWS_S)


def write_plain_run(folder: Path, name: str = "mnv2", start_s: float = START_S, hz: int = 200) -> Path:
    """A plain trace of a board at 5 V, 520 mA at rest and 1100 mA in inferences, with its log of inferences."""
    rng = random.Random(7)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["time_s,voltage_v,current_ma"]
    for sample in range(int(_SECONDS * hz)):
        current = (1100 if is_busy(sample / hz) else 520) + rng.gauss(0, 3)
        lines.append(f"{start_s + sample / hz:.3f},5.0,{current:.1f}")
    (folder / f"{name}_power.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_inferences(folder / f"{name}_inference_time.csv", start_s)
    return folder


def write_inferences(path: Path, start_s: float = START_S) -> None:
    """Log of the inferences in microseconds."""
    rows = [f"{round((start_s + start) * 1e6)},{round((start_s + end) * 1e6)}" for start, end in WINDOWS_S]
    path.write_text("\n".join(["start_us,end_us", *rows]) + "\n", encoding="utf-8")


def write_ina_run(folder: Path) -> None:
    """What a logger of an INA219 beside a Raspberry Pi writes, 200 rows a second."""
    rng = random.Random(11)
    lines = ["timestamp_ms,bus_voltage_V,current_mA,power_W"]
    for sample in range(int(_SECONDS * 200)):
        current = (1100 if is_busy(sample / 200) else 520) + rng.gauss(0, 3)
        volts = 5.1 - 0.00008 * current
        lines.append(f"{START_S * 1000 + sample * 5},{volts:.3f},{current:.1f},{volts * current / 1000:.4f}")
    (folder / "mnv2_power.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_inferences(folder / "mnv2_inference_time.csv")


def write_pymonsoon_run(folder: Path) -> None:
    """What PyMonsoon writes of a phone at 4.2 V: seconds since the start of the trace, 5000 a second."""
    rng = random.Random(13)
    lines = ["Time(ms),Main(mA),Main Voltage(V),"]
    for sample in range(int(_SECONDS * 5000)):
        current = (900 if is_busy(sample / 5000) else 240) + rng.gauss(0, 4)
        lines.append(f"{sample / 5000:.4f},{current:.2f},{4.2 - 0.0001 * current:.4f},")
    (folder / "mnv2_power.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_inferences(folder / "mnv2_inference_time.csv", _CLOCK_OFFSET_S)


WRITERS = {"measure-raspberry-pi": write_ina_run, "measure-phone": write_pymonsoon_run}
"""What writes the files of each page, by the name of the page."""
