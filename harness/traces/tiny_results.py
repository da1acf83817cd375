"""Energy runs of MLPerf Tiny from v1.3 on: trials with samples and windows in one `results.json`.

A trial has the energy of every millisecond in joules, and the numbers of the samples at which the device raised its
mark; the last two enclose the counted inferences. Trials follow each other here without the time between them, which
the file does not state, and no window reaches over a border.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from harness.traces.logs import refuse_long_list
from harness.traces.trace import Reals, TraceFault, TraceFormatError

RATE_HZ: Final = 1000.0
"""Samples a second of an energy run; the file states none, and the runner computes with this one."""
_NS_EACH: Final = 1_000_000
_START: Final = re.compile(r"\s*\[\s*\{")
_HEAD_CHARACTERS: Final = 4096
_FIX: Final = "Take results.json of an energy run as the runner wrote it."
_TRIAL_FIX: Final = f"{_FIX} Where it wrote it so, delete the trial."


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials of an energy run, one after the other.

    Attributes:
        energies_uj: energy of every sample in µJ.
        starts_ns: start of the window of each trial in ns since the first sample.
        ends_ns: end of the window of each trial.
        n_each: inferences in each window.
    """

    energies_uj: Reals
    starts_ns: npt.NDArray[np.int64]
    ends_ns: npt.NDArray[np.int64]
    n_each: int


def is_tiny_results(text: str) -> bool:
    """Whether a file begins as the results of an energy run do.

    >>> is_tiny_results('[{"file": "a.bin", "infer": {"iterations": 10}, "power": {"samples": [1e-05')
    True
    """
    head = text[:_HEAD_CHARACTERS]
    return _START.match(head) is not None and '"infer"' in head and '"power"' in head and '"samples"' in head


def read_trials(text: str) -> Trials:
    """Trials of a file.

    Raises:
        TraceFormatError: it is not the results of an energy run, or its trials differ in their inferences.
    """
    refuse_long_list(text)
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise TraceFormatError(TraceFault("trace-format", "no JSON", "a list of trials", _FIX, line)) from error
    energies: list[Reals] = []
    edges: list[tuple[int, int]] = []
    counts = set()
    n_before = 0
    for number, entry in enumerate(entries, start=1):
        samples, (start, end), count = _trial(entry, number)
        edges.append((n_before + start, n_before + end))
        energies.append(samples * 1e6)
        counts.add(count)
        n_before += len(samples)
    if len(counts) != 1:
        found = f"{', '.join(map(str, sorted(counts)))} inferences in a trial"
        raise TraceFormatError(TraceFault("trace-format", found, "one number for all trials", _FIX))
    starts, ends = np.array(edges, dtype=np.int64).T * _NS_EACH
    return Trials(np.concatenate(energies), starts, ends, counts.pop())


def _trial(entry: Any, number: int) -> tuple[Reals, tuple[int, int], int]:
    """Samples in J, first and last sample of the window, and inferences in it."""
    try:
        samples = np.array([float(value) for value in entry["power"]["samples"]], dtype=np.float64)
        marks = [int(mark[1]) for mark in entry["power"]["timestamps"]]
        count = int(entry["infer"]["iterations"])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        expected = "power with samples and timestamps, and infer with iterations"
        raise TraceFormatError(
            TraceFault("trace-format", f"trial {number} without them", expected, _TRIAL_FIX)
        ) from error
    if len(marks) < 2 or not 0 <= marks[-2] < marks[-1] <= len(samples) or not 0 < count < 10**9:
        found = f"trial {number} with marks {marks[-2:]} in {len(samples)} samples and {count} inferences"
        raise TraceFormatError(TraceFault("trace-no-inference", found, "two marks that rise, and a count", _TRIAL_FIX))
    return samples, (marks[-2], marks[-1]), count
