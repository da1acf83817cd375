"""Submitted traces compared with their rows: bytes, clock, windows, and the energy that follows from them.

How a trace becomes an energy is in `harness.traces`; how it is compared, in `harness.validation.trace_energy` and
`harness.validation.trace_figures`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from harness.issues import suggested
from harness.numbers import number
from harness.schema.facts import BoundFile, Manifest, Trace
from harness.schema.vocabulary import Level
from harness.traces.formats import TraceOptions, trace_formats
from harness.traces.reduction import Reduction
from harness.traces.runs import Run
from harness.traces.settings import ReductionSettings
from harness.traces.store import ReductionStore, content_of, sha256_of
from harness.traces.trace import TraceFault
from harness.validation import fact_faults
from harness.validation.boundary import boundary_fault, meter_fault
from harness.validation.faults import Faults, contained
from harness.validation.layout import TRACES_FOLDER, entries_of, report_link, shown_path
from harness.validation.registry import RULES
from harness.validation.text import report_unreadable
from harness.validation.trace_choices import choice_faults, needs_plain
from harness.validation.trace_energy import energy_fault
from harness.validation.trace_figures import figure_faults

_NO_ENERGY: Final = {"trace-unit", "trace-order"}
"""Faults with which a recomputed energy means nothing."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One campaign whose traces are checked.

    Attributes:
        folder: campaign folder.
        shown: its manifest's name in messages.
        lines: line of each part of the manifest.
        tables: rows by level.
        seen: where each trace's bytes were met first, over all campaigns of a validation.
        reductions: reductions made so far, over all campaigns of a validation.
        faults: collects what is wrong.
    """

    folder: Path
    shown: str
    lines: Mapping[fact_faults.Path, int]
    tables: Mapping[Level, pa.Table]
    seen: dict[str, str]
    reductions: ReductionStore
    faults: Faults

    def path(self, name: str) -> Path:
        """Path of a file in the folder of traces."""
        return self.folder / TRACES_FOLDER / name

    def line(self, place: fact_faults.Path) -> int:
        """Line of a part of the manifest, or of what holds it."""
        return next(self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines)

    def report(
        self, rule: str, place: fact_faults.Path, *, found: str, expected: str, fix: str, is_value: bool = False
    ) -> None:
        """Report a fault of one part of the manifest."""
        self.faults.add(
            rule,
            self.shown,
            line=self.line(place),
            column=".".join(place),
            found=found,
            expected=expected,
            fix=fix,
            is_value=is_value,
        )

    def report_trace(self, fault: TraceFault, place: fact_faults.Path) -> None:
        """Report a finding of a trace reader or of the reduction: in the file it is about, or where that is bound."""
        if fault.source is None:
            self.report(fault.rule, place, found=fault.found, expected=fault.expected, fix=fault.fix)
            return
        shown = shown_path(self.path(fault.source))
        self.faults.add(fault.rule, shown, line=fault.line, found=fault.found, expected=fault.expected, fix=fault.fix)


def check_traces(manifest: Manifest, context: TraceContext) -> None:
    """Report traces that are not as bound, and rows whose energy does not follow from theirs."""
    if not _check_folder(manifest, context):
        return
    for position, trace in enumerate(manifest.traces):
        place = ("traces", str(position))
        with contained(context.shown, context.faults, context.line(place)):
            _check_trace(trace, place, manifest, context)


def _check_folder(manifest: Manifest, context: TraceContext) -> bool:
    """Report what lies in the folder of traces and should not; whether bound files can be looked for."""
    folder = context.folder / TRACES_FOLDER
    if folder.is_symlink():
        # Reported where the entries of a campaign are looked at.
        return False
    if not folder.exists():
        return True
    if not folder.is_dir():
        fix = "Make a folder of this name and put the traces into it, or remove the file."
        context.faults.add(
            "path-unknown", shown_path(folder), found="a file of this name", expected="a folder of traces", fix=fix
        )
        return False
    bound = {file.file for trace in manifest.traces for _, file in _files(trace)}
    for path in entries_of(folder, context.faults):
        if path.is_symlink():
            report_link(path, context.faults)
        elif path.is_dir():
            fix = "Put its files into traces/ itself and bind them, or remove it."
            context.faults.add(
                "trace-unbound", shown_path(path), found="a folder", expected="files that are bound", fix=fix
            )
        elif path.name not in bound:
            fix = "Bind it under traces: with its SHA-256, or remove it."
            found, expected = "a file that submission.yaml does not bind", "files that are bound"
            context.faults.add("trace-unbound", shown_path(path), found=found, expected=expected, fix=fix)
    return True


def _check_trace(trace: Trace, place: fact_faults.Path, manifest: Manifest, context: TraceContext) -> None:
    row = _selected_row(trace, (*place, "where"), context)
    files = _files(trace)
    if sum(_has_bound_bytes(file, (*place, name), context) for name, file in files) < len(files):
        return
    is_shared = _is_seen(trace.power.sha256, "other bytes than those", trace, place, context)
    reduction = _reduction(trace, place, manifest, context)
    if reduction is None:
        return
    if not is_shared and len(reduction.energies_mj):
        # Other bytes with every figure alike are a copy with a comment or a line end changed.
        figures = (reduction.n_samples, reduction.idle_power_mw, reduction.energies_mj.tobytes())
        digest = hashlib.sha256(repr(figures).encode()).hexdigest()
        _is_seen(digest, "other samples than those", trace, place, context)
    is_wider = boundary_fault(manifest, reduction)
    if is_wider is not None:
        context.report_trace(is_wider, place)
    is_better = meter_fault(manifest, trace_formats()[trace.format])
    if is_better is not None:
        context.report_trace(is_better, place)
    plain = _plain_reduction(trace, manifest, context) if needs_plain(trace, row) else None
    for choice in choice_faults(trace, row, reduction, plain):
        context.report_trace(choice, place)
    if row is None or _NO_ENERGY & {fault.rule for fault in reduction.faults}:
        return
    if reduction.energy_mj is not None:
        deviation = energy_fault(trace, row, reduction)
        # Where the energy is another one, the other figures are as well.
        for fault in [deviation] if deviation is not None else figure_faults(trace, row, reduction):
            context.report_trace(fault, place)
    elif not any(RULES[fault.rule].severity == "error" for fault in reduction.faults):
        found = f"none of {reduction.n_inferences} inferences of {trace.inferences.file} can be used"
        fix = "Bind a trace that was recorded without a break."
        expected = "at least one that no gap reaches into"
        context.report("trace-energy", place, found=found, expected=expected, fix=fix)


def _is_seen(content: str, expected: str, trace: Trace, place: fact_faults.Path, context: TraceContext) -> bool:
    """Report a trace whose content another result has; whether it has."""
    here = f"{context.shown}:{context.line(place)}, {'.'.join(place)}"
    first = context.seen.setdefault(content, here)
    if first == here:
        return False
    context.report(
        "trace-shared",
        (*place, "power", "file"),
        found=trace.power.file,
        expected=f"{expected} of the trace in {first}",
        fix="Give each result the trace it was measured with.",
        is_value=True,
    )
    return True


def _files(trace: Trace) -> Sequence[tuple[str, BoundFile]]:
    files = (("power", trace.power), ("inferences", trace.inferences), ("baseline", trace.baseline))
    return [(name, file) for name, file in files if file is not None]


def _has_bound_bytes(file: BoundFile, place: fact_faults.Path, context: TraceContext) -> bool:
    path = context.path(file.file)
    if path.is_symlink():
        # Reported as an entry of the folder.
        return False
    if not path.is_file():
        fix = "Add the file, or remove the entry."
        if path.exists():
            fix = "Put the file itself in its place."
        context.report(
            "trace-missing",
            (*place, "file"),
            found=file.file,
            expected=f"a file in {TRACES_FOLDER}/",
            fix=fix,
            is_value=True,
        )
        return False
    try:
        digest = sha256_of(path)
    except OSError as error:
        report_unreadable(shown_path(path), error, context.faults)
        return False
    if digest != file.sha256:
        expected = f"{digest}, the SHA-256 of {TRACES_FOLDER}/{file.file}"
        fix = "Restore the file that was measured; if it is the right one, write its SHA-256 here."
        context.report("trace-hash", (*place, "sha256"), found=file.sha256, expected=expected, fix=fix, is_value=True)
        return False
    return True


def _selected_row(trace: Trace, place: fact_faults.Path, context: TraceContext) -> dict[str, Any] | None:
    """Row that a trace is bound to; None where there is not one, or where its table could not be read."""
    file = f"{trace.level}.csv"
    table = context.tables.get(trace.level)
    if table is None:
        if not (context.folder / file).exists():
            context.report(
                "trace-row",
                (*place[:-1], "level"),
                found=trace.level,
                expected="the level of a table that is here",
                fix=f"Add {file}, or correct the level.",
                is_value=True,
            )
        return None
    unknown = [name for name in trace.where if name not in table.column_names]
    for name in unknown:
        otherwise = "Select the row by its columns."
        _, fix = suggested(name, table.column_names, f"Did you mean {{}}? {otherwise}", otherwise)
        context.report(
            "trace-row", (*place, name), found="no such column", expected=f"a column of {trace.level}.csv", fix=fix
        )
    if unknown:
        return None
    selection = table.select(list(trace.where)).to_pylist()
    chosen = [position for position, cells in enumerate(selection) if selects(trace, cells)]
    if len(chosen) == 1:
        return dict(table.slice(chosen[0], 1).to_pylist()[0])
    columns = ", ".join(f"{name} {wanted}" for name, wanted in trace.where.items())
    found = f"{len(chosen)} rows of {file} with {columns}"
    fix = "Add columns until one row is left." if chosen else "Write the cells as they stand in the row."
    context.report("trace-row", place, found=found, expected="one row", fix=fix)
    return None


def selects(trace: Trace, cells: Mapping[str, Any]) -> bool:
    """Whether a row of the table that a trace names is the one that it is bound to."""
    return all(name in cells and _is_cell(cells[name], wanted) for name, wanted in trace.where.items())


def _is_cell(value: object, wanted: str) -> bool:
    """Whether a cell of a table is what a manifest writes for it.

    >>> _is_cell(12.4, "12.400"), _is_cell(False, "false"), _is_cell(None, "None")
    (True, True, False)
    """
    if value is None:
        return not wanted
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, int | float):
        return number(wanted) == value
    if isinstance(value, list):
        return wanted == ";".join(map(str, value))
    return wanted == value


def _reduction(trace: Trace, place: fact_faults.Path, manifest: Manifest, context: TraceContext) -> Reduction | None:
    """Reduction of a bound trace; None where it cannot be read."""
    formats = list(trace_formats())
    if trace.format not in formats:
        otherwise = "Write the format that the meter's software exports."
        _, fix = suggested(trace.format.lower(), formats, f"Did you mean {{}}? {otherwise}", otherwise)
        expected = "one of " + ", ".join(formats)
        context.report(
            "trace-format", (*place, "format"), found=trace.format, expected=expected, fix=fix, is_value=True
        )
        return None
    reduction = _reduced(trace, _run(trace, manifest, context), context)
    if isinstance(reduction, TraceFault):
        context.report_trace(reduction, place)
        return None
    for fault in reduction.faults if reduction is not None else ():
        context.report_trace(fault, place)
    return reduction


def _plain_reduction(trace: Trace, manifest: Manifest, context: TraceContext) -> Reduction | None:
    """Reduction with every window and without a baseline, to compare choices with; its faults say nothing new."""
    run = _run(trace, manifest, context)
    run = replace(run, baseline=None, settings=replace(run.settings, n_skipped=0))
    reduction = _reduced(trace, run, context)
    return reduction if isinstance(reduction, Reduction) else None


def _run(trace: Trace, manifest: Manifest, context: TraceContext) -> Run:
    return Run(
        context.path(trace.power.file),
        context.path(trace.inferences.file),
        None if trace.baseline is None else context.path(trace.baseline.file),
        trace.n_each,
        trace.format,
        TraceOptions(trace.channel, trace.sampling_hz, trace.timezone, trace.voltage_v, trace.layout),
        settings=ReductionSettings(
            accuracy=None if manifest.meter is None else manifest.meter.accuracy,
            offset_s=trace.offset_s or 0.0,
            drift_ppm=trace.drift_ppm or 0.0,
            n_skipped=trace.n_skipped,
        ),
    )


def _reduced(trace: Trace, run: Run, context: TraceContext) -> Reduction | TraceFault | None:
    """Reduction of a run, or the fault that keeps it from being read; None where a file cannot be opened."""
    digests = {context.path(file.file): file.sha256 for _, file in _files(trace)}
    try:
        return context.reductions.reduce(run, content_of(run, digests.__getitem__))
    except OSError as error:
        report_unreadable(shown_path(run.power), error, context.faults)
        return None
