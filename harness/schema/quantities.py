"""Every quantity of the schema, declared once: unit, meaning, bounds, the rule its bounds break, and its display.

Those of how a network ran are in `harness.schema.run_quantities`.
A column that a row gains costs its declaration here and its field in `harness.schema.records`.
"""

from typing import Annotated, Final

from harness.schema.quantity import DeviceTable, Display, Group, Quantity
from harness.schema.vocabulary import (
    Application,
    Boundary,
    Dtype,
    EnergyKind,
    Function,
    Kernel,
    Method,
    Processor,
    StoredDtype,
    Tier,
)

_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._+-]*$"
_CONTENT_ID = r"^[0-9a-f]{20}$"

# As characters, because regular expressions disagree on how to escape them.
_INVISIBLE = "\x80-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
LINE = rf"^[^\x00-\x1f\x7f<>{_INVISIBLE}]+$"
"""One line of text without markup, and without characters that break it, turn its direction, or are none of XML."""
TEXT = rf"^[^\x00-\x08\x0b-\x1f\x7f<>{_INVISIBLE}]+$"
"""The same over several lines."""

FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Device and campaign folders, whose names become ids and addresses."""

NOWHERE: Final[tuple[DeviceTable, ...]] = ()
"""For columns that are in no table of rows."""

# Energy, latency, power. Upper bounds are physical ceilings of edge devices, not expectations.
EnergyMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Energy of one inference.",
        "energy-positive",
        "Look at the unit and at the sign and zero of the meter in the raw file; without a true figure, drop the row.",
        gt=0,
        le=1e9,
        group="result",
        display=Display("Energy"),
    ),
]
EnergyUMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Expanded uncertainty (k = 2) of the energy.",
        "uncertainty-range",
        "Give the expanded uncertainty in mJ, as deepen reduce prints it, or leave it empty; a spread over runs has "
        "columns of its own.",
        gt=0,
        le=1e9,
        why="An uncertainty of zero claims that nothing is unknown, and ranks noise.",
        group="result",
        display=Display("Uncertainty (k = 2)"),
    ),
]


def _spread(sentence: str, title: str, gt: float | None = 0, ge: float | None = None) -> Quantity:
    fix = "Give the spread in mJ, or leave it empty."
    display = Display(title, NOWHERE)
    return Quantity("mJ", sentence, "spread-range", fix, gt=gt, ge=ge, le=1e9, group="result", display=display)


EnergyStdMj = Annotated[
    float, _spread("Standard deviation of the energy over runs.", "Standard deviation", gt=None, ge=0)
]
EnergyMinMj = Annotated[float, _spread("Lowest energy of one inference over runs.", "Lowest run")]
EnergyMaxMj = Annotated[float, _spread("Highest energy of one inference over runs.", "Highest run")]
LatencyMs = Annotated[
    float,
    Quantity(
        "ms",
        "Duration of one inference.",
        "latency-positive",
        "Give the latency in milliseconds with enough digits, or leave it empty.",
        gt=0,
        le=1e8,
        group="result",
        display=Display("Latency"),
    ),
]
PowerMw = Annotated[
    float,
    Quantity(
        "mW",
        "Mean power during one inference.",
        "power-positive",
        "Give the mean power in milliwatts, or leave it empty.",
        gt=0,
        le=1e8,
        group="result",
        display=Display("Mean power"),
    ),
]
SupplyMv = Annotated[
    float,
    Quantity(
        "mV",
        "Supply voltage at the meter.",
        "supply-range",
        "Give the supply in millivolts (3.3 V is 3300), or leave it empty.",
        ge=100,
        le=1e6,
        why="A supply of 3.3 is in volts.",
        group="condition",
        display=Display("Supply", ("networks",)),
    ),
]
NRuns = Annotated[
    int,
    Quantity(
        "",
        "Number of runs behind the energy.",
        "count-positive",
        "Give a whole number of at least 1.",
        ge=1,
        le=10**9,
        group="result",
        display=Display("Runs"),
    ),
]
BatchSize = Annotated[
    int,
    Quantity(
        "",
        "Inputs processed together; the energy stays per inference of one batch.",
        "count-positive",
        "Give a whole number of at least 1.",
        ge=1,
        le=10**6,
        group="setting",
        display=Display("Batch size", ("kernels",)),
    ),
]


def _cost(unit: str, sentence: str, title: str, most: int, fix: str) -> Quantity:
    display = Display(title, ("kernels",))
    return Quantity(unit, sentence, "cost-range", fix, ge=0, le=most, group="cost", display=display)


_OPTIONAL_COST = "Give a whole number of at least 0, or leave it empty."
Flops = Annotated[
    int,
    _cost(
        "FLOP",
        "Floating-point operations of one inference; one multiply-accumulate counts as two.",
        "FLOPs",
        10**18,
        _OPTIONAL_COST,
    ),
]
Params = Annotated[int, _cost("", "Trainable parameters.", "Parameters", 10**15, _OPTIONAL_COST)]
BytesMoved = Annotated[
    int,
    _cost(
        "B",
        "Bytes of inputs, outputs and parameters, each moved once; a kernel row counts all at its data type.",
        "Bytes moved",
        10**18,
        "Give a whole number of at least 0.",
    ),
]


def _word(sentence: str, group: Group, display: Display) -> Quantity:
    return Quantity("", sentence, "vocabulary", "Write one of the words listed.", group=group, display=display)


KernelName = Annotated[
    Kernel, _word("Kernel type, named as in DeepEn2023.", "workload", Display("Kernel type", ("kernels",)))
]
FunctionName = Annotated[
    Function,
    _word(
        "What a kernel computes whose type has several functions; empty for every other type.",
        "workload",
        Display("Function", ("kernels",)),
    ),
]
ApplicationName = Annotated[
    Application, _word("Application, one of the paper's six.", "workload", Display("Application", NOWHERE))
]
EnergyKindName = Annotated[
    EnergyKind,
    _word(
        "What the energy includes: all that is drawn (absolute), that less idle power (idle-subtracted), or what a "
        "simulator counts, without leakage, idle power and host (dynamic-only).",
        "setting",
        Display("Kind of energy"),
    ),
]
DtypeName = Annotated[Dtype, _word("Data type of weights and activations.", "setting", Display("Data type"))]
WeightDtypeName = Annotated[
    StoredDtype,
    _word(
        "Data type that the kernel's weights are stored in; where it is left out, they are of its data type.",
        "setting",
        Display("Data type of weights", NOWHERE),
    ),
]
ProcessorName = Annotated[
    Processor, _word("Processor that the delegate runs on.", "provenance", Display("Processor", NOWHERE))
]
MethodName = Annotated[Method, _word("How the figure was obtained.", "provenance", Display("Method", NOWHERE))]
TierName = Annotated[
    Tier,
    _word(
        "Evidence tier, from the method and the meter; tiers are never ranked together.", "provenance", Display("Tier")
    ),
]


def _line(sentence: str, display: Display) -> Quantity:
    form = "one line of printable text without angle brackets"
    fix = "Use one line of at most 200 printable characters."
    return Quantity(
        "", sentence, "text-plain", fix, pattern=LINE, max_length=200, form=form, group="provenance", display=display
    )


BoundaryName = Annotated[
    Boundary,
    _word(
        "What the energy is of; energies of different boundaries are never ranked together.",
        "provenance",
        Display("Boundary"),
    ),
]
RailName = Annotated[str, _line("One supply rail.", Display("Rail", NOWHERE))]
_RAILS = "Supply rails that were measured, where the boundary is rail or sum-of-rails."
_ALL_RAILS = Quantity(
    "", _RAILS, "text-plain", "List one rail per entry.", group="provenance", display=Display("Rails", NOWHERE)
)
Rails = Annotated[list[RailName], _ALL_RAILS]


def _name(sentence: str, group: Group, display: Display) -> Quantity:
    form = "letters, digits, space and . _ + -"
    fix = "Use letters, digits, space and . _ + - only, at most 100 of them."
    return Quantity(
        "", sentence, "name-pattern", fix, pattern=_NAME, max_length=100, form=form, group=group, display=display
    )


Delegate = Annotated[
    str,
    _name(
        "Delegate or thread setting, as declared in device.yaml (CPU1, CPU4, GPU, NNAPI).",
        "setting",
        Display("Delegate"),
    ),
]
ModelName = Annotated[str, _name("Name of the network.", "workload", Display("Model", NOWHERE))]
FamilyName = Annotated[
    str, _name("Family of the network; splits hold out whole families.", "workload", Display("Family", NOWHERE))
]
VariantName = Annotated[str, _name("Variant within the family.", "workload", Display("Variant", NOWHERE))]
ReferenceModel = Annotated[
    str, _name("Reference network that the application runs.", "workload", Display("Reference model", NOWHERE))
]


RuntimeName = Annotated[str, _line("Inference runtime with its version.", Display("Runtime", NOWHERE))]
SourceId = Annotated[
    str,
    _line(
        "Identifier of the row at its source; not unique across devices.",
        Display("Source id", ("kernels",), is_code=True),
    ),
]
Dnn = Annotated[
    str,
    Quantity(
        "",
        "Reference network number of the paper, DNN1 to DNN12.",
        "dnn-pattern",
        "Write DNN and a number from 1 to 12.",
        pattern=r"^DNN([1-9]|1[0-2])$",
        form="DNN1 to DNN12",
        group="workload",
        display=Display("Reference network", NOWHERE),
    ),
]
InputShape = Annotated[
    str,
    Quantity(
        "",
        "Height, width and channels of one input joined by x, without the batch; channels are left out where there is "
        "one, or where the source states none.",
        "shape-pattern",
        "Join whole numbers by x, for example 224x224x3.",
        pattern=r"^[1-9][0-9]{0,6}(x[1-9][0-9]{0,6}){0,7}$",
        form="whole numbers joined by x",
        group="workload",
        display=Display("Input shape", NOWHERE),
    ),
]
_ROUND_FIX = "Join rounds by ; as in v1.0;v1.1."
_Round = Annotated[
    str,
    Quantity(
        "",
        "One round.",
        "round-pattern",
        _ROUND_FIX,
        pattern=r"^v?[0-9]+(\.[0-9]+){0,2}$",
        form="rounds such as v1.2",
    ),
]
Rounds = Annotated[
    list[_Round],
    Quantity(
        "",
        "Publication rounds in which this same figure appeared; joined by ; in CSV.",
        "round-pattern",
        _ROUND_FIX,
        group="provenance",
        display=Display("Rounds", ("networks",)),
    ),
]
OperatorName = Annotated[
    str,
    Quantity(
        "",
        "Operators that run as this kernel, joined by +, such as conv+bn+relu6; the name of a kernel without a type.",
        "operator-name",
        "Join lower-case operator names by +.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+-]{0,199}$",
        form="operator names joined by +",
    ),
]
FusionRuntime = Annotated[
    str,
    Quantity(
        "",
        "Runtime whose fusion rules gave the kernel list.",
        "name-pattern",
        "Write one of the names that deepen kernels --help lists.",
        pattern=FOLDER_NAME,
        form="letters, digits and . _ -",
        group="provenance",
        display=Display("Kernel list by", NOWHERE),
    ),
]


def _derived(sentence: str, display: Display, pattern: str | None = None) -> Quantity:
    fix = "Derived; leave it out."
    return Quantity("", sentence, "derived", fix, pattern=pattern, group="provenance", display=display)


RecordId = Annotated[
    str,
    _derived(
        "Content hash of the row's key; the same measurement has the same id in every release.",
        Display("Record id", is_code=True),
        pattern=_CONTENT_ID,
    ),
]
ConfigurationId = Annotated[
    str,
    _derived(
        "Content hash of the kernel configuration alone; decides the split.",
        Display("Configuration id", NOWHERE, is_code=True),
        pattern=_CONTENT_ID,
    ),
]
SubmissionId = Annotated[
    str,
    _derived("Device folder and campaign folder, joined by a slash.", Display("Submission", is_code=True)),
]
SystemId = Annotated[
    str, _derived("System that is rated: device, stack, settings, submitter.", Display("System", is_code=True))
]
DeviceId = Annotated[
    str,
    Quantity(
        "",
        "Device, such as a board or phone: the name of its folder under submissions.",
        "folder-name",
        "Use letters, digits and . _ - only, beginning with a letter or digit.",
        pattern=FOLDER_NAME,
        group="provenance",
        display=Display("Identifier", NOWHERE, is_code=True),
    ),
]
