"""Folders of power logs with the inferences beside them, for every trace format that declares such a source.

It knows neither a meter nor how its logs are read; that is in `harness.traces.formats`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from harness.errors import UsageError
from harness.intake.facts import declared_device
from harness.intake.foreign import ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.run_mapping import (
    RunFacts,
    RunMapping,
    read_run_mapping,
    require_known_runs,
    unstated_mapping,
)
from harness.intake.traced import ForeignRun, TracedRows, identifier_of, traced_rows
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.formats import open_trace
from harness.traces.runs import BASELINE, INFERENCES, logged_run
from harness.traces.trace import TraceFormatError

_FIRST_EPOCH_S: Final = 1e8
"""Smaller stamps count from the start of a log, not from 1970."""
_MOST_NOTES: Final = 2000


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
    return IntakeFormat(form.name, source.title, partial(_read, form, source))


def _read(form: TraceFormat, about: RunSource, source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is None:
        logs = _known_logs(source, about.endings, set())
        mapping = unstated_mapping(form.name, _day_of(logs, form.name))
    else:
        document, shown = read_run_mapping(options.mapping, form.name, form.meter_kind)
        mapping = document.fact
        logs = _known_logs(source, about.endings, {run.inferences for run in mapping.runs.values()})
        if source.is_dir():
            require_known_runs(document, {log.name for log in logs}, shown)
    device = declared_device(options.device) or mapping.device
    delegates = [] if device is None else list(device.delegates)
    delegate = delegates[0] if len(delegates) == 1 else ""
    traced = traced_rows([_run(log, form.name, mapping, delegate) for log in logs])
    return ForeignTable(
        level="models",
        rows=traced.rows,
        submission=_submission(mapping, {"name": about.meter, "kind": form.meter_kind}, traced),
        device=None if mapping.device is None else mapping.device.model_dump(mode="json", exclude_unset=True),
        traces=traced.files,
        reductions=traced.reductions,
    )


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


def _day_of(logs: Sequence[_Log], format_name: str) -> str:
    """Day of the first stamp of the first log that has a date.

    Raises:
        UsageError: no log has one, so that the day is unknown.
    """
    for log in logs:
        try:
            start_s = open_trace(log.path, format_name).start_s
        except TraceFormatError:
            # What is wrong with the log is reported where its run is read.
            continue
        if start_s > _FIRST_EPOCH_S:
            return datetime.fromtimestamp(start_s, UTC).date().isoformat()
    raise UsageError(f"{format_name} logs without a date need --mapping FILE, which states when, by whom and on what")


def _logs(source: Path, endings: tuple[str, ...], others: set[str | None]) -> list[_Log]:
    """Logs of a source, in order of their paths; neither inferences nor baselines."""
    if source.is_file():
        ending = next((ending for ending in endings if source.name.endswith(ending)), source.suffix)
        return [_Log(source, source.name.removesuffix(ending), identifier_of(Path(source.name)))]
    logs = []
    for path in sorted(source.rglob("*")):
        found = next((ending for ending in endings if path.name.endswith(ending)), None)
        is_other = path.name.endswith(INFERENCES) or path.stem == BASELINE or path.name in others
        if found is not None and not is_other and path.is_file():
            logs.append(_Log(path, path.name.removesuffix(found), identifier_of(path.relative_to(source))))
    return logs


def _run(log: _Log, format_name: str, mapping: RunMapping, delegate: str) -> ForeignRun:
    facts = mapping.runs.get(log.name, RunFacts())
    run = logged_run(
        log.path,
        log.name,
        inferences=facts.inferences,
        n_each=facts.n_each,
        format_name=format_name,
        options=TraceOptions(facts.channel or mapping.channel, facts.sampling_hz or mapping.sampling_hz),
    )
    return ForeignRun(log.source_id, run, {"model": log.name, "delegate": delegate, **facts.cells})


def _submission(mapping: RunMapping, meter: dict[str, Any], traced: TracedRows) -> dict[str, Any]:
    """Contents of submission.yaml: those of the mapping, with what the traces add to them."""
    stated = mapping.submission.model_dump(mode="json", exclude_unset=True)
    rate, idle = traced.sampling_hz, traced.idle_mw
    added = {}
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
