"""How one network is measured: idle, warm-up, windows of back-to-back inferences, idle.

Idle before is a log of its own. The warm-up is in none, because the power outside the windows is compared with theirs.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from deepen_measure.errors import MeasureError
from deepen_measure.machine import state, temperatures
from deepen_measure.meter import Meter
from deepen_measure.recorder import Clock, Recorder, Updates
from deepen_measure.runtimes import Network

_BLOCK_S = 0.25
_STEADY_BLOCKS = 4
_STEADY = 0.02
_DRIFT = 0.03
_COOL_C = 2.0
POWER, BASELINE, INFERENCES = "power", "baseline", "inference_time.csv"


@dataclass(frozen=True)
class Protocol:
    """Lengths and counts of a measurement.

    Attributes:
        n_windows: windows of inferences.
        window_s: shortest window, in seconds.
        updates_per_window: updates of the meter's value in a window, at least.
        idle_s: seconds of idle before and after.
        pause_s: seconds of idle between windows.
        longest_warm_up_s: seconds after which an unsteady network is measured as it is, and said to be unsteady.
        longest_cool_down_s: seconds that are waited between networks for the temperature that the run began with.
        threads: threads that networks run with.
    """

    n_windows: int = 5
    window_s: float = 1.0
    updates_per_window: int = 100
    idle_s: float = 5.0
    pause_s: float = 0.5
    longest_warm_up_s: float = 20.0
    longest_cool_down_s: float = 60.0
    threads: int = 1

    def window_seconds(self, updates: Updates) -> float:
        """Seconds of one window with a meter."""
        return max(self.window_s, self.updates_per_window * updates.period_s)

    def network_seconds(self, updates: Updates) -> float:
        """Seconds that one network takes, at most, without cooling down."""
        windows = self.n_windows * (self.window_seconds(updates) + self.pause_s)
        return 2 * self.idle_s + self.longest_warm_up_s + windows

    def as_json(self) -> dict[str, object]:
        """Fields as they are written."""
        return asdict(self)


class Place(NamedTuple):
    """What a network is measured with.

    Attributes:
        root: what `/` is.
        meter: meter.
        updates: how often its value changes.
        clock: clock of readings and windows.
    """

    root: Path
    meter: Meter
    updates: Updates
    clock: Clock

    def log(self, folder: Path, name: str) -> Recorder:
        """Recorder of a log of a name."""
        return Recorder(self.meter, self.root, folder / log_name(self.meter, name), self.clock, self.updates)


def measure(network: Network, place: Place, protocol: Protocol, folder: Path) -> dict[str, Any]:
    """Measure one network: its logs and its windows are written, what was observed is returned.

    Args:
        network: network that is loaded.
        place: what it is measured with.
        protocol: lengths and counts.
        folder: where the files are written.

    Raises:
        MeasureError: the network or the meter fails.
    """
    root, clock = place.root, place.clock
    before = state(root)
    with place.log(folder, BASELINE):
        time.sleep(protocol.idle_s)
    latency_s, is_steady = _warmed_up(network, protocol)
    n_each = max(1, math.ceil(protocol.window_seconds(place.updates) / latency_s))
    windows = []
    with place.log(folder, POWER) as recorder:
        time.sleep(protocol.pause_s)
        for _ in range(protocol.n_windows):
            recorder.check()
            begin = clock.now_ns()
            network.run(n_each)
            windows.append((begin, clock.now_ns()))
            time.sleep(protocol.pause_s)
        time.sleep(protocol.idle_s)
    _write_windows(folder / INFERENCES, windows, n_each)
    latencies_ms = [(end - begin) / n_each / 1e6 for begin, end in windows]
    after = state(root)
    return {
        "n_each": n_each,
        "n_windows": len(windows),
        "latency_ms": median(latencies_ms),
        "before": before,
        "after": after,
        "findings": _findings(latencies_ms, is_steady, before, after),
    }


def log_name(meter: Meter, name: str) -> str:
    """Name of a log of a meter."""
    return f"{name}.csv" if meter.header else f"{name}.txt"


def cool_down(root: Path, begin: dict[str, float], longest_s: float) -> float:
    """Wait until every thermal zone is near what it was when the run began; seconds that it took.

    Args:
        root: what `/` is.
        begin: temperatures then, in °C.
        longest_s: seconds after which it is given up.
    """
    start = time.monotonic()
    while time.monotonic() - start < longest_s:
        now = temperatures(root)
        if all(now.get(zone, degrees) <= degrees + _COOL_C for zone, degrees in begin.items()):
            break
        time.sleep(1)
    return time.monotonic() - start


def _warmed_up(network: Network, protocol: Protocol) -> tuple[float, bool]:
    """Seconds of one inference when it is steady, and whether it became steady."""
    begin = time.monotonic()
    network.run(1)
    one_s = max(time.monotonic() - begin, 1e-9)
    blocks: list[float] = []
    while time.monotonic() - begin < protocol.longest_warm_up_s:
        n = max(1, math.ceil(_BLOCK_S / one_s))
        start = time.monotonic()
        network.run(n)
        one_s = max((time.monotonic() - start) / n, 1e-9)
        blocks.append(one_s)
        recent = blocks[-_STEADY_BLOCKS:]
        if len(recent) == _STEADY_BLOCKS and max(recent) - min(recent) <= _STEADY * median(recent):
            return median(recent), True
    return median(blocks[-_STEADY_BLOCKS:] or [one_s]), False


def _write_windows(path: Path, windows: list[tuple[int, int]], n_each: int) -> None:
    rows = "".join(f"{begin},{end},{n_each}\n" for begin, end in windows)
    path.write_text(f"start_ns,end_ns,n_inferences\n{rows}", encoding="utf-8")


def _findings(
    latencies_ms: list[float], is_steady: bool, before: dict[str, object], after: dict[str, object]
) -> list[str]:
    """Sentences about what may have spoilt the measurement."""
    found = []
    if not is_steady:
        found.append(f"the latency did not become steady within {_STEADY:.0%} during the warm-up")
    drift = latencies_ms[-1] / latencies_ms[0] - 1
    if abs(drift) > _DRIFT:
        found.append(f"the latency drifted by {drift:+.1%} from the first window to the last")
    if before["throttle_count"] != after["throttle_count"]:
        found.append(
            f"the processor was throttled: throttle_count {before['throttle_count']} to {after['throttle_count']}"
        )
    return found


def check_time(protocol: Protocol, updates: Updates, minutes: float | None, n_networks: int) -> float:
    """Seconds that a run takes at most.

    Raises:
        MeasureError: it takes longer than it may.
    """
    seconds = n_networks * protocol.network_seconds(updates)
    if minutes is not None and seconds > 60 * minutes:
        raise MeasureError(
            f"{n_networks} networks take up to {seconds / 60:.0f} minutes with a meter that updates every "
            f"{updates.period_s:.3g} s",
            f"at most {minutes:g} minutes",
            "Measure fewer networks at a time, or allow more --minutes; shorter windows would not resolve the energy.",
        )
    return seconds
