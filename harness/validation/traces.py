"""Submitted traces against the rows they stand behind: bytes, clock, windows, and the energy that follows from them.

How a trace becomes an energy is in `harness.traces`; here it is only compared.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from harness.errors import UsageError
from harness.schema.facts import BoundFile, Manifest, Trace
from harness.schema.vocabulary import Level
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.trace import TraceFault, TraceFormatError
from harness.validation.faults import Faults
from harness.validation.layout import TRACES_FOLDER

ENERGY_TOLERANCE: Final = 0.005
"""Relative deviation of a stated from a recomputed energy that rounding and summation order explain."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One campaign whose traces are checked.

    Attributes:
        folder: campaign folder.
        shown: its manifest's name in messages.
        tables: rows by level.
        seen: where each trace's bytes were met first, over all campaigns of a validation.
        faults: collects what is wrong.
    """

    folder: Path
    shown: str
    tables: Mapping[Level, pa.Table]
    seen: dict[str, str]
    faults: Faults

    def report(self, rule: str, place: str, *, found: str, expected: str, fix: str) -> None:
        """Report a fault of one entry of the manifest."""
        self.faults.add(rule, self.shown, column=place, found=found, expected=expected, fix=fix)

    def report_trace(self, fault: TraceFault, place: str) -> None:
        """Report a finding of a trace reader or of the reduction."""
        line = "" if fault.line is None else f"line {fault.line}: "
        self.report(fault.rule, place, found=f"{line}{fault.found}", expected=fault.expected, fix=fault.fix)


def check_traces(manifest: Manifest, context: TraceContext) -> None:
    """Report traces that are not as bound, and rows whose energy does not follow from theirs."""
    bound = {file.file for trace in manifest.traces for file in _files(trace)}
    folder = context.folder / TRACES_FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in bound:
            fix = "Bind it under traces: with its SHA-256, or remove it."
            context.report(
                "trace-unbound", "traces", found=f"{TRACES_FOLDER}/{path.name}", expected="a bound file", fix=fix
            )
    for number, trace in enumerate(manifest.traces):
        _check_trace(trace, f"traces.{number}", context)


def _check_trace(trace: Trace, place: str, context: TraceContext) -> None:
    files = _files(trace)
    if sum(_has_bound_bytes(file, place, context) for file in files) < len(files):
        return
    here = f"{context.shown}, {place}"
    first = context.seen.setdefault(trace.power.sha256, here)
    if first != here:
        fix = "Give each result the trace it was measured with."
        expected = f"bytes unlike those of {first}"
        context.report("trace-shared", place, found=trace.power.file, expected=expected, fix=fix)
    row = _selected_row(trace, place, context)
    reduction = _reduction(trace, place, context)
    if row is not None and reduction is not None and reduction.energy_mj is not None:
        _check_energy(trace, row, reduction, place, context)


def _files(trace: Trace) -> Sequence[BoundFile]:
    return [file for file in (trace.power, trace.inferences, trace.baseline) if file is not None]


def _has_bound_bytes(file: BoundFile, place: str, context: TraceContext) -> bool:
    path = context.folder / TRACES_FOLDER / file.file
    if path.is_symlink() or not path.is_file():
        found, fix = f"no {TRACES_FOLDER}/{file.file}", "Add the file, or remove the entry."
        context.report("trace-missing", place, found=found, expected="the bound file", fix=fix)
        return False
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != file.sha256:
        found = f"{file.file} with SHA-256 {digest}"
        fix = "Restore the file that was measured; if it is the right one, bind it anew."
        context.report("trace-hash", place, found=found, expected=file.sha256, fix=fix)
        return False
    return True


def _selected_row(trace: Trace, place: str, context: TraceContext) -> dict[str, Any] | None:
    table = context.tables.get(trace.level)
    rows = [] if table is None else table.to_pylist()
    chosen = [row for row in rows if all(str(row.get(name)) == value for name, value in trace.where.items())]
    if len(chosen) == 1:
        return dict(chosen[0])
    selection = ", ".join(f"{name} {value}" for name, value in trace.where.items())
    found = f"{len(chosen)} rows of {trace.level}.csv for {selection}"
    context.report("trace-row", place, found=found, expected="one row", fix="Select one row by its columns.")
    return None


def _reduction(trace: Trace, place: str, context: TraceContext) -> Reduction | None:
    """Reduction of a bound trace; None where it cannot be read."""
    folder = context.folder / TRACES_FOLDER
    options = TraceOptions(channel=trace.channel, sampling_hz=trace.sampling_hz)
    try:
        power = open_trace(folder / trace.power.file, trace.format, options)
        inferences = read_inferences(folder / trace.inferences.file, trace.n_each)
        baseline = None if trace.baseline is None else open_trace(folder / trace.baseline.file, trace.format, options)
        reduction = reduce_trace(power, inferences, baseline)
    except TraceFormatError as error:
        context.report_trace(error.fault, place)
        return None
    except UsageError as error:
        fix = "Name format and channel as the message lists them."
        context.report("trace-format", place, found=trace.format, expected=str(error), fix=fix)
        return None
    for fault in reduction.faults:
        context.report_trace(fault, place)
    return reduction


def _check_energy(trace: Trace, row: dict[str, Any], reduction: Reduction, place: str, context: TraceContext) -> None:
    stated = float(row["energy_mj"])
    if row["is_idle_subtracted"]:
        kind, recomputed = "idle-subtracted", [reduction.energy_idle_subtracted_mj]
    else:
        kind, recomputed = "absolute", [reduction.energy_mj, float(np.median(reduction.energies_mj))]
    known = [energy for energy in recomputed if energy is not None]
    slack = max(ENERGY_TOLERANCE * stated, _stated_uncertainty(row))
    if known and min(known) - slack <= stated <= max(known) + slack:
        return
    context.report(
        "trace-energy",
        place,
        found=f"energy_mj {stated:g} in {trace.level}.csv",
        expected=f"{known[0]:.6g} ± {slack:.2g} mJ, {kind}, as its trace gives" if known else "a trace with idle power",
        fix="Correct the row, or bind the trace it was measured with.",
    )


def _stated_uncertainty(row: dict[str, Any]) -> float:
    """Two standard errors of the row's own spread, in mJ; 0 where it states none."""
    deviation, n_runs = row["energy_std_mj"], row["n_runs"]
    return float(2 * deviation / math.sqrt(n_runs)) if deviation and n_runs else 0.0
