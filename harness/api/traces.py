"""Power traces: reduced to energy per inference, and drawn."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from harness.api.arguments import AnyPath, OnStep, silent
from harness.api.meters import read_layout, stated_accuracy
from harness.errors import UsageError
from harness.traces.formats import TraceOptions
from harness.traces.reduction import Reduction
from harness.traces.runs import Run, find_runs, reduce_runs, windows_of
from harness.traces.settings import ReductionSettings
from harness.traces.trace import TraceFault
from harness.validation import RULES

_ENERGIES: Final = (
    "energy_mj", "energy_u_mj", "energy_median_mj", "energy_std_mj", "energy_idle_subtracted_mj",
    "energy_idle_subtracted_u_mj",
)  # fmt: skip
_FIGURES: Final = (
    "n_samples", "sampling_hz", "resolution_ms", "n_inferences", "n_used", "n_skipped", *_ENERGIES, "idle_power_mw",
    "idle_u_mw", "latency_ms", "power_mw", "boundary", "rails", "offset_s", "offset_u_s", "drift_ppm",
    "applied_offset_s", "applied_drift_ppm", "clock_residual_ms", "uncertainty",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReducedRun:
    """A run with what its trace gives.

    Attributes:
        run: its files.
        reduction: energy per inference in mJ and what goes with it, or the fault that keeps the trace from being read.
    """

    run: Run
    reduction: Reduction | TraceFault

    @property
    def faults(self) -> tuple[TraceFault, ...]:
        """All findings about the run."""
        return (self.reduction,) if isinstance(self.reduction, TraceFault) else self.reduction.faults

    @property
    def is_readable(self) -> bool:
        """Whether the trace could be read."""
        return not isinstance(self.reduction, TraceFault)

    @property
    def has_errors(self) -> bool:
        """Whether a finding is an error, so that the energy cannot be used."""
        return any(RULES[fault.rule].severity == "error" for fault in self.faults)

    def as_json(self) -> dict[str, Any]:
        """The run as `deepen reduce --format json` gives it; null where unknown, and no energy where it is refused."""
        figures = {} if isinstance(self.reduction, TraceFault) else asdict(self.reduction)
        if self.has_errors:
            figures |= {**dict.fromkeys(_ENERGIES), "uncertainty": ()}
        issues = [asdict(fault) | {"severity": RULES[fault.rule].severity} for fault in self.faults]
        return {
            "trace": self.run.power.as_posix(),
            **{name: figures.get(name) for name in _FIGURES},
            "issues": issues,
        }


def reduce(
    trace: AnyPath,
    inferences: AnyPath | None = None,
    baseline: AnyPath | None = None,
    *,
    n_each: int = 1,
    trace_format: str | None = None,
    channel: str | None = None,
    timezone: str | None = None,
    voltage_v: float | None = None,
    sampling_hz: float | None = None,
    layout: AnyPath | None = None,
    is_aligned: bool = False,
    offset_s: float | None = None,
    drift_ppm: float | None = None,
    n_skipped: int = 0,
    skips_warm_up: bool = False,
    meter_gain_percent: float | None = None,
    meter_offset_mw: float | None = None,
    n_jobs: int = -1,
    backend: str = "loky",
    on_step: OnStep = silent,
) -> list[ReducedRun]:
    """Reduce a power trace, or every run of a folder, to energy per inference.

    Args:
        trace: power trace, or a folder of runs.
        inferences: file with start and end of every inference; a folder of runs has its own.
        baseline: trace of the idle device.
        n_each: inferences in each window.
        trace_format: name of the trace format; recognised where it is None.
        channel: power column or rail, of several; A+B is their sum.
        timezone: zone of stamps that state none.
        voltage_v: supply voltage in V of a meter that logs only current.
        sampling_hz: sampling rate in Hz of a log without time stamps.
        layout: YAML file that states the columns of a table of any tool.
        is_aligned: whether to find the offset between the two clocks and to apply it.
        offset_s: seconds to add to the windows, found earlier.
        drift_ppm: drift of the windows to undo in ppm, found with the offset.
        n_skipped: windows to leave out at the beginning.
        skips_warm_up: whether to find the windows of the warm-up and to leave them out.
        meter_gain_percent: limit of error of the meter in % of its reading; unknown without it and the next.
        meter_offset_mw: limit of error of the meter at zero, in mW.
        n_jobs: processes for a folder of runs; -1 for one per core.
        backend: joblib's back end: `loky`, `threading`, or `dask` (the cluster at DASK_SCHEDULER_ADDRESS).
        on_step: called with each run's name when it is reduced, and with the number of runs.

    Returns:
        One result per run, in order of their paths; energies in mJ, latency in ms, power in mW.

    Raises:
        UsageError: a file or format does not exist, a folder has no run, or a file is missing.

    Examples:
        >>> from harness import api
        >>> (run,) = api.reduce("run_power.csv", "run_inference_time.csv")
        >>> run.reduction.n_used, round(run.reduction.energy_mj, 1)
        (4, 62.5)
    """
    if is_aligned and (offset_s is not None or drift_ppm is not None):
        raise UsageError("an offset is either found (--align) or stated (--offset), not both")
    options = TraceOptions(channel, sampling_hz, timezone, voltage_v, read_layout(layout))
    accuracy = stated_accuracy(meter_gain_percent, meter_offset_mw)
    clock: dict[str, Any] = {"offset_s": offset_s or 0.0, "drift_ppm": drift_ppm or 0.0, "is_aligned": is_aligned}
    settings = ReductionSettings(accuracy, n_skipped=n_skipped, skips_warm_up=skips_warm_up, **clock)
    found = _runs(Path(trace), inferences, baseline, n_each)
    runs = [replace(run, format=trace_format, options=options, settings=settings) for run in found]
    reductions = reduce_runs(
        runs,
        n_jobs=n_jobs if len(runs) > 1 else 1,
        backend=backend,
        on_run=lambda name: on_step(name, len(runs)),
    )
    return [ReducedRun(run, reduction) for run, reduction in zip(runs, reductions, strict=True)]


def _runs(trace: Path, inferences: AnyPath | None, baseline: AnyPath | None, n_each: int) -> list[Run]:
    """Runs of a folder, or the one of a trace.

    Raises:
        UsageError: a folder has none, or brings its own files; or a trace has no inferences.
    """
    if trace.is_dir():
        if inferences or baseline:
            raise UsageError("a folder of runs brings its own inferences and baselines; name one trace")
        return find_runs(trace)
    windows = windows_of(trace) if inferences is None else Path(inferences)
    return [Run(trace, windows, None if baseline is None else Path(baseline), n_each)]
