"""FLOPs of products by the tensors that a runtime itself met, and the operators that it runs; nothing of the harness.

ONNX Runtime states the extents of every operator that it ran in its profile, those in branches and loops included;
LiteRT in the details of its tensors. Two FLOPs are one multiply-accumulate.
"""

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from tests.graphs.onnx_runtime import Feed, filled, optimised, profiled

Shape = tuple[int, ...]

_OF_RESULT = {"Conv": 1, "ConvInteger": 1, "DeformConv": 1, "QLinearConv": 3}
"""Convolutions with the place of their weights, of which each meets every place of the output."""
_MATRIX = ("MatMul", "MatMulInteger", "QLinearMatMul", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")
_RECURRENT = ("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM")
_NOT_COUNTED = ("Attention", "GroupQueryAttention", "MultiHeadAttention", "QAttention", "MatMulNBits", "FusedMatMul")
_LSTM = ("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM")


class Ran(NamedTuple):
    """What a runtime did with a model.

    Attributes:
        flops: FLOPs of its products; None where it ran a product that is not counted here.
        operators: operators that ran, once each, without those that work on constants or extents alone: of ONNX
            Runtime after its optimisation, by canonical name; of LiteRT as the file names them.
    """

    flops: int | None
    operators: Counter[str]


def ran_by_onnx_runtime(path: Path, shapes: Mapping[str, Shape], values: Mapping[str, int]) -> Ran:
    """Run an ONNX model with zeros or the given values.

    Args:
        path: file; weights that it does not have itself are zeros.
        shapes: extents of its inputs.
        values: value of all elements of an input, by its name; 0 for others.

    Raises:
        Exception: whatever ONNX Runtime raises on a model that it does not run.
    """
    model = _runnable(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    kinds = {info.name: info.type.tensor_type for info in model.graph.input if info.name not in weights}
    feed = {name: filled(kind, shapes[name], values.get(name, 0)) for name, kind in kinds.items()}
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for info in fixed.graph.input:
        if info.name in shapes:
            elements = info.type.tensor_type.elem_type
            info.type.CopyFrom(helper.make_tensor_type_proto(elements, shapes[info.name]))
    try:
        return _ran(fixed, feed)
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        # The extents may not fit a branch that is not taken; the runtime then learns them as it runs.
        return _ran(model, feed)


def _runnable(path: Path) -> onnx.ModelProto:
    """A model with values of all weights, and its operators under names of their own."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        is_outside = tensor.data_location == onnx.TensorProto.EXTERNAL
        if is_outside or (not tensor.raw_data and math.prod(tensor.dims) and not _n_listed(tensor)):
            zeros = np.zeros(tuple(tensor.dims), helper.tensor_dtype_to_np_dtype(tensor.data_type))
            tensor.CopyFrom(numpy_helper.from_array(zeros, tensor.name))
    for place, node in enumerate(_all_nodes(model.graph)):
        node.name = f"n{place}"
    return model


def _n_listed(tensor: onnx.TensorProto) -> int:
    """Values of a weight that the file lists one by one."""
    lists = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return sum(map(len, (*lists, tensor.string_data)))


def _ran(model: onnx.ModelProto, feed: Feed) -> Ran:
    events = profiled(model, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, feed)
    nodes = {node.name: node for node in _all_nodes(model.graph)}
    return Ran(_doubled([_onnx_products(event, nodes) for event in events]), optimised(model, feed))


def _doubled(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return 2 * sum(known) if len(known) == len(counts) else None


def _all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in [attribute.g] if attribute.HasField("g") else list(attribute.graphs):
                yield from _all_nodes(body)


def _onnx_products(event: Mapping[str, Any], nodes: Mapping[str, onnx.NodeProto]) -> int | None:
    """Multiply-accumulates of one operator that ran; None where they are not counted here."""
    op = event["op_name"]
    read, made = _shapes(event["input_type_shape"]), _shapes(event["output_type_shape"])
    if op in _OF_RESULT:
        return math.prod(made[0]) * math.prod(read[_OF_RESULT[op]][1:])
    if op == "ConvTranspose":
        return math.prod(read[0]) * math.prod(read[1][1:])
    if op in _MATRIX:
        return math.prod(made[0]) * read[0][-1]
    if op == "Gemm":
        return math.prod(read[0]) * made[0][1]
    if op in _RECURRENT:
        return math.prod(read[0][:2]) * (math.prod(read[1]) + math.prod(read[2]))
    if op == "Einsum":
        return _contraction(nodes.get(event["name"]), read)
    return None if op in _NOT_COUNTED else 0


def _shapes(stated: Sequence[Mapping[str, Sequence[int]]]) -> list[Shape]:
    return [tuple(shape) for each in stated for shape in each.values()]


def _contraction(node: onnx.NodeProto | None, read: Sequence[Shape]) -> int | None:
    if node is None or len(read) != 2:
        return None
    equation = next(item.s.decode() for item in node.attribute if item.name == "equation").replace(" ", "")
    if "." in equation:
        return None
    extents: dict[str, int] = {}
    for labels, shape in zip(equation.split("->")[0].split(","), read, strict=True):
        extents |= {label: max(extents.get(label, 1), n) for label, n in zip(labels, shape, strict=True)}
    return math.prod(extents.values())


def ran_by_litert(path: Path, litert: Path) -> Ran:
    """Run a TFLite model at the extents that it states, with zeros.

    Raises:
        Exception: whatever LiteRT raises on a model that it does not run.
    """
    if str(litert) not in sys.path:
        sys.path.append(str(litert))
    from ai_edge_litert import interpreter  # type: ignore[import-not-found]

    resolver = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = interpreter.Interpreter(str(path), experimental_op_resolver_type=resolver, num_threads=1)
    runtime.allocate_tensors()
    inputs = [each["index"] for each in runtime.get_input_details()]
    for each in runtime.get_input_details():
        runtime.set_tensor(each["index"], np.zeros(each["shape"], each["dtype"]))
    runtime.invoke()
    shapes = {each["index"]: tuple(map(int, each["shape"])) for each in runtime.get_tensor_details()}
    operators = runtime._get_ops_details()
    made = {index for operator in operators for index in operator["outputs"]}
    constants = set(shapes) - made - set(inputs) | {-1}
    counts, running = [], Counter[str]()
    for operator in operators:
        op, read, makes = operator["op_name"], list(map(int, operator["inputs"])), list(map(int, operator["outputs"]))
        # LiteRT evaluates what depends on extents alone before it runs, as the shape.cc of its kernels does.
        if op == "SHAPE" or (read and constants.issuperset(read)):
            constants.update(makes)
            continue
        running[op] += 1
        counts.append(_litert_products(op, read, makes, lambda index: shapes.get(index, ())))
    return Ran(_doubled(counts), running)


def _litert_products(op: str, read: list[int], made: list[int], shape: Callable[[int], Shape]) -> int | None:
    """Multiply-accumulates of one operator; None where they are not counted here."""
    if op in ("CONV_2D", "CONV_3D"):
        weights = shape(read[1])
        return math.prod(shape(made[0])) * math.prod(weights[1:] if op == "CONV_2D" else weights[:-1])
    if op == "DEPTHWISE_CONV_2D":
        return math.prod(shape(made[0])) * math.prod(shape(read[1])[1:3])
    if op == "TRANSPOSE_CONV":
        return math.prod(shape(read[2])) * math.prod(shape(read[1])[:3])
    if op == "FULLY_CONNECTED":
        return math.prod(shape(made[0])) * shape(read[1])[-1]
    if op == "BATCH_MATMUL":
        left, right, result = shape(read[0]), shape(read[1]), shape(made[0])
        # The extent that is summed over is in both operands, once for each row and each column.
        return math.prod(result) * math.isqrt(left[-1] * left[-2] * right[-1] * right[-2] // (result[-1] * result[-2]))
    if op in _LSTM:
        matrices = [place for place in (*range(1, 9), 16) if place < len(read) and read[place] >= 0]
        steps = math.prod(shape(read[0])[:-1])
        return steps * sum(math.prod(shape(read[place])) for place in matrices)
    if op in ("SVDF", "RNN"):
        return math.prod(shape(read[0])[:-1]) * sum(math.prod(shape(index)) for index in read[1:3])
    return None if "LSTM" in op or "RNN" in op else 0
