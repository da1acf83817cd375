"""Quantities of the configuration of a kernel: its extents, each declared once with unit, meaning and bounds."""

from typing import Annotated, Final, get_args

from pydantic import BaseModel, ConfigDict

from harness.schema.kernel_costs import Extent
from harness.schema.quantity import Display, Quantity


def _extent(sentence: str, title: str, least: int = 1, most: int = 10**6, remark: str = "") -> Quantity:
    fix = f"Give a whole number from {least} to {most}{remark}."
    display = Display(title, ("kernels",))
    return Quantity("", sentence, "configuration-range", fix, ge=least, le=most, group="workload", display=display)


_ONE_FORM: Final = "; leave it empty for 1, so that a configuration has one form"
InputH = Annotated[int, _extent("Height of the input in elements.", "Input height")]
InputW = Annotated[int, _extent("Width of the input in elements.", "Input width")]
Cin = Annotated[int, _extent("Input channels; of the first input for concat.", "Input channels")]
Cout = Annotated[int, _extent("Output channels.", "Output channels")]
KernelH = Annotated[int, _extent("Height of the kernel window in elements.", "Window height")]
KernelW = Annotated[int, _extent("Width of the kernel window in elements.", "Window width")]
StrideH = Annotated[int, _extent("Vertical stride in elements.", "Vertical stride")]
StrideW = Annotated[int, _extent("Horizontal stride in elements.", "Horizontal stride")]
Groups = Annotated[
    int,
    _extent(
        "Groups of a grouped convolution; empty where there is one.",
        "Groups",
        least=2,
        remark=_ONE_FORM,
    ),
]
Cin2 = Annotated[int, _extent("Channels of the second input of concat.", "Second input channels")]
Cin3 = Annotated[int, _extent("Channels of the third input of concat.", "Third input channels")]
Cin4 = Annotated[int, _extent("Channels of the fourth input of concat.", "Fourth input channels")]
DilationH = Annotated[int, _extent("Vertical distance of the taps of a window.", "Vertical dilation")]
DilationW = Annotated[int, _extent("Horizontal distance of the taps of a window.", "Horizontal dilation")]
OutputH = Annotated[int, _extent("Height of the output of resize in elements.", "Output height")]
OutputW = Annotated[int, _extent("Width of the output of resize in elements.", "Output width")]
Rows = Annotated[
    int, _extent("Vectors of cin elements in the input, such as tokens, steps or positions of a plane.", "Rows")
]
Batch = Annotated[
    int,
    _extent(
        "Products of two activations in one matmul; empty where the second operand is weights.",
        "Products",
        remark="; leave it empty where the second operand is weights",
    ),
]
QLen = Annotated[int, _extent("Queries of an attention; 1 where a network makes one token after the other.", "Queries")]
KvLen = Annotated[int, _extent("Keys of an attention, those kept from before included.", "Keys")]
Heads = Annotated[int, _extent("Heads of the queries.", "Heads")]
KvHeads = Annotated[int, _extent("Heads of the keys and values.", "Key heads")]
HeadSize = Annotated[int, _extent("Elements of one query, key or value of one head.", "Head size")]
Entries = Annotated[int, _extent("Rows of the table of an embedding.", "Table rows", most=10**9)]
Directions = Annotated[
    int,
    _extent("Directions of a recurrent kernel; empty where it has one.", "Directions", least=2, remark=_ONE_FORM),
]


class Extents(BaseModel):
    """Extents of one kernel; which of them it has follows from its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    input_h: InputH | None = None
    input_w: InputW | None = None
    cin: Cin | None = None
    cout: Cout | None = None
    kernel_h: KernelH | None = None
    kernel_w: KernelW | None = None
    stride_h: StrideH | None = None
    stride_w: StrideW | None = None
    groups: Groups | None = None
    cin2: Cin2 | None = None
    cin3: Cin3 | None = None
    cin4: Cin4 | None = None
    dilation_h: DilationH | None = None
    dilation_w: DilationW | None = None
    output_h: OutputH | None = None
    output_w: OutputW | None = None
    rows: Rows | None = None
    batch: Batch | None = None
    q_len: QLen | None = None
    kv_len: KvLen | None = None
    heads: Heads | None = None
    kv_heads: KvHeads | None = None
    head_size: HeadSize | None = None
    entries: Entries | None = None
    directions: Directions | None = None


if tuple(Extents.model_fields) != get_args(Extent):
    raise TypeError("the extents of a kernel are not those of the kernel types")
