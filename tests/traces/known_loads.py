"""Devices whose energy is known, logs of them, and what a test asks of a reduction of such a log."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import numpy as np

from harness import api

NOON_S = 1772625600.0
"""2026-03-04 12:00 in UTC."""
WATTS = {"idle_mw": 6000.0, "busy_mw": 28000.0}


@dataclass(frozen=True)
class Device:
    """A device that computes in bursts of equal length, which are its inferences.

    Attributes:
        idle_mw, busy_mw: power outside and within the bursts.
        first_s, length_s, every_s, n: start of the first, length, distance and number of bursts.
        tail_s: seconds after the last.
    """

    idle_mw: float = 3100.0
    busy_mw: float = 9200.0
    first_s: float = 60.0
    length_s: float = 20.0
    every_s: float = 40.0
    n: int = 5
    tail_s: float = 60.0

    @property
    def starts_s(self) -> np.ndarray:
        return self.first_s + self.every_s * np.arange(self.n)

    @property
    def end_s(self) -> float:
        return float(self.starts_s[-1]) + self.length_s + self.tail_s

    @property
    def energy_mj(self) -> float:
        """Energy of one inference."""
        return self.busy_mw * self.length_s

    def power_mw(self, time_s: float) -> float:
        is_busy = ((self.starts_s <= time_s) & (time_s < self.starts_s + self.length_s)).any()
        return self.busy_mw if is_busy else self.idle_mw

    def used_mj(self, time_s: float) -> float:
        """Energy since the start."""
        busy_s = np.clip(time_s - self.starts_s, 0, self.length_s).sum()
        return float(self.idle_mw * time_s + (self.busy_mw - self.idle_mw) * busy_s)

    def windows(self, folder: Path, start_s: float = NOON_S) -> Path:
        """File of the inferences, in microseconds."""
        lines = ["start_us,end_us"]
        spans = [(start, start + self.length_s) for start in start_s + self.starts_s]
        lines += [f"{round(start * 1e6)},{round(end * 1e6)}" for start, end in spans]
        path = folder / "run_inference_time.csv"
        path.write_text("\n".join(lines) + "\n")
        return path


BOARD = Device()
SHORT = Device(**WATTS, first_s=20, length_s=5, every_s=10, n=9, tail_s=15)
PHONE = Device(600.0, 2400.0, first_s=4, length_s=0.03, every_s=0.1, n=70, tail_s=1)


def run(folder: Path, lines: list[str], device: Device, start_s: float = NOON_S, **options) -> api.ReducedRun:
    """A log, reduced."""
    power = folder / "run_power.csv"
    power.write_text("\n".join(lines) + "\n")
    (reduced,) = api.reduce(power, device.windows(folder, start_s), **options)
    return reduced


def assert_right(reduced: api.ReducedRun, energy_mj: float) -> None:
    """Whether there is an energy, its uncertainty covers the true one, and is below 10 %."""
    found = reduced.as_json()
    assert not reduced.has_errors, reduced.faults
    assert abs(found["energy_mj"] - energy_mj) <= found["energy_u_mj"] < 0.1 * energy_mj


def fix_of(reduced: api.ReducedRun, rule: str) -> str:
    """Fix of the first finding under a rule; there is no energy."""
    assert reduced.has_errors
    assert reduced.as_json()["energy_mj"] is None
    return next(fault.fix for fault in reduced.faults if fault.rule == rule)


def times(device: Device, interval_s: float, phase_s: float) -> list[float]:
    return np.arange(phase_s, device.end_s, interval_s).tolist()


def rows(device: Device, interval_s: float, write: Callable[[float, float], str], start_s=NOON_S, *, is_mean=False):
    """A row for every instant, or for the mean over the interval before it."""
    lines = []
    for time in times(device, interval_s, interval_s if is_mean else 0.03 * interval_s):
        power = device.power_mw(time)
        if is_mean:
            power = (device.used_mj(time) - device.used_mj(time - interval_s)) / interval_s
        lines.append(write(start_s + time, power))
    return lines


def clock(time_s: float, zone: tzinfo = UTC, form: str = "%Y-%m-%d %H:%M:%S.%f") -> str:
    return datetime.fromtimestamp(round(time_s, 6), zone).strftime(form)


def fix_of_unread(reduced: api.ReducedRun) -> str:
    """Fix for a log that could not be read."""
    assert not reduced.is_readable
    return reduced.faults[0].fix


def followed(folder: Path, reduced: api.ReducedRun, rule: str) -> api.ReducedRun:
    """The run again, after rows and the inferences that touch a span are deleted as the fixes ask."""
    power, inferences = (folder / name for name in ("run_power.csv", "run_inference_time.csv"))
    lines, windows = power.read_text().splitlines(), inferences.read_text().splitlines()
    faults = [fault for fault in reduced.faults if fault.rule == rule and fault.line]
    for fault in faults:
        start_us, end_us = (float(text) * 1e6 for text in re.findall(r"from (\S+) to (\S+) s", fault.fix)[0])
        spans = [tuple(map(int, window.split(","))) for window in windows[1:]]
        windows = [windows[0], *(f"{a},{b}" for a, b in spans if b < start_us or a > end_us)]
    deleted = {fault.line for fault in faults}
    power.write_text("".join(f"{line}\n" for number, line in enumerate(lines, 1) if number not in deleted))
    inferences.write_text("\n".join(windows) + "\n")
    return api.reduce(power, inferences)[0]
