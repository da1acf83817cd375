"""Operators that are alike are inferred once; those that differ in anything that their outputs follow from are not."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.shape_inference import infer_node_outputs

from harness.graphs import onnx_tensors
from harness.graphs.faults import ModelFileError
from harness.graphs.onnx_alike import BY_EXTENTS
from harness.graphs.onnx_reader import graph_of_onnx
from tests.graphs.models import OPSET, info, node, numbers, onnx_model, weight

IMAGE, KERNEL, CHANNELS, NUMBER = (1, 4, 8, 6), (4, 4, 3, 3), (4,), ()
INT8 = np.int8
OPERANDS = {
    "BatchNormalization": (IMAGE, CHANNELS, CHANNELS, CHANNELS, CHANNELS),
    "Clip": (IMAGE, NUMBER, NUMBER),
    "Conv": (IMAGE, KERNEL, CHANNELS),
    "ConvTranspose": (IMAGE, KERNEL, CHANNELS),
    "DequantizeLinear": ((IMAGE, INT8), NUMBER, (NUMBER, INT8)),
    "Gemm": ((2, 3), (3, 4), CHANNELS),
    "InstanceNormalization": (IMAGE, CHANNELS, CHANNELS),
    "LayerNormalization": (IMAGE, (6,), (6,)),
    "LeakyRelu": (IMAGE,),
    "MatMul": ((2, 3), (3, 4)),
    "PRelu": (IMAGE, (4, 1, 1)),
    "QLinearConv": (
        (IMAGE, INT8), NUMBER, (NUMBER, INT8), (KERNEL, INT8), NUMBER, (NUMBER, INT8), NUMBER, (NUMBER, INT8),
        (CHANNELS, np.int32),
    ),
    "QLinearMatMul": (
        ((2, 3), INT8), NUMBER, (NUMBER, INT8), ((3, 4), INT8), NUMBER, (NUMBER, INT8), NUMBER, (NUMBER, INT8),
    ),
    "QuantizeLinear": (IMAGE, NUMBER, (NUMBER, INT8)),
    **dict.fromkeys(("Add", "Div", "Mul", "Pow", "Sub"), (IMAGE, (6,))),
}  # fmt: skip


@pytest.mark.parametrize("op", sorted(BY_EXTENTS))
def test_extents_do_not_follow_from_values(op):
    """Values of zero would be extents or axes of their own if inference read them."""
    kinds = [each if len(each) == 2 and isinstance(each[0], tuple) else (each, np.float32) for each in OPERANDS[op]]
    arrays = {f"o{place}": np.zeros(shape, kind) for place, (shape, kind) in enumerate(kinds)}
    types = {
        name: helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in arrays.items()
    }
    made = node(op, " ".join(arrays), "y")
    found = [
        infer_node_outputs(
            onnx.defs.get_schema(op, OPSET),
            made,
            types,
            {name: numpy_helper.from_array(array + value, name) for name, array in arrays.items()},
        )
        for value in (0, 1)
    ]
    without = infer_node_outputs(onnx.defs.get_schema(op, OPSET), made, types, {})
    assert found == [without, without]
    assert without["y"].tensor_type.HasField("shape")


def blocks(n):
    """Blocks of a convolution with weights and statistics of its own, and an activation."""
    nodes, weights = [], []
    for place in range(n):
        read = f"y{place - 1}" if place else "x"
        names = [f"w{place}", f"s{place}"]
        weights += [weight(names[0], (4, 4, 3, 3)), weight(names[1], (4,))]
        nodes += [
            node("Conv", f"{read} {names[0]}", f"a{place}", pads=[1, 1, 1, 1]),
            node("BatchNormalization", f"a{place} {' '.join([names[1]] * 4)}", f"b{place}"),
            node("Relu", f"b{place}", f"y{place}"),
        ]
    return onnx_model(nodes, inputs=[info("x", IMAGE)], weights=weights)


def test_blocks_that_repeat_are_inferred_once(monkeypatch):
    inferred = []

    def infer(schema, operator, *rest, **options):
        inferred.append(operator.op_type)
        return infer_node_outputs(schema, operator, *rest, **options)

    monkeypatch.setattr(onnx_tensors, "infer_node_outputs", infer)
    graph = graph_of_onnx(blocks(20), "m")
    assert inferred == ["Conv", "BatchNormalization", "Relu"]
    assert {graph.tensors[f"{name}{place}"].shape for name in "aby" for place in range(20)} == {IMAGE}


DIFFERENT = {
    "attributes": (
        [node("Transpose", "x", "p", perm=[0, 1, 3, 2]), node("Transpose", "x", "q", perm=[0, 2, 1, 3])],
        {"p": (1, 4, 6, 8), "q": (1, 8, 4, 6)},
    ),
    "extents": (
        [node("Relu", "x", "p"), node("Transpose", "p", "t", perm=[3, 2, 1, 0]), node("Relu", "t", "q")],
        {"p": (1, 4, 8, 6), "q": (6, 8, 4, 1)},
    ),
    "values": (
        [node("Reshape", "x one", "p"), node("Reshape", "x other", "q")],
        {"p": (4, 48), "q": (2, 96)},
    ),
    "operands": (
        [node("Slice", "x begin end", "p"), node("Slice", "x begin end last", "q")],
        {"p": (1, 4, 8, 6), "q": (1, 4, 8, 2)},
    ),
    "outputs": (
        [node("MaxPool", "x", "p", kernel_shape=[2, 2]), node("MaxPool", "x", "q i", kernel_shape=[2, 2])],
        {"p": (1, 4, 7, 5), "q": (1, 4, 7, 5), "i": (1, 4, 7, 5)},
    ),
}


@pytest.mark.parametrize(("nodes", "shapes"), DIFFERENT.values(), ids=DIFFERENT)
def test_operators_that_differ_make_their_own_extents(nodes, shapes):
    stored = [
        numbers("one", 4, 48),
        numbers("other", 2, 96),
        numbers("begin", 0),
        numbers("end", 2),
        numbers("last", 3),
    ]
    read = {name for each in nodes for name in each.input}
    outputs = [info(name, None) for each in nodes for name in each.output]
    model = onnx_model(nodes, outputs=outputs, weights=[each for each in stored if each.name in read])
    graph = graph_of_onnx(model, "m")
    assert {name: graph.tensors[name].shape for name in shapes} == shapes


def test_operators_on_elements_of_other_types_make_their_own():
    nodes = [node("Cast", "x", "h", to=TensorProto.FLOAT16), node("Relu", "x", "p"), node("Relu", "h", "q")]
    graph = graph_of_onnx(onnx_model(nodes, outputs=[info("p", None), info("q", None)]), "m")
    assert [graph.tensors[name].dtype for name in "pq"] == ["fp32", "fp16"]


def test_a_fault_is_one_of_every_operator_that_has_it():
    nodes = [node("Relu", "x", "a"), node("Conv", "a w", "y"), node("Conv", "y w", "z")]
    with pytest.raises(ModelFileError, match="4 channels, and weights for 3"):
        graph_of_onnx(onnx_model(nodes, weights=[weight("w", (4, 3, 3, 3))]), "m")
