"""Folders of power logs with the inferences beside them, for every trace format that declares such a source.

It knows neither a meter nor how its logs are read; that is in `harness.traces.formats`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from harness.errors import UsageError
from harness.intake.facts import declared_device
from harness.intake.foreign import ForeignSourceError, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.run_mapping import (
    RunFacts,
    RunMapping,
    read_run_mapping,
    require_known_runs,
    unstated_mapping,
    with_facts,
)
from harness.intake.stated import FACTS, StatedFacts, filled, open_facts
from harness.intake.traced import ForeignRun, TracedRows, boundary_facts, identifier_of, issues_of, traced_rows
from harness.issues import Issue
from harness.schema.facts import Device
from harness.schema.vocabulary import MeterKind
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences
from harness.traces.runs import BASELINE, INFERENCES, logged_run, run_name
from harness.traces.settings import ReductionSettings
from harness.traces.stamps import zone_of
from harness.traces.trace import TraceFormatError

Number = TypeVar("Number", int, float)

_FIRST_EPOCH_S: Final = 1e8
"""Smaller stamps count from the start of a log, not from 1970."""
_MOST_NOTES: Final = 2000
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class _Log:
    """A log of a source.

    Attributes:
        path: the file.
        name: name of its run.
        source_id: path in the source.
    """

    path: Path
    name: str
    source_id: str


def log_intake(form: TraceFormat, source: RunSource) -> IntakeFormat:
    """Intake of folders of logs in a trace format.

    Args:
        form: format of the logs, whose name the intake has as well.
        source: what the format declares of such folders.
    """
    return IntakeFormat(form.name, source.title, partial(_read, form, source), facts=FACTS)


def _read(form: TraceFormat, about: RunSource, source: Path, options: IntakeOptions) -> ForeignTable:
    stated = options.stated
    content, logs = _content(form, about, source, options)
    meter = _known_meter(form, about, content["submission"].get("meter") or {}, stated)
    mapping = with_facts(content, stated, meter)
    if stated.model is not None and len(logs) > 1:
        names = ", ".join(log.name for log in logs[:_MOST_NAMES])
        raise UsageError(f"--model names one run, and there are {len(logs)}: {names}; a mapping names each")
    declared = declared_device(options.device)
    device = declared or mapping.device
    delegates = [] if device is None else list(device.delegates)
    only = delegates[0] if len(delegates) == 1 else ""
    traced = traced_rows([_run(log, form.name, mapping, stated, only) for log in logs])
    submission = _submission(mapping, meter, traced)
    new_device = None if mapping.device is None else mapping.device.model_dump(mode="json", exclude_unset=True)
    if declared is not None:
        new_device = _filled_device(declared, new_device, stated)
    rows = [row.cells for row in traced.rows if not row.faults]
    return ForeignTable(
        level="models",
        rows=traced.rows,
        submission=submission,
        device=new_device,
        traces=traced.files,
        reductions=traced.reductions,
        open_facts=list(open_facts(new_device, submission, rows)),
    )


def _filled_device(declared: Device, found: Mapping[str, Any] | None, stated: StatedFacts) -> dict[str, Any]:
    """A device that is there already, with what was not stated in it.

    Raises:
        UsageError: the caller states another name or class.
    """
    device = filled(declared.model_dump(mode="json", exclude_unset=True), found or {})
    for name, value in (("name", stated.device_name), ("device_class", stated.device_class)):
        if value is not None and device[name] != value:
            option = f"--{'device-' * (name == 'name')}{name.replace('_', '-')}"
            raise UsageError(
                f"device.yaml is there and states the {name} {device[name]!r}; correct it there, or leave {option} out"
            )
    return device


def _content(
    form: TraceFormat, about: RunSource, source: Path, options: IntakeOptions
) -> tuple[dict[str, Any], list[_Log]]:
    """Contents of the mapping, or of one for logs that come without; and the logs."""
    stated = options.stated
    others = {stated.inferences}
    if options.mapping is None:
        logs = _known_logs(source, about.endings, others)
        day = stated.date or _day_of(logs, form.name, stated)
        return unstated_mapping(form.name, day), logs
    kind = form.meter_kind if about.meter else None
    document, shown = read_run_mapping(options.mapping, form.name, kind)
    others |= {run.inferences for run in document.fact.runs.values()}
    logs = _known_logs(source, about.endings, others)
    if source.is_dir():
        require_known_runs(document, {log.name for log in logs}, shown)
    return document.fact.model_dump(mode="json", exclude_unset=True), logs


def _known_meter(form: TraceFormat, about: RunSource, mapped: Mapping[str, Any], stated: StatedFacts) -> dict[str, str]:
    """Name and kind of the meter that wrote the logs.

    Raises:
        UsageError: the format leaves either open, and nothing states it.
    """
    if about.meter:
        return {"name": about.meter, "kind": form.meter_kind}
    name, kind = stated.meter or mapped.get("name"), stated.meter_kind or mapped.get("kind")
    if name is None or kind is None:
        kinds = ", ".join(get_args(MeterKind))
        raise UsageError(
            f"{form.name} files do not state the meter; give --meter NAME, its maker and model, and --meter-kind, "
            f"how it measures: one of {kinds}"
        )
    return {"name": name, "kind": kind}


def _known_logs(source: Path, endings: tuple[str, ...], others: set[str | None]) -> list[_Log]:
    """Logs of a source that has some.

    Raises:
        UsageError: there is none.
    """
    logs = _logs(source, endings, others)
    if not logs:
        wanted = " or ".join(f"NAME{ending}" for ending in endings)
        raise UsageError(f"{source.as_posix()} holds no run: {wanted} with NAME{INFERENCES}")
    return logs


def _day_of(logs: Sequence[_Log], format_name: str, stated: StatedFacts) -> str:
    """Day of the first stamp that has a date, of a log or of its inferences.

    Raises:
        UsageError: none has one, so that the day is unknown.
        ForeignSourceError: none that can be read has one, and others cannot be read.
        TraceOptionError: there is no such time zone.
    """
    options = TraceOptions(stated.channel, stated.sampling_hz, stated.timezone, stated.voltage_v, stated.layout)
    zone = zone_of(stated.timezone) or UTC
    faults: list[Issue] = []
    for log in logs:
        run = logged_run(log.path, log.name, inferences=stated.inferences)
        if run.fault is not None:
            faults += issues_of(log.source_id, [run.fault])
        try:
            starts_s = [open_trace(log.path, format_name, options).start_s]
            starts_s += read_inferences(run.inferences).starts_s[:1].tolist() if run.fault is None else []
        except TraceFormatError as error:
            faults += issues_of(log.source_id, [error.fault])
            continue
        for start_s in starts_s:
            if start_s > _FIRST_EPOCH_S:
                return datetime.fromtimestamp(start_s, zone).date().isoformat()
    if faults:
        raise ForeignSourceError(faults)
    raise UsageError(f"the {format_name} logs have no date; state when they were made with --date, or in a mapping")


def _logs(source: Path, endings: tuple[str, ...], others: set[str | None]) -> list[_Log]:
    """Logs of a source, in order of their paths; neither inferences nor baselines."""
    if source.is_file():
        return [_Log(source, run_name(source), identifier_of(Path(source.name)))]
    logs = []
    for path in sorted(source.rglob("*")):
        is_log = path.name.endswith(endings)
        is_other = path.name.endswith(INFERENCES) or path.stem == BASELINE or path.name in others
        if is_log and not is_other and path.is_file():
            logs.append(_Log(path, run_name(path), identifier_of(path.relative_to(source))))
    return logs


def _run(log: _Log, format_name: str, mapping: RunMapping, stated: StatedFacts, only_delegate: str) -> ForeignRun:
    """A run with what was run: as the caller states it, otherwise as the mapping does, or by the device's delegate."""
    facts = mapping.runs.get(log.name, RunFacts())
    meter = mapping.submission.meter
    run = logged_run(
        log.path,
        log.name,
        inferences=stated.inferences or facts.inferences,
        n_each=stated.n_each if stated.n_each > 1 else facts.n_each,
        format_name=format_name,
        options=TraceOptions(
            stated.channel or facts.channel or mapping.channel,
            stated.sampling_hz or facts.sampling_hz or mapping.sampling_hz,
            mapping.timezone,
            mapping.voltage_v,
            mapping.layout,
        ),
        settings=ReductionSettings(
            accuracy=None if meter is None else meter.accuracy,
            offset_s=_first(stated.offset_s, facts.offset_s, mapping.offset_s) or 0.0,
            drift_ppm=_first(stated.drift_ppm, facts.drift_ppm, mapping.drift_ppm) or 0.0,
            is_aligned=stated.is_aligned,
            n_skipped=_first(stated.n_skipped or None, facts.n_skipped, mapping.n_skipped) or 0,
            skips_warm_up=stated.skips_warm_up,
        ),
    )
    cells = {"model": log.name, "delegate": only_delegate, **facts.cells, **_cells(stated)}
    return ForeignRun(log.source_id, run, cells)


def _cells(stated: StatedFacts) -> dict[str, str]:
    """Cells that the caller states for all runs."""
    cells = {name: value for name in ("model", "family", "dtype") if (value := getattr(stated, name)) is not None}
    return cells | stated.delegate_cell


def _first(*values: Number | None) -> Number | None:
    """First value that is stated."""
    return next((value for value in values if value is not None), None)


def _submission(mapping: RunMapping, meter: dict[str, Any], traced: TracedRows) -> dict[str, Any]:
    """Contents of submission.yaml: those of the mapping, with what the traces add to them."""
    stated = mapping.submission.model_dump(mode="json", exclude_unset=True)
    rate, idle = traced.sampling_hz, traced.idle_mw
    added = boundary_facts(traced.reduced)
    if rate is not None:
        meter = {**meter, "sampling_hz": rate}
    if idle is not None and idle > 0:
        added["idle"] = {"power_mw": idle, "how": "Mean power of the idle device over its own trace, the baseline."}
    notes = [stated.get("notes", ""), *_notes(traced)]
    while len(text := " ".join(filter(None, notes))) > _MOST_NOTES:
        notes.pop()
    return {
        **stated,
        "method": "measured",
        "meter": {**meter, **stated.get("meter", {})},
        **{name: value for name, value in added.items() if name not in stated},
        "notes": text,
        "traces": list(traced.bindings),
    }


def _notes(traced: TracedRows) -> list[str]:
    notes = ["Energies are absolute, each the mean over the inferences of its trace."]
    if traced.idles_mw:
        notes.append(f"The idle device draws {_range(traced.idles_mw)} mW; nothing was subtracted for it.")
    if traced.rates_hz and traced.sampling_hz is None:
        notes.append(f"Traces were sampled at {_range(traced.rates_hz)} Hz.")
    return notes


def _range(values: Sequence[float]) -> str:
    """Lowest and highest of some figures.

    >>> _range([4982.31, 4990.0]), _range([5.0])
    ('4982 to 4990', '5')
    """
    return " to ".join(dict.fromkeys(f"{value:.4g}" for value in (min(values), max(values))))
