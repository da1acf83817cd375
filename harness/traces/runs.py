"""Runs of a folder: which files belong together, and their reductions, many at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from joblib import Parallel, delayed, parallel_config

from harness.errors import UsageError
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences, read_n_each
from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.trace import TraceFault, TraceFormatError

_POWER: Final = "_power.csv"
_INFERENCES: Final = "_inference_time.csv"
_ENERGY: Final = "-energy.bin"
_MARKS: Final = "-timestamps.json"


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
    """

    power: Path
    inferences: Path
    baseline: Path | None = None
    n_each: int = 1
    format: str | None = None
    options: TraceOptions = field(default_factory=TraceOptions)

    @property
    def name(self) -> str:
        """Name of the run, from its trace."""
        return self.power.name.removesuffix(_POWER).removesuffix(_ENERGY).removesuffix(self.power.suffix)


def find_runs(folder: Path) -> list[Run]:
    """Runs below a folder, in order of their paths.

    A run is `NAME_power.csv` with `NAME_inference_time.csv`, and `baseline.csv` beside them where there is one; or
    EnergyRunner's `NAME-energy.bin` with `NAME-timestamps.json` and `results.txt`.

    Raises:
        UsageError: there is none.
    """
    runs = []
    for power in sorted(folder.rglob(f"*{_POWER}")):
        inferences = power.with_name(power.name.removesuffix(_POWER) + _INFERENCES)
        baseline = power.with_name("baseline.csv")
        if inferences.is_file():
            runs.append(Run(power, inferences, baseline if baseline.is_file() else None))
    for power in sorted(folder.rglob(f"*{_ENERGY}")):
        marks, results = power.with_name(power.name.removesuffix(_ENERGY) + _MARKS), power.with_name("results.txt")
        if marks.is_file() and results.is_file():
            runs.append(Run(power, marks, n_each=read_n_each(results)))
    if not runs:
        raise UsageError(f"{folder.as_posix()} holds no run: NAME{_POWER} with NAME{_INFERENCES}, or NAME{_ENERGY}")
    return runs


def reduce_run(run: Run) -> Reduction | TraceFault:
    """Reduction of one run, or the fault that keeps it from being read."""
    try:
        baseline = None if run.baseline is None else open_trace(run.baseline, run.format, run.options)
        trace = open_trace(run.power, run.format, run.options)
        return reduce_trace(trace, read_inferences(run.inferences, run.n_each), baseline)
    except TraceFormatError as error:
        return error.fault


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
        backend: joblib's back end: `loky`, `threading`, or `dask` with a running cluster.
        on_run: called with each run's name when it is done.

    Raises:
        UsageError: the back end is not installed.
    """
    try:
        with parallel_config(backend=backend, n_jobs=n_jobs):
            done = Parallel(return_as="generator")(delayed(reduce_run)(run) for run in runs)
            reductions = []
            for run, reduction in zip(runs, done, strict=True):
                on_run(run.name)
                reductions.append(reduction)
    except (ImportError, ValueError) as error:
        raise UsageError(f"joblib back end {backend!r}: {error}") from error
    return reductions
