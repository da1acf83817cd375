"""Runs of a folder: which files belong together, and their reductions, many at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.parallel import at_once
from harness.traces.formats import TraceOptions, open_trace, trace_formats
from harness.traces.inferences import read_inferences, read_n_each
from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.trace import PowerTrace, TraceFault, TraceFormatError

_POWER: Final = "_power.csv"
_INFERENCES: Final = "_inference_time.csv"
_ENERGY: Final = "-energy.bin"
_MARKS: Final = "-timestamps.json"
_RESULTS: Final = "results.txt"
_BASELINE: Final = "baseline.csv"


@dataclass(frozen=True, slots=True)
class Run:
    """Files of one run.

    Attributes:
        power: its trace.
        inferences: its windows.
        baseline: trace of the idle device, where there is one.
        n_each: inferences in each window.
        format: name of the trace format; None where it shall be recognised.
        options: what the files cannot say of themselves.
        fault: what keeps it from being reduced, where its files already tell.
    """

    power: Path
    inferences: Path
    baseline: Path | None = None
    n_each: int = 1
    format: str | None = None
    options: TraceOptions = field(default_factory=TraceOptions)
    fault: TraceFault | None = None

    @property
    def name(self) -> str:
        """Name of the run, from its trace."""
        return self.power.name.removesuffix(_POWER).removesuffix(_ENERGY).removesuffix(self.power.suffix)


def find_runs(folder: Path) -> list[Run]:
    """Runs below a folder, in order of their paths.

    A run is `NAME_power.csv` with `NAME_inference_time.csv`, and `baseline.csv` beside them where there is one; or
    EnergyRunner's `NAME-energy.bin` with `NAME-timestamps.json` and `results.txt`. A trace that lacks the others is a
    run with a fault, so that none is passed over without a word.

    Raises:
        UsageError: there is none.
    """
    runs = []
    for power in sorted(folder.rglob(f"*{_POWER}")):
        inferences = power.with_name(power.name.removesuffix(_POWER) + _INFERENCES)
        baseline = power.with_name(_BASELINE)
        fault = _missing(power, inferences)
        runs.append(Run(power, inferences, baseline if baseline.is_file() else None, fault=fault))
    for power in sorted(folder.rglob(f"*{_ENERGY}")):
        marks, results = power.with_name(power.name.removesuffix(_ENERGY) + _MARKS), power.with_name(_RESULTS)
        n_each, fault = 1, _missing(power, marks) or _missing(power, results)
        if fault is None:
            try:
                n_each = read_n_each(results)
            except TraceFormatError as error:
                fault = error.fault
        runs.append(Run(power, marks, n_each=n_each, fault=fault))
    if not runs:
        raise UsageError(f"{folder.as_posix()} holds no run: NAME{_POWER} with NAME{_INFERENCES}, or NAME{_ENERGY}")
    return runs


def _missing(power: Path, file: Path) -> TraceFault | None:
    """Fault of a trace whose other file is not beside it."""
    if file.is_file():
        return None
    fix = "Put the file beside the trace, or name both files instead of the folder."
    return TraceFault("trace-no-inference", f"no {file.name} beside {power.name}", "it beside the trace", fix)


def reduce_run(run: Run) -> Reduction | TraceFault:
    """Reduction of one run, or the fault that keeps it from being read.

    Raises:
        UsageError: the format that the run names is not known.
    """
    if run.fault is not None:
        return run.fault
    try:
        baseline = None if run.baseline is None else _open(run.baseline, run)
        trace = _open(run.power, run)
        return reduce_trace(trace, read_inferences(run.inferences, run.n_each), baseline)
    except TraceFormatError as error:
        return error.fault


def _open(path: Path, run: Run) -> PowerTrace:
    """Trace of a file of a run; one that looks like no format is faulty and does not keep other runs from theirs."""
    try:
        return open_trace(path, run.format, run.options)
    except UsageError as error:
        if run.format is not None:
            raise
        expected, fix = f"one of {', '.join(trace_formats())}", "Name its format, or export it in one of these."
        fault = TraceFault("trace-format", "a file that looks like no known format", expected, fix, source=path.name)
        raise TraceFormatError(fault) from error


def reduce_runs(
    runs: Sequence[Run],
    *,
    n_jobs: int = -1,
    backend: str = "loky",
    on_run: Callable[[str], None] = lambda _: None,
) -> list[Reduction | TraceFault]:
    """Reductions of many runs, in their order.

    Args:
        runs: what to reduce.
        n_jobs: processes; -1 takes every core.
        backend: joblib's back end: `loky`, `threading`, or `dask` (`harness.parallel`).
        on_run: called with each run's name when it is done.

    Raises:
        UsageError: a file does not exist, a format is not known, or the back end is not there.
    """
    for run in runs:
        files = [] if run.fault is not None else [run.power, run.inferences, run.baseline]
        for path in files:
            if path is not None and not path.is_file():
                raise UsageError(f"{path.as_posix()} is no file")
    reductions = []
    for run, reduction in zip(runs, at_once(reduce_run, runs, backend=backend, n_jobs=n_jobs), strict=True):
        on_run(run.name)
        reductions.append(reduction)
    return reductions
