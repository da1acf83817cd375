"""Reads a meter in a process of its own, and keeps every raw reading with the time at which it was taken.

A thread would wait for the thread that runs the network. A counter is kept when it changes, so that the time of a
reading is that of the change; a sensor is kept as often as its value changes. A process that is left alone ends.

Times of readings and of windows are of one monotonic clock. It is tied once to the clock of the calendar, so that both
files count from 1970; a calendar clock that is set meanwhile moves neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple, TextIO

from deepen_measure.errors import MeasureError
from deepen_measure.meter import Meter
from deepen_measure.meters import the_meter

_OBSERVED_S = 2.0
_FEWEST_CHANGES = 8
_POLLS_PER_UPDATE = 10
_SHORTEST_POLL_S = 0.0005
_SHORTEST_PERIOD_S = 0.005
"""Time between two readings that are kept, at least: more would cost power that is measured as well."""
_FROZEN_S = 30.0
_FLUSH_S = 1.0
_BEGUN = "recording"


class Clock:
    """The monotonic clock, tied to the calendar once.

    Args:
        monotonic_ns: a moment of the monotonic clock; now where None.
        wall_ns: the same moment since 1970.
    """

    def __init__(self, monotonic_ns: int | None = None, wall_ns: int | None = None) -> None:
        self.monotonic_ns = time.monotonic_ns() if monotonic_ns is None else monotonic_ns
        self.wall_ns = time.time_ns() if wall_ns is None else wall_ns

    def now_ns(self) -> int:
        """Nanoseconds since 1970 that never go back."""
        return self.wall_ns + time.monotonic_ns() - self.monotonic_ns


class Updates(NamedTuple):
    """How often the value of a meter changes, as observed.

    Attributes:
        period_s: median time between changes.
        n_changes: changes that were observed.
        reading_s: time that one reading takes, the median.
    """

    period_s: float
    n_changes: int
    reading_s: float


def observe(meter: Meter, longest_s: float = _FROZEN_S) -> Updates:
    """How often the value of a meter changes, by reading it as fast as it can be read.

    Args:
        meter: meter.
        longest_s: seconds after which a value that did not change is frozen.

    Raises:
        MeasureError: the value does not change.
    """
    begin = time.monotonic()
    last, changes, readings = meter.read(), [], []
    while True:
        before = time.monotonic()
        value = meter.read()
        now = time.monotonic()
        readings.append(now - before)
        if value != last:
            changes.append(now)
            last = value
        seconds = now - begin
        if seconds > _OBSERVED_S and len(changes) > _FEWEST_CHANGES:
            break
        if seconds > longest_s:
            if len(changes) > 1:
                break
            raise MeasureError(
                f"{meter.facts.title}: {len(changes)} changes in {seconds:.0f} s",
                "a value that changes while the device runs",
                "The meter is frozen, or updates too rarely to measure anything with it.",
            )
        time.sleep(_SHORTEST_POLL_S)
    steps = sorted(after - before for before, after in zip(changes, changes[1:]))
    return Updates(steps[len(steps) // 2], len(changes), sorted(readings)[len(readings) // 2])


class Recorder:
    """Keeps the log of a meter while a `with` block runs.

    Args:
        meter: meter.
        root: what `/` is.
        path: log.
        clock: clock of the stamps.
        updates: how often the meter's value changes.
    """

    def __init__(self, meter: Meter, root: Path, path: Path, clock: Clock, updates: Updates) -> None:
        facts = meter.facts
        self._asked = {
            "root": str(root), "meter": facts.name, "rails": facts.rails, "path": str(path),
            "clock": [clock.monotonic_ns, clock.wall_ns], "updates": updates,
        }  # fmt: skip

    def __enter__(self) -> Recorder:
        here = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
        self._process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", __spec__.name, json.dumps(self._asked)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": here},
        )  # fmt: skip
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if line.strip() != _BEGUN:
            self._end()
            raise _fault_of(line)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        line = self._end()
        if line and kind is None:
            raise _fault_of(line)

    def check(self) -> None:
        """Look whether the meter is still read.

        Raises:
            MeasureError: the meter could no longer be read.
        """
        if self._process.poll() is not None:
            raise _fault_of(self._end())

    def _end(self) -> str:
        """End the process; what it said last."""
        if self._process.stdin is None or self._process.stdin.closed:
            return ""
        self._process.stdin.close()
        line = self._process.stdout.read()  # type: ignore[union-attr]
        self._process.stdout.close()  # type: ignore[union-attr]
        self._process.wait()
        return line


def _fault_of(line: str) -> MeasureError:
    try:
        return MeasureError(*json.loads(line))
    except (TypeError, ValueError):
        return MeasureError("the process that reads the meter ended", "its readings", "Look at its message above.")


def _log(meter: Meter, file: TextIO, clock: Clock, updates: Updates, is_over: threading.Event) -> None:
    """Write readings until it is over.

    Raises:
        MeasureError: the meter can no longer be read, or a counter no longer changes.
    """
    is_counter = meter.facts.kind == "counter"
    period_s = max(updates.period_s, _SHORTEST_PERIOD_S)
    poll_s = max(updates.period_s / _POLLS_PER_UPDATE, _SHORTEST_POLL_S)
    frozen_s = max(_FROZEN_S, 10 * updates.period_s)
    last: tuple[str, ...] = ()
    kept_s = due_s = flushed_s = time.monotonic()
    while not is_over.is_set():
        before_ns = clock.now_ns()
        reading = meter.read()
        # A reading takes some time; its value is of the middle of it, at most half of that off.
        stamp_ns = (before_ns + clock.now_ns()) // 2
        now_s = time.monotonic()
        if reading != last or not is_counter:
            file.write(meter.record(f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d}", reading))
            last, kept_s = reading, now_s
            due_s = max(due_s + period_s, now_s)
        elif now_s - kept_s > frozen_s:
            found = f"{meter.facts.title}: a counter that did not change for {now_s - kept_s:.0f} s"
            raise MeasureError(found, "one that counts while the device runs", "Look at dmesg; begin the run again.")
        if now_s - flushed_s > _FLUSH_S:
            file.flush()
            flushed_s = now_s
        is_over.wait(max(due_s - now_s, poll_s if is_counter else 0))


def _main(text: str) -> int:
    """Read a meter until the standard input ends."""
    asked = json.loads(text)
    is_over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        is_over.set()

    threading.Thread(target=wait, daemon=True).start()
    try:
        meter = the_meter(Path(asked["root"]), asked["meter"], tuple(asked["rails"]))
        with Path(asked["path"]).open("w", encoding="utf-8", newline="\n") as file:
            file.write(meter.header)
            print(_BEGUN, flush=True)  # noqa: T201
            _log(meter, file, Clock(*asked["clock"]), Updates(*asked["updates"]), is_over)
    except MeasureError as error:
        print(json.dumps([error.found, error.expected, error.fix]), flush=True)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
