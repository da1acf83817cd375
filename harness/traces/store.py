"""Reductions by the content of the files that they were made from, so that the same trace is reduced once.

It reads no submission and writes nothing; it lives as long as one intake or one validation.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.traces.format import TraceOptions
from harness.traces.idle import IdlePower
from harness.traces.reduction import Reduction
from harness.traces.runs import Run, baseline_power, reduce_run
from harness.traces.settings import ReductionSettings
from harness.traces.trace import TraceFault


@dataclass(frozen=True, slots=True)
class RunContent:
    """All that a reduction depends on: the SHA-256 of each file of a run, and how they are read.

    Attributes:
        power: SHA-256 of the trace.
        inferences: SHA-256 of the windows.
        baseline: SHA-256 of the trace of the idle device; None where there is none.
        n_each: inferences in each window.
        format: name of the trace format; None where it is recognised.
        options: what the files cannot say of themselves.
        settings: how they are reduced.
    """

    power: str
    inferences: str
    baseline: str | None
    n_each: int
    format: str | None
    options: TraceOptions
    settings: ReductionSettings


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_of(run: Run, sha256: Callable[[Path], str]) -> RunContent:
    """Content of a run whose files are all there."""
    baseline = None if run.baseline is None else sha256(run.baseline)
    power, inferences = sha256(run.power), sha256(run.inferences)
    return RunContent(power, inferences, baseline, run.n_each, run.format, run.options, run.settings)


class ReductionStore:
    """Reductions by the content of their files; the faults of each have the names of the files asked about."""

    def __init__(self) -> None:
        self._reductions: dict[RunContent, tuple[Run, Reduction | TraceFault]] = {}
        self._idles: dict[tuple[str, str | None, TraceOptions], IdlePower] = {}

    def reduce(self, run: Run, content: RunContent) -> Reduction | TraceFault:
        """Reduction of a run, or the fault that keeps it from being read; made where its content is new.

        Args:
            run: the run.
            content: content of its files.

        Raises:
            UsageError: the format that the run names is not known.
            OSError: a file cannot be read.
        """
        if content not in self._reductions:
            self._reductions[content] = run, reduce_run(run, lambda each: self._idle(each, content))
        first, reduction = self._reductions[content]
        names = _new_names(first, run)
        if isinstance(reduction, TraceFault):
            return _renamed(reduction, names)
        return replace(reduction, faults=tuple(_renamed(fault, names) for fault in reduction.faults))

    def _idle(self, run: Run, content: RunContent) -> IdlePower | None:
        """Power of the idle device; runs share their baselines."""
        if run.baseline is None or content.baseline is None:
            return None
        key = content.baseline, content.format, content.options
        if key not in self._idles:
            found = baseline_power(run)
            if found is None:
                return None
            self._idles[key] = found
        idle = self._idles[key]
        return replace(idle, faults=tuple(replace(fault, source=run.baseline.name) for fault in idle.faults))


def _new_names(first: Run, run: Run) -> Mapping[str | None, str]:
    """Names of the files of a run by those of the run with the same content that was reduced first."""
    pairs = ((first.power, run.power), (first.inferences, run.inferences), (first.baseline, run.baseline))
    return {old.name: new.name for old, new in pairs if old is not None and new is not None}


def _renamed(fault: TraceFault, names: Mapping[str | None, str]) -> TraceFault:
    return replace(fault, source=names.get(fault.source, fault.source))
