"""Runs with a power trace into rows: every energy reduced from its trace, and the trace bound to its row by its bytes.

How a source names its files, and what it states about a run, is known to the formats.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from harness.intake.foreign import ForeignRow
from harness.issues import Issue
from harness.schema.quantities import FOLDER_NAME
from harness.schema.vocabulary import Level
from harness.traces.reduction import Reduction
from harness.traces.runs import Run
from harness.traces.store import ReductionStore, content_of, sha256_of
from harness.traces.trace import TraceFault
from harness.validation.faults import Faults
from harness.validation.registry import RULES
from harness.validation.table import IDENTIFIER

PUBLISHED_TOLERANCE: Final = 0.001
"""Relative deviation of a recomputed from a published figure that edges of windows and rounding explain."""
_RATE_DIGITS: Final = 4
"""Digits in which sampling rates are the same; clocks of hosts drift in the next."""


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One run of a foreign source.

    Attributes:
        source_id: path of its trace in the source, which is also the identifier of its row.
        run: its files, and how they are read.
        cells: what was run, by column of the schema; a figure that is given here is not taken from the trace.
        statistic: which of the energies of its windows the row states.
        published_mj: energy that the source publishes for the run, which the recomputed one must match.
        prefix: what the names of its files begin with under `traces/`.
        printed: what else the source states about it.
        faults: what was wrong with the statements of the source.
        level: record level of its row.
    """

    source_id: str
    run: Run
    cells: Mapping[str, str]
    statistic: Literal["mean", "median"] = "mean"
    published_mj: float | None = None
    prefix: str = ""
    printed: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[TraceFault, ...] = ()
    level: Level = "models"


@dataclass(frozen=True, slots=True)
class TracedRows:
    """Rows of runs, and what a submission needs beside them.

    Attributes:
        rows: a row for every run, in their order.
        files: traces to be kept, by their name under `traces/`.
        bindings: contents of `traces` in submission.yaml.
        reduced: what every trace that is kept gives.
        rates_hz: sampling rate of every trace that is kept, where it is known.
        idles_mw: idle power of every baseline that is kept.
        reductions: the reductions of the runs.
    """

    rows: Sequence[ForeignRow]
    files: Mapping[str, Path]
    bindings: Sequence[Mapping[str, Any]]
    reduced: Sequence[Reduction]
    rates_hz: Sequence[float]
    idles_mw: Sequence[float]
    reductions: ReductionStore

    @property
    def sampling_hz(self) -> float | None:
        """Rate of all traces; None where they have not one in common."""
        rates = {float(_digits(rate, _RATE_DIGITS)) for rate in self.rates_hz}
        return rates.pop() if len(rates) == 1 else None

    @property
    def idle_mw(self) -> float | None:
        """Idle power of all baselines; None where they have not one in common."""
        idles = {float(_digits(idle)) for idle in self.idles_mw}
        return idles.pop() if len(idles) == 1 else None


def identifier_of(path: PurePosixPath | Path) -> str:
    """Path as the identifier of a row, which is UTF-8 without spaces around it."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8").strip()


def traced_rows(runs: Sequence[ForeignRun]) -> TracedRows:
    """Reduce every run; one with an error becomes a row that states it and that binds nothing."""
    files, reductions = _Files(), ReductionStore()
    reduced = [_reduced(run.run, files, reductions) for run in runs]
    n_sharing = Counter(
        files.sha256(run.run.power)
        for run, reduction in zip(runs, reduced, strict=True)
        if isinstance(reduction, Reduction)
    )
    rows, bindings = [], []
    kept: list[Reduction] = []
    rates: list[float] = []
    idles: list[float] = []
    for run, reduction in zip(runs, reduced, strict=True):
        if isinstance(reduction, TraceFault):
            rows.append(faulty_row(run.source_id, (*run.faults, reduction), {**run.cells, **run.printed}, run.level))
            continue
        shared = _shared_faults(run, n_sharing[files.sha256(run.run.power)])
        faults = (*run.faults, *reduction.faults, *_energy_faults(run, reduction), *shared)
        cells = {**_figures(run, reduction), **run.cells}
        if any(RULES[fault.rule].severity == "error" for fault in faults):
            rows.append(faulty_row(run.source_id, faults, {**cells, **run.printed}, run.level))
            continue
        rows.append(ForeignRow(run.source_id, run.source_id, cells, run.printed, level=run.level))
        bindings.append(_binding(run, reduction, files))
        kept.append(reduction)
        rates += [] if reduction.sampling_hz is None else [reduction.sampling_hz]
        idles += [] if run.run.baseline is None or reduction.idle_power_mw is None else [reduction.idle_power_mw]
    return TracedRows(rows, files.kept, bindings, kept, rates, idles, reductions)


def faulty_row(
    source_id: str, faults: Iterable[TraceFault], printed: Mapping[str, str], level: Level = "models"
) -> ForeignRow:
    """Row of a run that cannot be used; everything known about it is kept as printed."""
    return ForeignRow(source_id, source_id, {}, printed, issues_of(source_id, faults), level)


def kept_traces(
    submission: Mapping[str, Any], files: Mapping[str, Path], accepted: Iterable[Mapping[str, str]]
) -> tuple[Mapping[str, Any], Mapping[str, Path]]:
    """Submission and files without the traces of rows that were not accepted.

    Args:
        submission: contents of submission.yaml, with the bindings of all rows.
        files: files of those bindings, by their name under `traces/`.
        accepted: cells of the accepted rows.
    """
    if not files:
        return submission, files
    known = {row[IDENTIFIER] for row in accepted}
    bindings = [binding for binding in submission["traces"] if binding["where"][IDENTIFIER] in known]
    names = {
        part["file"] for binding in bindings for part in binding.values() if isinstance(part, dict) and "file" in part
    }
    return {**submission, "traces": bindings}, {name: path for name, path in files.items() if name in names}


def _reduced(run: Run, files: "_Files", reductions: ReductionStore) -> Reduction | TraceFault:
    if run.fault is not None:
        return run.fault
    try:
        return reductions.reduce(run, content_of(run, files.sha256))
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        fix = "Put a plain file in its place that everybody may read."
        return TraceFault("file-unreadable", found, "a readable file", fix)


def _shared_faults(run: ForeignRun, n_runs: int) -> list[TraceFault]:
    """Fault of a run whose trace several runs have; which of them was measured with it is unknown."""
    if n_runs == 1:
        return []
    found = f"{run.run.power.name}, with the bytes of the trace of another run"
    fix = "Give each run the trace it was measured with."
    return [TraceFault("trace-shared", found, "a trace of its own", fix)]


def _energy_faults(run: ForeignRun, reduction: Reduction) -> list[TraceFault]:
    """Faults of a run whose trace gives no energy, or not the published one."""
    energy = _energy_mj(run, reduction)
    if energy is None:
        is_refused = any(RULES[fault.rule].severity == "error" for fault in reduction.faults)
        if is_refused or not reduction.n_inferences:
            return []
        found = f"none of {reduction.n_inferences} inferences can be used"
        fix = "Look for gaps of the trace at the inferences; where each has one, record the run again."
        return [TraceFault("trace-energy", found, "at least one that no gap reaches into", fix)]
    published = run.published_mj
    if published is None or abs(energy - published) <= PUBLISHED_TOLERANCE * published:
        return []
    found = f"a {run.statistic} of {energy:.6g} mJ from the trace"
    expected = f"{published:.6g} mJ within {PUBLISHED_TOLERANCE:.1%}, as the source publishes"
    fix = "Take the trace and the results of the same run."
    return [TraceFault("published-mismatch", found, expected, fix)]


def _energy_mj(run: ForeignRun, reduction: Reduction) -> float | None:
    return reduction.energy_median_mj if run.statistic == "median" else reduction.energy_mj


def _figures(run: ForeignRun, reduction: Reduction) -> dict[str, str]:
    """Cells that the trace gives; a spread is that of windows, of which each counts as one run."""
    energies = reduction.energies_mj
    if not len(energies):
        return {}
    figures = {
        "energy_kind": "absolute",
        "energy_mj": _energy_mj(run, reduction),
        "energy_u_mj": reduction.energy_u_mj,
        "latency_ms": reduction.latency_ms,
        "power_mw": reduction.power_mw,
        "n_runs": len(energies),
        "energy_std_mj": reduction.energy_std_mj,
        # Extremes of long windows are informative; those of single inferences are mostly noise.
        "energy_min_mj": float(energies.min()) if run.statistic == "median" else None,
        "energy_max_mj": float(energies.max()) if run.statistic == "median" else None,
    }
    return {
        name: value if isinstance(value, str) else _digits(value)
        for name, value in figures.items()
        if value is not None
    }


def _digits(value: float, n_digits: int = 9) -> str:
    """Figure in so many digits, which is as many as machines agree on."""
    return f"{value:.{n_digits}g}"


def issues_of(source_id: str, faults: Iterable[TraceFault]) -> tuple[Issue, ...]:
    """Issues of a row, one per rule, in files as the source has them."""
    by_rule: dict[str, list[TraceFault]] = {}
    for fault in faults:
        by_rule.setdefault(fault.rule, []).append(fault)
    collected = Faults()
    for rule, (first, *others) in by_rule.items():
        file = PurePosixPath(source_id).with_name(Path(first.source).name) if first.source else source_id
        found = first.found + (f", and {len(others)} more" if others else "")
        collected.add(rule, str(file), line=first.line, found=found, expected=first.expected, fix=first.fix)
    return tuple(collected.issues)


def boundary_facts(reductions: Sequence[Reduction]) -> dict[str, Any]:
    """Fields of submission.yaml about what the energies are of; none where the traces do not state the same."""
    boundaries = {reduction.boundary for reduction in reductions}
    rails = {reduction.rails for reduction in reductions}
    found = {
        "boundary": boundaries.pop() if len(boundaries) == 1 else None,
        "rails": list(rails.pop()) if len(rails) == 1 else None,
    }
    return {name: value for name, value in found.items() if value}


def _binding(run: ForeignRun, reduction: Reduction, kept: "_Files") -> dict[str, Any]:
    """Entry of `traces` in submission.yaml."""
    files, options, settings = run.run, run.run.options, run.run.settings
    is_moved = settings.is_aligned or settings.offset_s != 0
    layout = None if options.layout is None else options.layout.model_dump(mode="json", exclude_unset=True)
    binding = {
        "level": run.level,
        "where": {IDENTIFIER: run.source_id},
        "format": files.format,
        "power": kept.bind(files.power, run.prefix),
        "inferences": kept.bind(files.inferences, run.prefix),
        "baseline": None if files.baseline is None else kept.bind(files.baseline, ""),
        "channel": options.channel,
        "sampling_hz": options.sampling_hz,
        "timezone": options.timezone,
        "voltage_v": options.voltage_v,
        "layout": layout,
        "offset_s": reduction.applied_offset_s if is_moved else None,
        "drift_ppm": (reduction.applied_drift_ppm or None) if is_moved else None,
        "n_skipped": reduction.n_skipped or None,
        "n_each": files.n_each if files.n_each > 1 else None,
    }
    return {name: value for name, value in binding.items() if value is not None}


class _Files:
    """Files of a source, each hashed once, and those to be kept in one folder under names that it may hold."""

    def __init__(self) -> None:
        self.kept: dict[str, Path] = {}
        self._digests: dict[str, str] = {}
        self.sha256 = cache(sha256_of)

    def bind(self, path: Path, prefix: str) -> dict[str, str]:
        """Keep a file; a name that cannot be used, or is another file's, gives way to the file's digest."""
        digest, name = self.sha256(path), f"{prefix}{path.name}"
        is_taken = self._digests.get(name.casefold(), digest) != digest
        if is_taken or not re.fullmatch(FOLDER_NAME, name):
            suffix = path.suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", path.suffix) else ""
            name = f"{digest[:16]}{suffix}"
        self._digests[name.casefold()] = digest
        self.kept.setdefault(name, path)
        return {"file": name, "sha256": digest}
