"""The mapping file of formats whose source is a folder of traces: who measured, on which device, and what was run.

It states no energies; those follow from the traces.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, create_model, model_validator

from harness.intake.facts import yaml_bytes
from harness.intake.foreign import ForeignSourceError
from harness.intake.mapping import Text, mapping_document
from harness.intake.names import question
from harness.intake.stated import UNKNOWN, StatedFacts
from harness.schema.columns import Column, columns_of
from harness.schema.facts import (
    Device,
    DriftPpm,
    Fact,
    Manifest,
    NEach,
    NSkipped,
    OffsetS,
    SamplingHz,
    TableLayout,
    TimeZone,
    VoltageV,
)
from harness.schema.records import ROWS, in_groups
from harness.schema.vocabulary import UNSTATED_LICENCE, MeterKind
from harness.validation.documents import Document, read_fact
from harness.validation.faults import Faults

_DEFAULTS: Final = {"family": "unstated", "dtype": "unstated"}


def _cells() -> dict[str, Column]:
    """Columns of a row that a trace does not give: what was run, how, and under which conditions."""
    columns = columns_of(ROWS["models"])
    names = in_groups(ROWS["models"], "workload", "setting", "condition")
    # An intake gives absolute energies.
    return {name: columns[name] for name in names if name != "energy_kind"}


CELLS: Final = _cells()
"""Columns whose cells a mapping may state for each run."""


class MeasuredManifest(Manifest):
    """Contents of submission.yaml for traces; the meter may be left to the format."""

    method: Literal["measured"] = Field("measured", description="How the figures were obtained.")

    @model_validator(mode="after")
    def _measured_needs_a_meter(self) -> "MeasuredManifest":
        return self

    @model_validator(mode="after")
    def _binds_nothing_itself(self) -> "MeasuredManifest":
        if self.traces:
            raise ValueError("no traces, because the intake binds them")
        return self


if TYPE_CHECKING:
    _RunCells = Fact
else:
    _RunCells = create_model(
        "_RunCells",
        __base__=Fact,
        **{
            name: (Text | None, Field(_DEFAULTS.get(name), description=column.quantity.sentence))
            for name, column in CELLS.items()
        },
    )


class RunFacts(_RunCells):
    """What one run was, and what its log does not state: cells of its row, and how its trace is read."""

    inferences: str | None = Field(None, description="File of the inferences, beside the trace.")
    n_each: NEach = 1
    channel: str | None = Field(None, description="Power column or rail; that of all runs where left out.")
    sampling_hz: SamplingHz | None = Field(
        None, description="Rate of a log without time stamps; that of all runs if absent."
    )
    offset_s: OffsetS | None = Field(None, description="What is added to the windows; that of all runs if absent.")
    drift_ppm: DriftPpm | None = Field(None, description="Drift of the windows; that of all runs if absent.")
    n_skipped: NSkipped | None = Field(None, description="Windows left out as warm-up; those of all runs if absent.")

    @property
    def cells(self) -> dict[str, str]:
        """Cells of the run's row by column, without those that are left out."""
        return self.model_dump(include=set(CELLS), exclude_none=True)


class RunMapping(Fact):
    """What a folder of traces does not state itself, declared in a YAML file."""

    submission: MeasuredManifest = Field(description="Contents of submission.yaml.")
    device: Device | None = Field(None, description="Contents of device.yaml; needed where the device is new.")
    channel: str | None = Field(None, description="Power column or rail, where there are several.")
    sampling_hz: SamplingHz | None = Field(None, description="Rate of logs without time stamps.")
    timezone: TimeZone | None = Field(None, description="Zone of stamps that state none.")
    voltage_v: VoltageV | None = Field(None, description="Supply voltage of a meter that logs only current.")
    layout: TableLayout | None = Field(None, description="How tables are read, for the format table.")
    offset_s: OffsetS | None = Field(None, description="What is added to the windows.")
    drift_ppm: DriftPpm | None = Field(None, description="Drift of the windows that is undone.")
    n_skipped: NSkipped = 0
    runs: dict[str, RunFacts] = Field(default_factory=dict, description="What runs were, by their name.")


def unstated_mapping(format_name: str, day: str) -> dict[str, Any]:
    """Contents of a mapping for traces that come without one: the day is theirs, and everything else is unknown.

    Args:
        format_name: name of the format.
        day: day of the first trace, YYYY-MM-DD.
    """
    return {
        "submission": {
            "schema_version": 1,
            "title": f"Runs with {format_name} traces",
            "contributors": [UNKNOWN],
            "date": day,
            "runtime": UNKNOWN,
            "licence": UNSTATED_LICENCE,
            "source": {"citation": "Not stated."},
        },
        "device": {"name": UNKNOWN, "device_class": "unstated", "delegates": {"unstated": "heterogeneous"}},
    }


def with_facts(content: dict[str, Any], stated: StatedFacts, meter: dict[str, str]) -> RunMapping:
    """Mapping with what a caller states in place of what it has.

    Args:
        content: contents of the mapping.
        stated: what the caller states.
        meter: name and kind of the meter, where neither states it.

    Raises:
        ForeignSourceError: a stated fact is not as it should be.
    """
    submission, device = dict(content["submission"]), content.get("device")
    submission |= _given(stated, "date", "runtime", "licence", "boundary")
    if stated.rails:
        submission["rails"] = list(stated.rails)
    if stated.contributors:
        submission["contributors"] = list(stated.contributors)
        year = str(submission["date"])[:4]
        submission["source"] = {"citation": f"{', '.join(stated.contributors)}, {year}: own measurement."}
    if stated.identifier:
        submission["source"] = {**submission["source"], "identifier": stated.identifier}
    if about := _meter(stated, submission.get("meter"), meter):
        submission["meter"] = about
    if stated.device_name or stated.device_class or stated.delegates:
        device = dict(device or {"name": UNKNOWN, "device_class": "unstated", "delegates": {}})
        device |= {"name": stated.device_name or device["name"]}
        device |= {"device_class": stated.device_class or device["device_class"]}
        declared = {name: kind for name, kind in device["delegates"].items() if name != "unstated"}
        device["delegates"] = {**declared, **stated.delegates} or {"unstated": "heterogeneous"}
    own = _given(stated, "channel", "sampling_hz", "timezone", "voltage_v", "offset_s", "drift_ppm")
    own |= {"n_skipped": stated.n_skipped} if stated.n_skipped else {}
    own |= {"layout": stated.layout.model_dump(exclude_unset=True)} if stated.layout else {}
    changed = {**content, **own, "submission": submission, "device": device}
    faults = Faults()
    document = read_fact(yaml_bytes(changed), RunMapping, "the facts that are stated", faults)
    if document is None:
        raise ForeignSourceError([replace(issue, line=None) for issue in faults.issues])
    return document.fact


def _given(stated: StatedFacts, *names: str) -> dict[str, Any]:
    """Those of some facts that are stated."""
    return {name: getattr(stated, name) for name in names if getattr(stated, name) is not None}


def _meter(stated: StatedFacts, mapped: dict[str, Any] | None, known: dict[str, str]) -> dict[str, Any] | None:
    """The meter of a submission; None where the caller states nothing about it."""
    limits = _given(stated, "meter_gain_percent", "meter_offset_mw")
    if not (stated.meter or stated.meter_kind or limits):
        return mapped
    meter: dict[str, Any] = {**known, **(mapped or {})}
    meter |= {"name": stated.meter or meter["name"], "kind": stated.meter_kind or meter["kind"]}
    if limits:
        accuracy = {name.removeprefix("meter_"): limit for name, limit in limits.items()}
        meter["accuracy"] = accuracy | {"stated_by": "The contributor"}
    return meter


def read_run_mapping(path: Path, format_name: str, meter_kind: MeterKind | None) -> tuple[Document[RunMapping], str]:
    """Mapping in a file, and its name in messages; its meter is known to be one of the format's kind, where it has one.

    Raises:
        UsageError: there is no such file.
        ForeignSourceError: it has faults.
    """
    document, shown = mapping_document(path, RunMapping, "")
    meter = document.fact.submission.meter
    if meter is not None and meter_kind is not None and meter.kind != meter_kind:
        faults, place = Faults(), ("submission", "meter", "kind")
        fix = f"Write {meter_kind}, which is how {format_name} measures, or name another format."
        faults.add(
            "fact-value",
            shown,
            line=document.lines[place],
            column=".".join(place),
            found=meter.kind,
            expected=meter_kind,
            fix=fix,
        )
        raise ForeignSourceError(faults.issues)
    return document, shown


def require_known_runs(document: Document[RunMapping], known: Collection[str], shown: str) -> None:
    """Refuse a mapping that describes runs which the source does not have.

    Raises:
        ForeignSourceError: it does; the message asks about the most similar name.
    """
    faults = Faults()
    for name in document.fact.runs:
        if name not in known:
            faults.add(
                "fact-unknown",
                shown,
                line=document.lines["runs", name],
                column=f"runs.{name}",
                found="no run of the source",
                is_value=False,
                expected="one of " + ", ".join(sorted(known)),
                fix=question(name, known, "Write the name of the run as its trace has it, or remove the entry."),
            )
    if faults.issues:
        raise ForeignSourceError(faults.issues)
