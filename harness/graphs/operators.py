"""Operators, each declared once: its names in model files, the names that kernel lists give it, and what it costs.

Readers, naming, fusion and counting are derived from `OPERATORS`. An operator that lacks a part stops the import. A
reader keeps the file's own name for any operator that is not declared here, and its FLOPs are unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Work = Literal[
    "product", "window", "reduction", "elements", "movement", "recurrent", "attention", "projected-attention", "einsum",
    "fourier", "short-fourier", "points",
]  # fmt: skip
"""What an operator's FLOPs are counted by.

Two for each multiply-accumulate; one for each element of each window; one for each element that it reads; a number for
each element that it makes; none, where it only moves data; or a rule of its own: steps of recurrent cells, products of
queries, keys and values (with the projections before them where the operator has them in itself), contractions,
Fourier transforms, and points that a matrix moves. An operator that is not declared has unknown FLOPs.

A comparison counts as an addition does: a maximum, its place, and the choice of the k greatest each compare every
element at least once, and count one for each that they read. Further comparisons that order what is chosen depend on
the values, and are not counted.
"""
Naming = Literal["plain", "convolution", "product", "operands", "axis", "lookup", "mean"]
"""What the name in a kernel list depends on: nothing else, the window and groups, the rows and weights, the kind of its
operands, the axis along which it joins or splits, whether it reads rows of a table of weights, or what it is the mean
of."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        work: what its FLOPs are counted by.
        onnx: its names in the standard domain of ONNX.
        tflite: its names in TFLite.
        onnx_runtime: its names in the domain com.microsoft.
        mediapipe: its names among the custom operators of MediaPipe's TFLite files, whose code is public.
        naming: what its name in a kernel list depends on.
        constant_name: for arithmetic, its name where its other operand is one number, or one number per channel.
        has_window: whether its node carries a `Window`.
        is_view: whether a runtime performs it without a kernel.
        is_activation: whether it costs nothing where it is fused with the operator before it.
        joins: whether it is arithmetic with a second activation, which costs the same wherever it runs.
        is_variadic: whether it takes any number of operands, so that it does nothing to one alone.
        reads_first_only: whether its further inputs, if any, only state which operator it is.
        has_settings: whether its constants state how it works, so that they are no parameters.
    """

    work: Work
    onnx: tuple[str, ...]
    tflite: tuple[str, ...]
    onnx_runtime: tuple[str, ...] = ()
    mediapipe: tuple[str, ...] = ()
    naming: Naming = "plain"
    constant_name: str | None = None
    has_window: bool = False
    is_view: bool = False
    is_activation: bool = False
    joins: bool = False
    is_variadic: bool = False
    reads_first_only: bool = False
    has_settings: bool = False


_NAMED: Final[Mapping[str, Operator]] = {
    "conv": Operator(
        "product",
        onnx=("Conv", "ConvInteger", "QLinearConv"),
        onnx_runtime=("FusedConv", "NhwcConv", "NhwcFusedConv", "QLinearConv"),
        tflite=("CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D"),
        naming="convolution",
        has_window=True,
    ),
    "conv-transpose": Operator(
        "product",
        onnx=("ConvTranspose",),
        tflite=("CONV_3D_TRANSPOSE", "TRANSPOSE_CONV"),
        mediapipe=("Convolution2DTransposeBias",),
        has_window=True,
    ),
    "deform-conv": Operator("product", onnx=("DeformConv",), tflite=(), has_window=True),
    "fc": Operator("product", onnx=(), tflite=(), naming="product"),
    "matmul": Operator(
        "product",
        onnx=("Gemm", "MatMul", "MatMulInteger", "QLinearMatMul"),
        onnx_runtime=(
            "DynamicQuantizeMatMul",
            "FusedGemm",
            "FusedMatMul",
            "MatMulBnb4",
            "MatMulFpQ4",
            "MatMulIntegerToFloat",
            "MatMulNBits",
            "QGemm",
            "TransposeMatMul",
        ),
        tflite=("BATCH_MATMUL", "FULLY_CONNECTED"),
        naming="product",
    ),
    "maxpool": Operator(
        "window",
        onnx=("MaxPool",),
        tflite=("MAX_POOL_2D",),
        mediapipe=("MaxPoolingWithArgmax2D",),
        has_window=True,
    ),
    "max-unpool": Operator("movement", onnx=("MaxUnpool",), tflite=(), mediapipe=("MaxUnpooling2D",)),
    "avgpool": Operator(
        "window",
        onnx=("AveragePool",),
        onnx_runtime=("QLinearAveragePool",),
        tflite=("AVERAGE_POOL_2D",),
        has_window=True,
    ),
    "global-avgpool": Operator(
        "reduction",
        onnx=("GlobalAveragePool",),
        onnx_runtime=("QLinearGlobalAveragePool",),
        tflite=(),
        reads_first_only=True,
    ),
    "global-maxpool": Operator("reduction", onnx=("GlobalMaxPool",), tflite=()),
    "reduce-mean": Operator("reduction", onnx=("ReduceMean",), tflite=("MEAN",), naming="mean"),
    "reduce-sum": Operator("reduction", onnx=("ReduceSum",), tflite=("SUM",)),
    "reduce-max": Operator("reduction", onnx=("ReduceMax",), tflite=("REDUCE_MAX",)),
    "bn": Operator("elements", onnx=("BatchNormalization",), tflite=()),
    "relu": Operator("elements", onnx=("Relu",), tflite=("RELU",), is_activation=True, reads_first_only=True),
    "relu6": Operator("elements", onnx=(), tflite=("RELU6",), is_activation=True, reads_first_only=True),
    "prelu": Operator("elements", onnx=("PRelu",), tflite=("PRELU",), is_activation=True),
    "leaky-relu": Operator(
        "elements", onnx=("LeakyRelu",), onnx_runtime=("QLinearLeakyRelu",), tflite=("LEAKY_RELU",), is_activation=True
    ),
    "hswish": Operator("elements", onnx=("HardSwish",), tflite=("HARD_SWISH",), is_activation=True),
    "hsigmoid": Operator("elements", onnx=("HardSigmoid",), tflite=(), is_activation=True),
    "sigmoid": Operator(
        "elements", onnx=("Sigmoid",), onnx_runtime=("QLinearSigmoid",), tflite=("LOGISTIC",), is_activation=True
    ),
    "tanh": Operator("elements", onnx=("Tanh",), tflite=("TANH",), is_activation=True),
    "swish": Operator("elements", onnx=("Swish",), onnx_runtime=("QuickGelu",), tflite=(), is_activation=True),
    "gelu": Operator(
        "elements", onnx=("Gelu",), onnx_runtime=("BiasGelu", "FastGelu", "Gelu"), tflite=("GELU",), is_activation=True
    ),
    "elu": Operator("elements", onnx=("Elu",), tflite=("ELU",), is_activation=True),
    "clip": Operator(
        "elements", onnx=("Clip",), tflite=("RELU_0_TO_1", "RELU_N1_TO_1"), is_activation=True, has_settings=True
    ),
    "abs": Operator("elements", onnx=("Abs",), tflite=("ABS",), is_activation=True),
    "exp": Operator("elements", onnx=("Exp",), tflite=("EXP",), is_activation=True),
    "neg": Operator("elements", onnx=("Neg",), tflite=("NEG",), is_activation=True),
    "sqrt": Operator("elements", onnx=("Sqrt",), tflite=("SQRT",), is_activation=True),
    "add": Operator(
        "elements",
        onnx=("Add", "Sum"),
        onnx_runtime=("QLinearAdd",),
        tflite=("ADD", "ADD_N"),
        naming="operands",
        constant_name="bias",
        joins=True,
        is_variadic=True,
    ),
    "sub": Operator("elements", onnx=("Sub",), tflite=("SUB",), naming="operands", constant_name="bias", joins=True),
    "mul": Operator(
        "elements",
        onnx=("Mul",),
        onnx_runtime=("QLinearMul",),
        tflite=("MUL",),
        naming="operands",
        constant_name="scale",
        joins=True,
    ),
    "div": Operator("elements", onnx=("Div",), tflite=("DIV",), naming="operands", constant_name="scale", joins=True),
    "min": Operator("elements", onnx=("Min",), tflite=("MINIMUM",), naming="operands", joins=True, is_variadic=True),
    "max": Operator("elements", onnx=("Max",), tflite=("MAXIMUM",), naming="operands", joins=True, is_variadic=True),
    "mean": Operator("elements", onnx=("Mean",), tflite=(), is_variadic=True),
    "pow": Operator("elements", onnx=("Pow",), tflite=("POW",), naming="operands"),
    "softmax": Operator("elements", onnx=("Softmax",), onnx_runtime=("QLinearSoftmax",), tflite=("SOFTMAX",)),
    "log-softmax": Operator("elements", onnx=("LogSoftmax",), tflite=("LOG_SOFTMAX",)),
    "lrn": Operator("elements", onnx=("LRN",), tflite=("LOCAL_RESPONSE_NORMALIZATION",)),
    "layer-norm": Operator(
        "elements", onnx=("LayerNormalization",), onnx_runtime=("LayerNormalization",), tflite=("L2_NORMALIZATION",)
    ),
    "rms-norm": Operator(
        "elements",
        onnx=("RMSNormalization", "SimplifiedLayerNormalization"),
        onnx_runtime=("SimplifiedLayerNormalization",),
        tflite=(),
    ),
    "group-norm": Operator("elements", onnx=("GroupNormalization",), onnx_runtime=("GroupNorm",), tflite=()),
    "skip-layer-norm": Operator(
        "elements",
        onnx=(),
        onnx_runtime=("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
        tflite=(),
    ),
    "instance-norm": Operator("elements", onnx=("InstanceNormalization",), tflite=()),
    "concat": Operator(
        "movement",
        onnx=("Concat",),
        onnx_runtime=("QLinearConcat",),
        tflite=("CONCATENATION",),
        naming="axis",
        is_variadic=True,
    ),
    "split": Operator("movement", onnx=("Split",), tflite=("SPLIT", "SPLIT_V"), naming="axis"),
    "slice": Operator("movement", onnx=("Slice",), tflite=("SLICE", "STRIDED_SLICE"), has_settings=True),
    "pad": Operator("movement", onnx=("Pad",), tflite=("MIRROR_PAD", "PAD", "PADV2"), has_settings=True),
    "transpose": Operator("movement", onnx=("Transpose",), tflite=("TRANSPOSE",)),
    "gather": Operator(
        "movement",
        onnx=("Gather",),
        onnx_runtime=("GatherBlockQuantized",),
        tflite=("GATHER",),
        naming="lookup",
    ),
    "resize": Operator(
        "elements",
        onnx=("Resize", "Upsample"),
        tflite=("RESIZE_BILINEAR",),
        has_settings=True,
    ),
    "resize-nearest": Operator("movement", onnx=(), tflite=("RESIZE_NEAREST_NEIGHBOR",), has_settings=True),
    "grid-sample": Operator(
        "elements", onnx=("GridSample",), tflite=(), mediapipe=("TransformTensor", "TransformTensorBilinear")
    ),
    "transform-points": Operator("points", onnx=(), tflite=(), mediapipe=("TransformLandmarks",)),
    "depth-to-space": Operator("movement", onnx=("DepthToSpace",), tflite=("DEPTH_TO_SPACE",)),
    "space-to-depth": Operator("movement", onnx=("SpaceToDepth",), tflite=("SPACE_TO_DEPTH",)),
    "tile": Operator("movement", onnx=("Tile",), tflite=("TILE",)),
    "argmax": Operator("reduction", onnx=("ArgMax",), tflite=("ARG_MAX",)),
    "top-k": Operator("reduction", onnx=("TopK",), tflite=("TOPK_V2",), reads_first_only=True),
    "cast": Operator("movement", onnx=("Cast",), tflite=("CAST",)),
    "quantize": Operator(
        "elements",
        onnx=("DynamicQuantizeLinear", "QuantizeLinear"),
        onnx_runtime=("QuantizeLinear",),
        tflite=("QUANTIZE",),
    ),
    "dequantize": Operator(
        "elements", onnx=("DequantizeLinear",), onnx_runtime=("DequantizeLinear",), tflite=("DEQUANTIZE",)
    ),
    "lstm": Operator(
        "recurrent",
        onnx=("LSTM",),
        onnx_runtime=("DynamicQuantizeLSTM",),
        tflite=("BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
    ),
    "gru": Operator("recurrent", onnx=("GRU",), tflite=()),
    "rnn": Operator(
        "recurrent",
        onnx=("RNN",),
        tflite=("BIDIRECTIONAL_SEQUENCE_RNN", "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"),
    ),
    "svdf": Operator("recurrent", onnx=(), tflite=("SVDF",)),
    "attention": Operator(
        "attention", onnx=("Attention",), onnx_runtime=("GroupQueryAttention", "MultiHeadAttention"), tflite=()
    ),
    "projected-attention": Operator(
        "projected-attention", onnx=(), onnx_runtime=("Attention", "QAttention"), tflite=()
    ),
    "einsum": Operator("einsum", onnx=("Einsum",), tflite=()),
    "dft": Operator("fourier", onnx=("DFT",), tflite=("RFFT2D",), has_settings=True),
    "stft": Operator("short-fourier", onnx=("STFT",), tflite=(), has_settings=True),
    "reshape": Operator(
        "movement",
        onnx=("Flatten", "Reshape", "Squeeze", "Unsqueeze"),
        tflite=("EXPAND_DIMS", "RESHAPE", "SQUEEZE"),
        is_view=True,
        reads_first_only=True,
        has_settings=True,
    ),
    "identity": Operator("movement", onnx=("Dropout", "Identity"), tflite=(), is_view=True, reads_first_only=True),
}
"""Operators that naming, fusion or counting treat in a way of their own."""

_PLAIN: Final[Mapping[Work, Mapping[str, tuple[str, str]]]] = {
    "elements": {
        "acos": ("Acos", ""), "acosh": ("Acosh", ""), "and": ("And", "LOGICAL_AND"), "asin": ("Asin", ""),
        "asinh": ("Asinh", ""), "atan": ("Atan", ""), "atan2": ("", "ATAN2"), "atanh": ("Atanh", ""),
        "bit-and": ("BitwiseAnd", ""), "bit-not": ("BitwiseNot", ""), "bit-or": ("BitwiseOr", ""),
        "bit-shift": ("BitShift", "RIGHT_SHIFT"), "bit-xor": ("BitwiseXor", "BITWISE_XOR"), "ceil": ("Ceil", "CEIL"),
        "celu": ("Celu", ""), "cos": ("Cos", "COS"), "cosh": ("Cosh", ""), "cumulative-sum": ("CumSum", "CUMSUM"),
        "equal": ("Equal", "EQUAL"), "erf": ("Erf", ""), "floor": ("Floor", "FLOOR"), "floor-div": ("", "FLOOR_DIV"),
        "floor-mod": ("", "FLOOR_MOD"), "greater": ("Greater", "GREATER"),
        "greater-equal": ("GreaterOrEqual", "GREATER_EQUAL"), "is-infinite": ("IsInf", ""), "is-nan": ("IsNaN", ""),
        "less": ("Less", "LESS"), "less-equal": ("LessOrEqual", "LESS_EQUAL"), "log": ("Log", "LOG"),
        "mean-variance-norm": ("MeanVarianceNormalization", ""),
        "mish": ("Mish", ""), "mod": ("Mod", ""), "not": ("Not", "LOGICAL_NOT"),
        "not-equal": ("", "NOT_EQUAL"), "or": ("Or", "LOGICAL_OR"), "reciprocal": ("Reciprocal", ""),
        "round": ("Round", "ROUND"), "rsqrt": ("", "RSQRT"), "selu": ("Selu", ""), "shrink": ("Shrink", ""),
        "sign": ("Sign", "SIGN"), "sin": ("Sin", "SIN"), "sinh": ("Sinh", ""), "softplus": ("Softplus", ""),
        "softsign": ("Softsign", ""), "square": ("", "SQUARE"), "squared-difference": ("", "SQUARED_DIFFERENCE"),
        "tan": ("Tan", ""), "thresholded-relu": ("ThresholdedRelu", ""), "xor": ("Xor", ""),
    },
    "window": {"lp-pool": ("LpPool", "L2_POOL_2D")},
    "reduction": {
        "argmin": ("ArgMin", "ARG_MIN"), "global-lp-pool": ("GlobalLpPool", ""), "reduce-all": ("", "REDUCE_ALL"),
        "reduce-any": ("", "REDUCE_ANY"), "reduce-l1": ("ReduceL1", ""), "reduce-l2": ("ReduceL2", ""),
        "reduce-log-sum": ("ReduceLogSum", ""), "reduce-log-sum-exp": ("ReduceLogSumExp", ""),
        "reduce-min": ("ReduceMin", "REDUCE_MIN"), "reduce-prod": ("ReduceProd", "REDUCE_PROD"),
        "reduce-sum-square": ("ReduceSumSquare", ""),
    },
    "movement": {
        "assign-variable": ("", "ASSIGN_VARIABLE"), "batch-to-space": ("", "BATCH_TO_SPACE_ND"),
        "cast-like": ("CastLike", ""), "compress": ("Compress", ""),
        "concat-from-sequence": ("ConcatFromSequence", ""), "constant-of-shape": ("ConstantOfShape", "FILL"),
        "dynamic-update-slice": ("", "DYNAMIC_UPDATE_SLICE"), "embedding": ("", "EMBEDDING_LOOKUP"),
        "expand": ("Expand", "BROADCAST_TO"), "eye": ("EyeLike", ""), "gather-elements": ("GatherElements", ""),
        "gather-nd": ("GatherND", "GATHER_ND"), "non-zero": ("NonZero", "WHERE"), "one-hot": ("OneHot", "ONE_HOT"),
        "pack": ("", "PACK"), "range": ("Range", "RANGE"), "rank": ("", "RANK"), "read-variable": ("", "READ_VARIABLE"),
        "reverse": ("", "REVERSE_V2"),
        "reverse-sequence": ("ReverseSequence", "REVERSE_SEQUENCE"), "scatter": ("Scatter", ""),
        "scatter-elements": ("ScatterElements", ""), "scatter-nd": ("ScatterND", "SCATTER_ND"),
        "select": ("Where", "SELECT_V2"), "sequence-at": ("SequenceAt", ""),
        "sequence-construct": ("SequenceConstruct", ""), "sequence-empty": ("SequenceEmpty", ""),
        "sequence-erase": ("SequenceErase", ""), "sequence-insert": ("SequenceInsert", ""),
        "sequence-length": ("SequenceLength", ""), "shape": ("Shape", "SHAPE"), "size": ("Size", ""),
        "space-to-batch": ("", "SPACE_TO_BATCH_ND"), "sparse-to-dense": ("", "SPARSE_TO_DENSE"),
        "split-to-sequence": ("SplitToSequence", ""),
        "triangle": ("Trilu", ""), "unpack": ("", "UNPACK"), "variable": ("", "VAR_HANDLE"),
        "zeros-like": ("", "ZEROS_LIKE"),
    },
}  # fmt: skip
"""Operators of which nothing but their cost is declared: name in ONNX and in TFLite, empty where they have none."""


def _plain(work: Work, onnx: str, tflite: str) -> Operator:
    is_pooling = work == "window"
    return Operator(work, (onnx,) if onnx else (), (tflite,) if tflite else (), has_window=is_pooling)


OPERATORS: Final[Mapping[str, Operator]] = {
    **_NAMED,
    **{name: _plain(work, *names) for work, all_ in _PLAIN.items() for name, names in all_.items()},
}
"""Every operator by its canonical name. Flatten, squeeze, expand_dims and dropout are views."""


def names_where(holds: Callable[[Operator], bool]) -> frozenset[str]:
    """Canonical names of the operators of which something is true.

    >>> sorted(names_where(lambda operator: operator.is_view))
    ['identity', 'reshape']
    """
    return frozenset(name for name, operator in OPERATORS.items() if holds(operator))


def canonical_names(names_of: Callable[[Operator], tuple[str, ...]]) -> dict[str, str]:
    """Canonical name by the name that a file format has for it.

    Args:
        names_of: names of an operator in that format.

    Raises:
        TypeError: two operators claim one name.

    >>> canonical_names(lambda operator: operator.tflite)["LOGISTIC"]
    'sigmoid'
    """
    found: dict[str, str] = {}
    for canonical, operator in OPERATORS.items():
        for name in names_of(operator):
            if found.setdefault(name, canonical) != canonical:
                raise TypeError(f"{name} is declared for {found[name]} and for {canonical}")
    return found


PICKING: Final[Mapping[str, int]] = {
    "embedding": 1, "gather": 0, "gather-elements": 0, "gather-nd": 0, "resize-nearest": 0, "slice": 0,
}  # fmt: skip
"""Operators that read no more elements of one operand than they make, with the place of that operand."""
SEQUENCES: Final[Mapping[str, tuple[slice, slice]]] = {
    "concat-from-sequence": (slice(0), slice(None)), "sequence-at": (slice(0), slice(None)),
    "sequence-construct": (slice(None), slice(0)), "sequence-empty": (slice(0), slice(0)),
    "sequence-erase": (slice(0), slice(0)), "sequence-insert": (slice(1, 2), slice(0)),
    "sequence-length": (slice(0), slice(0)), "split-to-sequence": (slice(1), slice(0)),
}  # fmt: skip
"""Operators on sequences of tensors, with those of their inputs and of their outputs whose elements they copy.

Source:
    ONNX Runtime, sequence_ops.cc and split_to_sequence: what is in a sequence already is shared.
"""
VIEWS: Final = names_where(lambda operator: operator.is_view)
"""Operators that a runtime performs without a kernel."""
WINDOWED: Final = names_where(lambda operator: operator.has_window)
"""Operators whose node carries a `Window`."""
FIRST_ONLY: Final = names_where(lambda operator: operator.reads_first_only)
"""Operators whose further inputs, if any, only state which operator it is."""
VARIADIC: Final = names_where(lambda operator: operator.is_variadic)
"""Operators that do nothing to one operand alone."""
ACTIVATIONS: Final = names_where(lambda operator: operator.is_activation)
"""Operators that cost nothing where they are fused with the operator before them."""
JOINED: Final = names_where(lambda operator: operator.joins)
"""Arithmetic with a second activation."""
