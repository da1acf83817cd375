"""The mapping file of formats whose source is a folder of traces: who measured, on which device, and what was run.

It says nothing about energies; those follow from the traces.
"""

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.intake.foreign import ForeignSourceError
from harness.intake.mapping import Text, mapping_document
from harness.schema.facts import Device, Fact, Manifest, Source
from harness.schema.quantities import Quantity
from harness.schema.vocabulary import MeterKind
from harness.validation.documents import Document
from harness.validation.faults import Faults

Hertz = Annotated[
    float, Quantity("Hz", "Rate of a log without stamps.", "fact-value", "Give a number above 0 in Hz.", gt=0, le=1e9)
]
NEach = Annotated[int, Quantity("", "Inferences in each window.", "fact-value", "Give a whole number.", ge=1, le=10**9)]


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


class RunFacts(Fact):
    """What one run was, and what its log does not say."""

    model: Text | None = Field(None, description="Name of the network; that of the run where left out.")
    family: Text = Field("unstated", description="Family of the network.")
    variant: Text | None = Field(None, description="Variant within the family.")
    input_shape: Text | None = Field(None, description="Input extents joined by x.")
    dtype: Text = Field("unstated", description="Data type of weights and activations.")
    delegate: Text | None = Field(None, description="Delegate; that of the device where it has but one.")
    batch_size: Text | None = Field(None, description="Inputs processed together.")
    supply_mv: Text | None = Field(None, description="Supply voltage at the meter in mV.")
    inferences: str | None = Field(None, description="File of the inferences, beside the trace.")
    n_each: NEach = Field(1, description="Inferences in each window.")
    channel: str | None = Field(None, description="Power column or rail; that of all runs where left out.")
    sampling_hz: Hertz | None = Field(None, description="Rate of a log without stamps; that of all runs if left out.")


class RunMapping(Fact):
    """What a folder of traces does not say of itself, declared in a YAML file."""

    submission: MeasuredManifest = Field(description="Contents of submission.yaml.")
    device: Device | None = Field(None, description="Contents of device.yaml; needed where the device is new.")
    channel: str | None = Field(None, description="Power column or rail, where there are several.")
    sampling_hz: Hertz | None = Field(None, description="Rate of logs without stamps.")
    runs: dict[str, RunFacts] = Field(default_factory=dict, description="What runs were, by their name.")


def unstated_mapping(format_name: str, day: str) -> RunMapping:
    """Mapping of traces about which nothing was said: their day is theirs, and everything else is named as unknown.

    Args:
        format_name: name of the format.
        day: day of the first trace, YYYY-MM-DD.
    """
    unknown = "not stated"
    return RunMapping(
        submission=MeasuredManifest(
            schema_version=1,
            title=f"Runs with {format_name} traces",
            contributors=[unknown],
            date=day,
            runtime=unknown,
            licence="NOASSERTION",
            source=Source(citation="Not stated."),
            notes="Contributors, runtime, licence and device are not stated; a mapping or an edit says them.",
        ),
        device=Device(name=unknown, device_class="unstated", delegates={"unstated": "heterogeneous"}),
    )


def read_run_mapping(path: Path, format_name: str, meter_kind: MeterKind) -> tuple[Document[RunMapping], str]:
    """Mapping in a file, and its name in messages; its meter is known to be one of the format's kind.

    Raises:
        UsageError: there is no such file.
        ForeignSourceError: it is not as it should be.
    """
    document, shown = mapping_document(path, RunMapping, "")
    meter = document.fact.submission.meter
    if meter is not None and meter.kind != meter_kind:
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
    """Refuse a mapping that describes runs which are not there.

    Raises:
        ForeignSourceError: it does; the message has the nearest run.
    """
    faults = Faults()
    for name in document.fact.runs:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            faults.add(
                "fact-unknown",
                shown,
                line=document.lines["runs", name],
                column=f"runs.{name}",
                found="no run of the source",
                is_value=False,
                expected=near[0] if near else "one of " + ", ".join(sorted(known)),
                fix=f"Rename it to {near[0]}." if near else "Rename or remove it.",
            )
    if faults.issues:
        raise ForeignSourceError(faults.issues)
