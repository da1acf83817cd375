"""What is declared once for all rows of a folder: a device, a submission with its source, and errata."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harness.schema import quantities as q
from harness.schema.older_columns import RowSelection
from harness.schema.protocol import Protocol
from harness.schema.quantity import Display, Quantity
from harness.schema.systems import FormerId, System, SystemColumns
from harness.schema.vocabulary import Boundary, DeviceClass, Level, MeterKind, Method, Processor, Tier, tier_of

_RULE = "fact-value"


def _display(title: str, *, is_code: bool = False) -> Display | None:
    return Display(title, q.NOWHERE, is_code=is_code) if title else None


def _line(sentence: str, title: str = "", *, is_code: bool = False) -> Quantity:
    form = "one line of printable text without angle brackets"
    fix = "Use one line of at most 200 printable characters."
    display = _display(title, is_code=is_code)
    return Quantity("", sentence, _RULE, fix, pattern=q.LINE, max_length=200, form=form, display=display)


def _text(sentence: str, title: str = "") -> Quantity:
    form = "printable text without angle brackets"
    fix = "Use at most 2000 printable characters."
    display = _display(title)
    return Quantity("", sentence, _RULE, fix, pattern=q.TEXT, max_length=2000, form=form, display=display)


def _choice(sentence: str, title: str = "") -> Quantity:
    return Quantity("", sentence, _RULE, "Write one of the words listed.", display=_display(title))


def _address(sentence: str) -> Quantity:
    fix = "Give an address that begins with http:// or https://."
    return Quantity("", sentence, _RULE, fix, pattern=r"^https?://[^\s<>\"']+$", max_length=500, form="an address")


def _number(unit: str, sentence: str, most: float, title: str = "") -> Quantity:
    fix = f"Give a number above 0 in {unit}."
    return Quantity(unit, sentence, _RULE, fix, gt=0, le=most, display=_display(title))


def _as_printed(sentence: str, title: str = "") -> Quantity:
    return Quantity("", sentence, _RULE, "", display=_display(title))


SamplingHz = Annotated[float, _number("Hz", "Rate of a log without time stamps.", 1e9)]
NEach = Annotated[int, Quantity("", "Inferences in each window.", _RULE, "Give a whole number.", ge=1, le=10**9)]

_CorrectedField = Annotated[str, _line("Column or field that is corrected.", "Field", is_code=True)]
_Printed = Annotated[float, _as_printed("Value that the source prints, in the unit of the field.", "Printed")]
_Used = Annotated[float, _as_printed("Value that is used here, in the unit of the field.", "Used")]
_Citation = Annotated[str, _text("Work to cite, in one sentence.", "Source")]
_Address = Annotated[str, _address("Address of the work.")]
_Identifier = Annotated[str, _line("arXiv number, DOI or commit.", "Identifier")]
_Attribution = Annotated[str, _text("Sentence that the licence or owner asks for.", "Attribution")]
_Why = Annotated[str, _text("Reason, with its arithmetic.", "Why")]


def _single_word(value: str) -> str:
    if any(character.isspace() for character in value):
        raise ValueError("one SPDX identifier without spaces, for example CC-BY-4.0")
    return value


class Fact(BaseModel):
    """Strict base of everything a contributor declares in YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Erratum(Fact):
    """One figure whose printed value is not the used one.

    `where` selects the row by its columns; it is empty for a field of the device.
    """

    field: _CorrectedField
    where: RowSelection = Field(default_factory=dict, description="Columns that select the corrected row.")
    printed: _Printed
    used: _Used
    why: _Why


_YEAR = Quantity("", "Year in which it came out.", _RULE, "Give a year.", ge=1990, le=2100, display=_display("Year"))
_TDP = _number("W", "Thermal design power (TDP) that scores use.", 1000, "Thermal design power (TDP)")


class DeviceFacts(Fact):
    """Facts of a device."""

    name: Annotated[str, _line("Name as its maker or the benchmark writes it.", "Name")]
    device_class: Annotated[DeviceClass, _choice("What kind of device it is.", "Kind")]
    soc: Annotated[str, _line("System on chip or microcontroller.", "System on chip")] | None = None
    processor_name: Annotated[str, _line("Processor core with its extensions.", "Processor")] | None = None
    accelerator: Annotated[str, _line("Accelerator that runs the network.", "Accelerator")] | None = None
    vendor: Annotated[str, _line("Maker of the device.", "Maker")] | None = None
    board: Annotated[str, _line("Board of the device, where it has another name.", "Board")] | None = None
    frequency_mhz: Annotated[float, _number("MHz", "Clock of the processor.", 1e5, "Clock")] | None = None
    year: Annotated[int, _YEAR] | None = None
    tdp_w: Annotated[float, _TDP] | None = None


class Device(DeviceFacts):
    """One device, declared in `device.yaml`."""

    delegates: dict[q.Delegate, Processor] = Field(
        min_length=1, description="Every delegate that the device has, with the processor it runs on."
    )
    errata: list[Erratum] = Field(default_factory=list, description="Corrections of this device's facts.")


def _limit(unit: str, sentence: str, most: float, title: str = "") -> Quantity:
    fix = f"Give a number of at least 0 in {unit}."
    return Quantity(unit, sentence, _RULE, fix, ge=0, le=most, display=_display(title))


class MeterAccuracy(Fact):
    """Limits of error of a meter, as its maker states them: a share of the reading plus a constant power."""

    gain_percent: Annotated[float, _limit("%", "Limit of error that grows with the reading.", 100)] = 0.0
    offset_mw: Annotated[float, _limit("mW", "Limit of error at zero.", 1e6)] = 0.0
    stated_by: Annotated[str, _line("Data sheet or certificate of calibration that states it.")]


class Meter(Fact):
    """What measured the power."""

    name: Annotated[str, _line("Maker and model of the meter.")]
    kind: Annotated[MeterKind, _choice("How the meter measures.")]
    sampling_hz: Annotated[float, _number("Hz", "Samples per second.", 1e9)] | None = None
    serial: Annotated[str, _line("Serial number of the meter.")] | None = None
    calibration: Annotated[str, _line("Day of the last calibration, and who made it.")] | None = None
    accuracy: MeterAccuracy | None = Field(
        None,
        description="Limits of error; without them, or as a text, they are unknown to the budget of uncertainty.",
    )
    accuracy_text: Annotated[str, _line("Accuracy as a text, as older submissions state it under accuracy.")] | None = (
        None
    )

    @model_validator(mode="before")
    @classmethod
    def _keeps_a_text(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(text := data.get("accuracy"), str):
            return {**data, "accuracy": None, "accuracy_text": text}
        return data


class Idle(Fact):
    """Idle power that idle-subtracted energies were reduced by."""

    power_mw: Annotated[float, _number("mW", "Mean idle power.", 1e8)]
    how: Annotated[str, _text("How and when the idle power was measured.")]


class Source(Fact):
    """Where the figures come from."""

    citation: _Citation
    url: _Address | None = None
    identifier: _Identifier | None = None
    attribution: _Attribution | None = None


class PublishedScores(Fact):
    """Scores that the source itself prints for this device."""

    edition: Annotated[str, _line("Edition whose suite the printed scores belong to.")]
    pcs: Annotated[float, Quantity("", "Power consumption score (PCS) as the source prints it.", _RULE, "")] | None = (
        None
    )
    iecs: (
        Annotated[float, Quantity("", "Inference energy consumption score (IECS) as the source prints it.", _RULE, "")]
        | None
    ) = None


_SHA256 = Quantity(
    "",
    "SHA-256 of the file.",
    _RULE,
    "Write what sha256sum prints.",
    pattern=r"^[0-9a-f]{64}$",
    form="64 hex digits, a to f in lower case",
)
_TRACE_FILE = Quantity(
    "",
    "Name of a file in the folder traces/.",
    _RULE,
    "Use letters, digits and . _ - only.",
    pattern=q.FOLDER_NAME,
    form="a file name without folders",
)


class BoundFile(Fact):
    """One file of `traces/`, bound to its bytes."""

    file: Annotated[str, _TRACE_FILE]
    sha256: Annotated[str, _SHA256]


TimeZone = Annotated[
    str,
    Quantity(
        "",
        "Zone of stamps that state none: a name such as Europe/Berlin, UTC, or an offset such as +01:00.",
        _RULE,
        "Write a name of the IANA time zone database, or an offset from UTC.",
        pattern=r"^(UTC|[+-][0-9]{2}:[0-9]{2}|[A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$",
        form="Europe/Berlin, UTC or +01:00",
    ),
]
VoltageV = Annotated[float, _number("V", "Supply voltage of a meter that logs only current.", 1e4)]
OffsetS = Annotated[
    float,
    Quantity(
        "s", "What was added to the windows to bring them onto the clock of the trace.", _RULE, "", ge=-1e10, le=1e10
    ),
]
DriftPpm = Annotated[
    float, Quantity("ppm", "Drift of the windows against the trace that was undone.", _RULE, "", ge=-1e4, le=1e4)
]
NSkipped = Annotated[
    int, Quantity("", "Windows left out at the beginning, as warm-up.", _RULE, "Give a whole number.", ge=0, le=10**9)
]
Meaning = Literal["instant", "mean-before", "mean-after", "counter"]


class TableLayout(Fact):
    """How to read a table of any tool: which columns hold time and power, and what they mean."""

    time: Annotated[str, _line("Column of the time.")]
    time_unit: Literal["s", "ms", "us", "ns", "date"] = Field(description="Unit of the time; date for calendar time.")
    power: Annotated[str, _line("Column of the power, or of the energy of a counter.")] | None = None
    power_unit: Literal["uW", "mW", "W", "uJ", "mJ", "J", "Wh", "mWh"] | None = Field(
        None, description="Unit of the power; a unit of energy where it is a counter."
    )
    current: Annotated[str, _line("Column of the current, where there is none of the power.")] | None = None
    current_unit: Literal["uA", "mA", "A"] | None = Field(None, description="Unit of the current.")
    voltage: Annotated[str, _line("Column of the voltage.")] | None = None
    voltage_unit: Literal["mV", "V"] | None = Field(None, description="Unit of the voltage.")
    meaning: Meaning = Field(
        description="What a value is: an instant, the mean over the interval before or after its stamp, or a counter."
    )
    counter_range: Annotated[float, _number("", "Value at which a counter begins again, in its unit.", 1e30)] | None = (
        None
    )
    separator: Literal[",", ";", "tab", "space"] = Field(",", description="What separates cells.")
    decimal: Literal[".", ","] = Field(".", description="Decimal sign.")
    skip_lines: Annotated[int, Quantity("", "Lines before the header.", _RULE, "", ge=0, le=10_000)] = 0


class Trace(Fact):
    """Raw power behind one row; validation recomputes the row's energy from it."""

    level: Annotated[Level, _choice("Table that the row is in.")]
    where: RowSelection = Field(min_length=1, description="Columns that select the row.")
    format: Annotated[str, _line("Trace format, as deepen intake --list names it.")]
    power: BoundFile = Field(description="Power over time.")
    inferences: BoundFile = Field(description="Start and end of every inference.")
    baseline: BoundFile | None = Field(None, description="Power of the idle device.")
    channel: Annotated[str, _line("Power column or rail, where there are several; A+B is their sum.")] | None = None
    sampling_hz: SamplingHz | None = None
    timezone: TimeZone | None = None
    voltage_v: VoltageV | None = None
    layout: TableLayout | None = Field(None, description="How a table is read, for the format table.")
    offset_s: OffsetS | None = None
    drift_ppm: DriftPpm | None = None
    n_skipped: NSkipped = 0
    n_each: NEach = 1


class SubmissionFacts(Fact):
    """Facts of a submission."""

    title: Annotated[str, _line("What was measured, in a few words.")]
    date: Annotated[
        str,
        Quantity(
            "",
            "Day, month or year of the measurement or publication.",
            _RULE,
            "Write YYYY-MM-DD, YYYY-MM or YYYY.",
            pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$",
            form="YYYY-MM-DD, YYYY-MM or YYYY",
            display=_display("Date"),
        ),
    ]
    method: Annotated[Method, _choice("How the figures were obtained.", "Method and tier")]
    runtime: q.RuntimeName
    boundary: Annotated[Boundary, _choice("What the energies are of.", "Boundary")] = "unstated"
    rails: q.Rails = Field(default_factory=list)
    licence: Annotated[str, _line("SPDX licence of the data, or NOASSERTION.", "Licence"), AfterValidator(_single_word)]
    conditions: Annotated[str, _text("Temperature, governor, screen, supply, placement.", "Conditions")] | None = None
    notes: Annotated[str, _text("Anything a reader of the figures should know.", "Notes")] | None = None


class Manifest(SubmissionFacts):
    """Who measured, when and how, declared in `submission.yaml`."""

    schema_version: Literal[1] = Field(description="Version of this file's layout.")
    contributors: list[Annotated[str, _line("One person or organisation.")]] = Field(
        min_length=1, description="People or organisations, in order."
    )
    source: Source = Field(description="Where the figures come from.")
    system: System | None = Field(None, description="Stack and settings; without them the device itself is rated.")
    formerly: FormerId | None = None
    kernel_lists: q.FusionRuntime | None = Field(None, description="Folder of _graphs/ that rows take kernel lists of.")
    meter: Meter | None = Field(None, description="What measured the power; needed when the method is measured.")
    protocol: Protocol | None = Field(None, description="How the run was made, as deepen-measure wrote it down.")
    idle: Idle | None = Field(None, description="Idle baseline; needed when energies are idle-subtracted.")
    published_scores: PublishedScores | None = Field(None, description="Scores that the source prints.")
    traces: list[Trace] = Field(default_factory=list, description="Raw power traces behind rows.")
    untraced: Annotated[str, _text("Why rows measured with an analyser come without their traces.")] | None = None
    errata: list[Erratum] = Field(default_factory=list, description="Corrections of this submission's rows.")

    @model_validator(mode="after")
    def _measured_needs_a_meter(self) -> "Manifest":
        if self.method == "measured" and self.meter is None:
            raise ValueError("a meter with its name and kind, because the method is measured")
        return self

    @property
    def tier(self) -> Tier:
        """Evidence tier of every row of the submission."""
        return tier_of(self.method, self.meter.kind if self.meter else None)


_REPEATS: Final = (
    "Standard deviation of repeats of one configuration relative to their mean, pooled over all that were repeated."
)
_REPEATABILITY = _limit("%", _REPEATS, 1e6, "Repeatability")


class DeviceRecord(DeviceFacts):
    """One row per device that occurs in the rows: maker, processor, clock, thermal design power."""

    device_id: q.DeviceId
    tdp_printed_w: (
        Annotated[float, _number("W", "Thermal design power as the source prints it; see the errata.", 1000)] | None
    ) = None


class SubmissionRecord(SubmissionFacts, SystemColumns):
    """One row per submission: who measured, when, how, under which licence."""

    submission_id: q.SubmissionId
    device_id: q.DeviceId
    contributors: Annotated[list[str], _choice("People or organisations, in order.", "Contributors")]
    tier: q.TierName
    meter: Annotated[str, _line("Maker and model of the meter.", "Meter")] | None = None
    meter_kind: Annotated[MeterKind, _choice("How the meter measures.")] | None = None
    sampling_hz: Annotated[float, _number("Hz", "Samples per second.", 1e9)] | None = None
    repeatability_percent: Annotated[float, _REPEATABILITY] | None = None
    idle_power_mw: (
        Annotated[float, _number("mW", "Idle power that idle-subtracted energies were reduced by.", 1e8, "Idle power")]
        | None
    ) = None
    citation: _Citation
    url: _Address | None = None
    identifier: _Identifier | None = None
    attribution: _Attribution | None = None
    scores_edition: Annotated[str, _line("Edition whose suite the printed scores belong to.")] | None = None
    pcs_published: Annotated[float, Quantity("", "PCS as the source prints it.", _RULE, "")] | None = None
    iecs_published: Annotated[float, Quantity("", "IECS as the source prints it.", _RULE, "")] | None = None


class ErratumRecord(Fact):
    """One row per figure whose printed value is not the used one, with the reason."""

    device_id: q.DeviceId
    submission_id: q.SubmissionId | None = None
    field: _CorrectedField
    where: Annotated[str, _line("Columns that select the corrected row.", "Row")] | None = None
    printed: _Printed
    used: _Used
    why: _Why


SIDE_RECORDS: Final[dict[str, type[BaseModel]]] = {
    "devices": DeviceRecord,
    "submissions": SubmissionRecord,
    "errata": ErratumRecord,
}
"""Rows of the tables beside the rows, by the name that a release has for them; cards show their docstrings."""
