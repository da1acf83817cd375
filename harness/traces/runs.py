"""Runs of a folder: which files belong to one run, and their reductions, many in parallel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.issues import internal_fault
from harness.parallel import at_once
from harness.traces.findings import NAME_THE_LOG
from harness.traces.formats import TraceOptions, open_trace, trace_formats
from harness.traces.idle import IdlePower, idle_power
from harness.traces.inferences import read_inferences, read_n_each
from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.settings import ReductionSettings
from harness.traces.tiny_results import is_tiny_results
from harness.traces.trace import PowerTrace, TraceFault, TraceFormatError

_POWER: Final = "_power.csv"
INFERENCES: Final = "_inference_time.csv"
"""What the file of the inferences is named after the name of its run."""
BASELINE: Final = "baseline"
"""Name, without its ending, of the trace of the idle device."""
ENERGY: Final = "-energy.bin"
_MARKS: Final = "-timestamps.json"
RESULTS: Final = ("results.txt", "energy_results.txt")
"""Names of EnergyRunner's results, which state the number of inferences in each window."""


MLPERF_POWER: Final = "spl.txt"
"""Name of the power log of a run of MLPerf Inference."""
MLPERF_WINDOWS: Final = "mlperf_log_detail.txt"
"""Name of LoadGen's log of such a run, which states its window."""
TINY_RESULTS: Final = "results.json"
"""Name of the results of EnergyRunner from v1.3 on, which hold samples and windows."""
_HEAD_BYTES: Final = 4096
_NO_OPTIONS: Final = TraceOptions()
_NO_SETTINGS: Final = ReductionSettings()


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
        fault: what keeps it from being reduced, where that is known from its files.
        settings: how it is reduced.
    """

    power: Path
    inferences: Path
    baseline: Path | None = None
    n_each: int = 1
    format: str | None = None
    options: TraceOptions = _NO_OPTIONS
    fault: TraceFault | None = None
    settings: ReductionSettings = _NO_SETTINGS

    @property
    def name(self) -> str:
        """Name of the run, from its trace."""
        return run_name(self.power)


def run_name(power: Path) -> str:
    """Name of the run of a trace: its file without `_power` and endings, or its folder where the file is named alike.

    >>> run_name(Path("runs/mnv2_power.csv")), run_name(Path("mnv2_power.txt")), run_name(Path("mnv2/run_1/spl.txt"))
    ('mnv2', 'mnv2', 'run_1')
    """
    if power.name in (MLPERF_POWER, TINY_RESULTS) and power.parent.name:
        return power.parent.name
    name = power.name.removesuffix(".gz")
    name = name.removesuffix(ENERGY).removesuffix(Path(name).suffix)
    return name.removesuffix("_power") or name


def logged_run(
    power: Path,
    name: str,
    *,
    inferences: str | None = None,
    n_each: int = 1,
    format_name: str | None = None,
    options: TraceOptions = _NO_OPTIONS,
    settings: ReductionSettings = _NO_SETTINGS,
) -> Run:
    """Run of a power log, with the inferences and the baseline beside it.

    Args:
        power: the log.
        name: name of the run.
        inferences: name of the file of the inferences, where it is not that of the run.
        n_each: inferences in each window.
        format_name: name of the trace format; None where it shall be recognised.
        options: what the files cannot say of themselves.
        settings: how it is reduced.
    """
    windows = power.with_name(inferences or _windows_name(power, name))
    baseline = power.with_name(f"{BASELINE}{power.suffix}")
    idle = baseline if baseline.is_file() else None
    return Run(power, windows, idle, n_each, format_name, options, _missing(power, windows), settings)


def _windows_name(power: Path, name: str) -> str:
    """Name of the file of the inferences of a trace."""
    if power.name == MLPERF_POWER:
        return MLPERF_WINDOWS
    return TINY_RESULTS if power.name == TINY_RESULTS else f"{name}{INFERENCES}"


def windows_of(power: Path) -> Path:
    """File of the inferences of a trace, where its name follows from that of the trace.

    Raises:
        UsageError: it is not there.
    """
    windows = power.with_name(_windows_name(power, run_name(power)))
    if not windows.is_file():
        raise UsageError(
            f"--inferences FILE is needed: start and end of every inference (there is no {windows.as_posix()})"
        )
    return windows


def energyrunner_run(power: Path, format_name: str | None = None) -> Run:
    """Run of an EnergyRunner trace, with the marks and the results beside it.

    Args:
        power: the trace.
        format_name: name of the trace format; None where it shall be recognised.
    """
    if power.name == TINY_RESULTS:
        return Run(power, power, format=format_name)
    marks = power.with_name(power.name.removesuffix(ENERGY) + _MARKS)
    results = energyrunner_results(power.parent) or power.with_name(RESULTS[0])
    n_each, fault = 1, _missing(power, results)
    if fault is None:
        try:
            n_each = read_n_each(results)
        except TraceFormatError as error:
            fault = error.fault
    return Run(power, marks, n_each=n_each, format=format_name, fault=fault or _missing(power, marks))


def energyrunner_results(folder: Path) -> Path | None:
    """Results of the EnergyRunner runs of a folder; None where there are none."""
    return next((folder / name for name in RESULTS if (folder / name).is_file()), None)


def _missing(power: Path, file: Path) -> TraceFault | None:
    """Fault of a trace whose other file is not beside it."""
    if file.is_file():
        return None
    fix = "Put the file beside the trace; without it the energy of an inference is unknown."
    if file.name not in RESULTS:
        fix += f" {NAME_THE_LOG}"
    return TraceFault("trace-no-inference", f"no {file.name} beside {power.name}", "it beside the trace", fix)


def find_runs(folder: Path) -> list[Run]:
    """Runs below a folder, in order of their paths.

    A run is `NAME_power.csv` with `NAME_inference_time.csv`, and `baseline.csv` beside them where there is one;
    `spl.txt` of MLPerf Inference with `mlperf_log_detail.txt`; or EnergyRunner's `NAME-energy.bin` with
    `NAME-timestamps.json` and `results.txt`, from v1.3 on `results.json` of an energy run. A trace that lacks the
    others is a run with a fault, so that every trace is reported.

    Raises:
        UsageError: there is none.
    """
    logs = sorted([*folder.rglob(f"*{_POWER}"), *folder.rglob(MLPERF_POWER)])
    runs = [logged_run(power, run_name(power)) for power in logs]
    runs += [energyrunner_run(power) for power in sorted(folder.rglob(f"*{ENERGY}"))]
    runs += [energyrunner_run(power) for power in sorted(folder.rglob(TINY_RESULTS)) if has_samples(power)]
    if not runs:
        raise UsageError(
            f"{folder.as_posix()} holds no run: NAME{_POWER} with NAME{INFERENCES}, {MLPERF_POWER}, or NAME{ENERGY}"
        )
    return runs


def has_samples(results: Path) -> bool:
    """Whether a `results.json` is one of an energy run, with the samples of its trace."""
    with results.open("rb") as file:
        return is_tiny_results(file.read(_HEAD_BYTES).decode("utf-8", "replace"))


def baseline_power(run: Run) -> IdlePower | None:
    """Power of the idle device from the baseline of a run; None where it has none.

    Raises:
        TraceFormatError: the baseline cannot be read.
    """
    return None if run.baseline is None else idle_power(_open(run.baseline, run))


def reduce_run(run: Run, idle_of: Callable[[Run], IdlePower | None] = baseline_power) -> Reduction | TraceFault:
    """Reduction of one run, or the fault that keeps it from being read.

    Args:
        run: the run.
        idle_of: power of the idle device of a run.

    Raises:
        UsageError: the format that the run names is not known.
    """
    if run.fault is not None:
        return run.fault
    try:
        idle = idle_of(run)
        trace = _open(run.power, run)
        return reduce_trace(
            trace, read_inferences(run.inferences, run.n_each, run.options.timezone), idle, run.settings
        )
    except TraceFormatError as error:
        return error.fault
    except (UsageError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs are still reduced
        return TraceFault("internal-fault", **internal_fault(error), source=run.power.name)


def _open(path: Path, run: Run) -> PowerTrace:
    """Trace of a file of a run; one that looks like no format is faulty and does not keep other runs from theirs."""
    try:
        return open_trace(path, run.format, run.options)
    except UsageError as error:
        if run.format is not None:
            raise
        expected = f"one of {', '.join(trace_formats())}"
        fix = "Name its format with --as, or read any table by --layout FILE, which states its columns."
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
