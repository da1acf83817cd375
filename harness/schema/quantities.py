"""Every quantity of the schema, declared once: unit, bounds, sentence, and the rule its bounds break.

Arrow metadata, JSON Schema, CSV documentation, card tables and column checks are derived from here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import annotated_types as at
from pydantic import GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from harness.schema.vocabulary import Application, Dtype, Kernel, Method, Processor, Tier


@dataclass(frozen=True, slots=True)
class Quantity(at.GroupedMetadata):
    """What a column means and which values it admits; pydantic reads it as constraints.

    Attributes:
        unit: symbol of the unit; empty for text, counts and truth values.
        sentence: one sentence of meaning.
        rule: id of the rule that a value outside the bounds breaks.
        fix: what the contributor does about such a value.
        gt: exclusive lower bound.
        ge: inclusive lower bound.
        le: inclusive upper bound; a number with any bound must also be finite.
        pattern: regular expression that text must match as a whole.
        max_length: most characters of text.
        form: what the pattern admits, in words.
    """

    unit: str
    sentence: str
    rule: str
    fix: str
    gt: float | None = None
    ge: float | None = None
    le: float | None = None
    pattern: str | None = None
    max_length: int | None = None
    form: str = ""

    def __iter__(self) -> Iterator[Any]:
        if self.gt is not None:
            yield at.Gt(self.gt)
        if self.ge is not None:
            yield at.Ge(self.ge)
        if self.le is not None:
            yield at.Le(self.le)
        if self.pattern is not None or self.max_length is not None:
            yield StringConstraints(pattern=self.pattern, max_length=self.max_length)
        yield _JsonSchemaNote(self.sentence, self.unit)

    @property
    def expected(self) -> str:
        """Admitted values in words, as messages quote them.

        >>> Quantity("mJ", "", "", "", gt=0, le=1e9).expected
        '> 0 and <= 1000000000 mJ'
        """
        bounds = [
            f"{sign} {bound:.12g}"
            for sign, bound in ((">", self.gt), (">=", self.ge), ("<=", self.le))
            if bound is not None
        ]
        words = " and ".join(bounds) + (f" {self.unit}" if bounds and self.unit else "") or self.form
        return f"{words}, at most {self.max_length} characters" if self.max_length is not None else words


@dataclass(frozen=True, slots=True)
class _JsonSchemaNote:
    sentence: str
    unit: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        described["description"] = self.sentence
        if self.unit:
            described["unit"] = self.unit
        return described


_REMEASURE = "Re-measure or drop the row."
_CHOOSE = "Write one of the words listed."
_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._+-]*$"

# As characters, because regular expressions disagree on how to escape them.
_INVISIBLE = "\x80-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
LINE = rf"^[^\x00-\x1f\x7f<>{_INVISIBLE}]+$"
"""One line of text without markup, and without characters that break it or turn its direction."""
TEXT = rf"^[^\x00-\x08\x0b-\x1f\x7f<>{_INVISIBLE}]+$"
"""The same over several lines."""

FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Device and campaign folders, whose names become ids and addresses."""

# Energy, latency, power. Upper bounds are physical ceilings of edge devices, not expectations.
EnergyMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Energy of one inference.",
        "energy-positive",
        _REMEASURE,
        gt=0,
        le=1e9,
    ),
]
EnergyStdMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Standard deviation of the energy over runs.",
        "spread-range",
        "Give the spread in mJ, or leave it empty.",
        ge=0,
        le=1e9,
    ),
]
EnergyMinMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Lowest energy of one inference over runs.",
        "spread-range",
        "Give the spread in mJ, or leave it empty.",
        gt=0,
        le=1e9,
    ),
]
EnergyMaxMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Highest energy of one inference over runs.",
        "spread-range",
        "Give the spread in mJ, or leave it empty.",
        gt=0,
        le=1e9,
    ),
]
LatencyMs = Annotated[
    float,
    Quantity(
        "ms",
        "Duration of one inference.",
        "latency-positive",
        "Give the latency in milliseconds with enough digits, or leave it empty.",
        gt=0,
        le=1e8,
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
    ),
]
NRuns = Annotated[
    int,
    Quantity(
        "", "Number of runs behind the energy.", "count-positive", "Give a whole number of at least 1.", ge=1, le=10**9
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
    ),
]
IsIdleSubtracted = Annotated[
    bool,
    Quantity(
        "",
        "Whether the idle power was taken off; absolute and idle-subtracted energies are different quantities.",
        "boolean",
        "Write true or false.",
    ),
]


def _extent(sentence: str) -> Quantity:
    return Quantity("", sentence, "configuration-range", "Give a whole number from 1 to 1000000.", ge=1, le=10**6)


InputH = Annotated[int, _extent("Height of the input in elements.")]
InputW = Annotated[int, _extent("Width of the input in elements.")]
Cin = Annotated[int, _extent("Input channels; of the first input for concat.")]
Cout = Annotated[int, _extent("Output channels.")]
KernelH = Annotated[int, _extent("Height of the kernel window in elements.")]
KernelW = Annotated[int, _extent("Width of the kernel window in elements.")]
StrideH = Annotated[int, _extent("Vertical stride in elements.")]
StrideW = Annotated[int, _extent("Horizontal stride in elements.")]
Groups = Annotated[
    int,
    Quantity(
        "",
        "Groups of a grouped convolution; empty where there is one.",
        "configuration-range",
        "Give a whole number from 2 to 1000000; leave it empty for one group, so that a configuration has one form.",
        ge=2,
        le=10**6,
    ),
]
Cin2 = Annotated[int, _extent("Channels of the second input of concat.")]
Cin3 = Annotated[int, _extent("Channels of the third input of concat.")]
Cin4 = Annotated[int, _extent("Channels of the fourth input of concat.")]

Flops = Annotated[
    int,
    Quantity(
        "FLOP",
        "Floating-point operations of one inference; one multiply-accumulate counts as two.",
        "cost-range",
        "Give a whole number of at least 0, or leave it empty.",
        ge=0,
        le=10**18,
    ),
]
Params = Annotated[
    int,
    Quantity(
        "",
        "Trainable parameters.",
        "cost-range",
        "Give a whole number of at least 0, or leave it empty.",
        ge=0,
        le=10**15,
    ),
]
BytesMoved = Annotated[
    int,
    Quantity(
        "B",
        "Bytes of inputs, outputs and parameters at the row's data type, each moved once.",
        "cost-range",
        "Give a whole number of at least 0.",
        ge=0,
        le=10**18,
    ),
]

# Words.
KernelName = Annotated[Kernel, Quantity("", "Kernel type, named as in DeepEn2023.", "vocabulary", _CHOOSE)]
ApplicationName = Annotated[Application, Quantity("", "Application, one of the paper's six.", "vocabulary", _CHOOSE)]
DtypeName = Annotated[Dtype, Quantity("", "Data type of weights and activations.", "vocabulary", _CHOOSE)]
ProcessorName = Annotated[Processor, Quantity("", "Processor that the delegate runs on.", "vocabulary", _CHOOSE)]
MethodName = Annotated[Method, Quantity("", "How the figure was obtained.", "vocabulary", _CHOOSE)]
TierName = Annotated[
    Tier,
    Quantity(
        "", "Evidence tier, from the method and the meter; tiers are never ranked together.", "vocabulary", _CHOOSE
    ),
]


def _name(sentence: str, fix: str) -> Quantity:
    return Quantity(
        "", sentence, "name-pattern", fix, pattern=_NAME, max_length=100, form="letters, digits, space and . _ + -"
    )


_NAME_FIX = "Use letters, digits, space and . _ + - only, at most 100 of them."
Delegate = Annotated[
    str, _name("Delegate or thread setting, as declared in device.yaml (CPU1, CPU4, GPU, NNAPI).", _NAME_FIX)
]
ModelName = Annotated[str, _name("Name of the network.", _NAME_FIX)]
FamilyName = Annotated[str, _name("Family of the network; splits hold out whole families.", _NAME_FIX)]
VariantName = Annotated[str, _name("Variant within the family.", _NAME_FIX)]
ReferenceModel = Annotated[str, _name("Reference network that the application runs.", _NAME_FIX)]
RuntimeName = Annotated[
    str,
    Quantity(
        "",
        "Inference runtime with its version.",
        "text-plain",
        "Use one line of at most 200 printable characters.",
        pattern=LINE,
        max_length=200,
        form="one line of printable text without angle brackets",
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
    ),
]
InputShape = Annotated[
    str,
    Quantity(
        "",
        "Input extents joined by x, for example 1x224x224x3.",
        "shape-pattern",
        "Join whole numbers by x, for example 224x224.",
        pattern=r"^[1-9][0-9]{0,6}(x[1-9][0-9]{0,6}){0,7}$",
        form="whole numbers joined by x",
    ),
]
_ROUND_FIX = "Join rounds by ; as in v1.0;v1.1."
Rounds = Annotated[
    list[
        Annotated[
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
    ],
    Quantity(
        "",
        "Publication rounds in which this same figure appeared; joined by ; in CSV.",
        "round-pattern",
        _ROUND_FIX,
    ),
]
SourceId = Annotated[
    str,
    Quantity(
        "",
        "Identifier of the row at its source; not unique across devices.",
        "text-plain",
        "Use one line of at most 200 printable characters.",
        pattern=LINE,
        max_length=200,
        form="one line of printable text without angle brackets",
    ),
]
RecordId = Annotated[
    str,
    Quantity(
        "",
        "Content hash of the row's key; the same measurement has the same id in every release.",
        "derived",
        "Derived; leave it out.",
        pattern=r"^[0-9a-f]{20}$",
    ),
]
OperatorName = Annotated[
    str,
    Quantity(
        "",
        "Operators that run as this kernel, joined by +, for example conv+bn+relu6; names what has no kernel type.",
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
    ),
]
ConfigurationId = Annotated[
    str,
    Quantity(
        "",
        "Content hash of the kernel configuration alone; decides the split.",
        "derived",
        "Derived; leave it out.",
        pattern=r"^[0-9a-f]{20}$",
    ),
]
DeviceId = Annotated[
    str,
    Quantity(
        "",
        "Device or system, the name of its folder under submissions.",
        "folder-name",
        "Use letters, digits and . _ - only, beginning with a letter or digit.",
        pattern=FOLDER_NAME,
    ),
]
SubmissionId = Annotated[
    str, Quantity("", "Device folder and campaign folder, joined by a slash.", "derived", "Derived; leave it out.")
]
