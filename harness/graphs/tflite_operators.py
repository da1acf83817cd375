"""Operators of TFLite as operators of a graph: canonical name, operands and window."""

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from harness.graphs.graph import Node, Window
from harness.graphs.operators import FIRST_ONLY, OPERATORS, VARIADIC, WINDOWED, canonical_names
from harness.graphs.tflite_shapes import Operands, Shape

_CANONICAL: Final = canonical_names(lambda operator: operator.tflite)
_OF_MEDIAPIPE: Final = canonical_names(lambda operator: operator.mediapipe)
"""Custom operators whose code is public."""
_ACTIVATIONS: Final = {0: None, 1: "relu", 2: "clip", 3: "relu6", 4: "tanh"}
"""Activations that are built into an operator, by their number."""
_OPERANDS: Final[Mapping[str, tuple[int, ...]]] = {
    "CONV_3D_TRANSPOSE": (2, 1, 3),
    "SPLIT": (1,),
    "SPLIT_V": (0,),
    "TRANSPOSE_CONV": (2, 1, 3),
}
"""Places of the operands where they do not come first, or where axes and sizes stand beside them."""

COMPOSITES: Final[Mapping[str, str]] = {
    "odml.group_norm": "group-norm",
    "odml.rms_norm": "rms-norm",
    "odml.scaled_dot_product_attention": "attention",
}
"""Composite operators that runtimes run as one kernel, by their name; canonical name of each.

Source:
    LiteRT, composites of the domain odml; queries, keys and values of attention are (batch, sequence, heads, channels).
"""
_LSTM_MATRICES: Final = (*range(1, 9), 16)
"""Input, recurrent and projection weights of an LSTM."""
_MATRICES: Final[Mapping[str, tuple[int, ...]]] = {
    "BIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 9), 16, *range(18, 26), 33),
    "BIDIRECTIONAL_SEQUENCE_RNN": (1, 2, 5, 6),
    "LSTM": _LSTM_MATRICES,
    "RNN": (1, 2),
    "SVDF": (1, 2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _LSTM_MATRICES,
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
}
"""Places of the matrices that every step of a recurrent operator multiplies by."""


class OperatorCall(NamedTuple):
    """An operator of the file with its tensors, as far as they are known.

    Attributes:
        op: operator of the file.
        is_custom: whether it is not one of TFLite's own.
        name: how it is call.
        inputs: names of its inputs, None for an absent one.
        outputs: names of its outputs.
        operands: extents and values of its inputs, and its options.
        made: extents of its first output.
        constants: which of its inputs are constants.
        composite: name of what a composite operator is; empty for all others.
    """

    op: str
    is_custom: bool
    name: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    operands: Operands
    made: Shape | None
    constants: frozenset[str]
    composite: str = ""


def canonical_name(call: OperatorCall) -> str:
    """Canonical name of an operator by its name alone; the file's own where it has none.

    A custom operator that bears a canonical name has `custom.` before it, because what it does is unknown.
    """
    if call.is_custom:
        return _OF_MEDIAPIPE.get(call.op) or (f"custom.{call.op}" if call.op in OPERATORS else call.op)
    if call.composite in COMPOSITES:
        return COMPOSITES[call.composite]
    return _CANONICAL.get(call.op, call.op)


def as_nodes(call: OperatorCall, batch: int) -> Iterator[Node]:
    """An operator as the graph has it, then the activation that is built into it, as a node of its own.

    The tensor between the two has the name of the output with `:before-activation` after it.
    """
    op = _settled_name(call, batch)
    everything = range(len(call.inputs))
    places = everything if call.is_custom else _OPERANDS.get(call.op, everything)
    inputs = tuple(name for place in places if place < len(call.inputs) and (name := call.inputs[place]) is not None)
    inputs = inputs[:1] if op in FIRST_ONLY else inputs
    outputs = call.outputs
    number = call.operands.options.get("FusedActivationFunction", 0)
    activation = _ACTIVATIONS.get(number, f"ACTIVATION_{number}")
    if activation is not None and outputs:
        outputs = (before_activation(outputs[0]), *outputs[1:])
    window = _window(call) if op in WINDOWED else None
    places = () if call.is_custom else _MATRICES.get(call.op, ())
    matrices = tuple(name for place in places if place < len(call.inputs) and (name := call.inputs[place]) is not None)
    yield Node(call.name, op, inputs, outputs, window, matrices, _settings(call))
    if activation is not None and outputs:
        yield Node(f"{call.name}:activation", activation, outputs[:1], call.outputs[:1])


def _settings(call: OperatorCall) -> dict[str, int]:
    """Settings that the rules of `harness.graphs.operator_flops` and names read."""
    if call.inputs and _reduces_plane(call, canonical_name(call), least_rank=3):
        return {"is_over_width": 1}
    lengths = call.operands.values[1] if call.op == "RFFT2D" and len(call.inputs) > 1 else None
    if lengths is not None:
        return {"length": math.prod(int(length) for length in lengths.reshape(-1))}
    return _of_attention(call) if COMPOSITES.get(call.composite) == "attention" and len(call.inputs) > 1 else {}


def _of_attention(call: OperatorCall) -> dict[str, int]:
    """Queries, keys and heads of attention."""
    queries, keys = call.operands.shapes[:2]
    if keys is None or len(keys) != 4:
        return {}
    found = {"n_keys": keys[1]}
    if queries is None or len(queries) != 4:
        return found
    return found | {"q_len": queries[1], "heads": queries[2], "kv_heads": keys[2], "head_size": queries[3]}


def before_activation(output: str) -> str:
    """Name of the tensor between an operator and the activation that is built into it."""
    return f"{output}:before-activation"


def _settled_name(call: OperatorCall, batch: int) -> str:
    """Canonical name of an operator, which its operands decide."""
    op = canonical_name(call)
    if call.is_custom or not call.inputs:
        return op
    if call.op == "FULLY_CONNECTED" and _is_one_row(call, batch):
        return "fc"
    if (op in VARIADIC and len(call.inputs) == 1) or (op == "split" and len(call.outputs) == 1):
        return "identity"
    is_plane = (op == "avgpool" and _covers_all(call)) or _reduces_plane(call, op, least_rank=4)
    return "global-avgpool" if is_plane else op


def _is_one_row(call: OperatorCall, batch: int) -> bool:
    """Whether a fully connected layer has constant weights and, for each inference, one row."""
    matrix = call.operands.shapes[1] if len(call.inputs) > 1 else None
    if call.made is None or matrix is None or call.inputs[1] not in call.constants:
        return False
    return math.prod(call.made[:-1]) in (1, batch)


def _covers_all(call: OperatorCall) -> bool:
    """Whether an average is that of the whole plane: exporters write means over height and width this way."""
    read, made, options = call.operands.shapes[0], call.made, call.operands.options
    if read is None or made is None or len(read) != 4:
        return False
    return (options.get("FilterHeight"), options.get("FilterWidth")) == read[1:3] and math.prod(made[1:-1]) == 1


def _reduces_plane(call: OperatorCall, op: str, *, least_rank: int) -> bool:
    """Whether a mean is over all dimensions but batch and channels; with three, the others may be tokens."""
    read, axes = call.operands.shapes[0], call.operands.values[1] if len(call.inputs) > 1 else None
    if op != "reduce-mean" or read is None or axes is None or len(read) < least_rank:
        return False
    return {int(axis) % len(read) for axis in axes.reshape(-1)} == set(range(1, len(read) - 1))


def _window(call: OperatorCall) -> Window | None:
    """Window of a convolution or pooling; None where the file lacks its options or its weights."""
    options, shapes = call.operands.options, call.operands.shapes
    if not options:
        return None
    stride = (options["StrideH"], options["StrideW"])
    if "FilterHeight" in options:
        return Window((options["FilterHeight"], options["FilterWidth"]), stride)
    place = 2 if call.op in ("CONV_3D_TRANSPOSE", "TRANSPOSE_CONV") else 0
    read, weights = (shapes[at] if at < len(shapes) else None for at in (place, 1))
    if read is None or weights is None or len(weights) != len(read) or len(weights) < 4:
        return None
    dilation = (options.get("DilationHFactor", 1), options.get("DilationWFactor", 1))
    if call.op in ("CONV_3D", "CONV_3D_TRANSPOSE"):
        depth, height, width = weights[:3]
        stride = (options["StrideD"] * stride[0], stride[1])
        dilation = (max(options["DilationDFactor"], dilation[0]), dilation[1])
        groups = read[-1] // max(weights[3], 1) if call.op == "CONV_3D" else 1
        return Window((depth * height, width), stride, dilation, groups, 3)
    groups = 1
    if call.op == "DEPTHWISE_CONV_2D":
        groups = read[-1]
    elif call.op == "CONV_2D":
        groups = read[-1] // max(weights[-1], 1)
    return Window((weights[1], weights[2]), stride, dilation, groups)
