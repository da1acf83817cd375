import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from harness.errors import UsageError
from harness.graphs.faults import ModelFileError
from harness.graphs.onnx_reader import graph_of_onnx
from tests.graphs.models import (
    IMAGE,
    float_twin,
    info,
    node,
    number,
    numbers,
    onnx_model,
    small_onnx,
    small_qdq,
    weight,
)


def read(model, **inputs):
    return graph_of_onnx(model, "small.onnx", inputs)


def issue_of(model, **inputs):
    with pytest.raises(ModelFileError) as error:
        read(model, **inputs)
    assert len(error.value.issues) == 1
    return error.value.issues[0]


def ops(graph):
    return [item.op for item in graph.nodes]


def only(graph):
    assert len(graph.nodes) == 1
    return graph.nodes[0]


def one(op, inputs="x", weights=(), shape=IMAGE, opset=18, outputs="y", **attributes):
    """The node that a model of one operator becomes."""
    graph = read(
        onnx_model([node(op, inputs, outputs, **attributes)], [info("x", shape)], weights=weights, opset=opset)
    )
    return only(graph)


def test_operators_get_canonical_names_and_arithmetic_on_shapes_is_folded():
    graph = read(small_onnx())
    assert ops(graph) == ["conv", "bn", "relu6", "global-avgpool", "reshape", "fc"]
    assert graph.folded == {"shape": 1, "gather": 1, "concat": 1}
    assert [graph.tensors[item.outputs[0]].shape for item in graph.nodes] == [
        (1, 5, 8, 6),
        (1, 5, 8, 6),
        (1, 5, 8, 6),
        (1, 5, 1, 1),
        (1, 5),
        (1, 3),
    ]
    assert (graph.inputs, graph.outputs, graph.layout) == (("x",), ("y",), "channels-first")
    assert {name for name, tensor in graph.tensors.items() if tensor.is_constant} == {"w", "s", "v"}


def test_an_open_batch_is_one_unless_it_is_given():
    assert read(small_onnx()).tensors["y"].shape == (1, 3)
    graph = read(small_onnx(), x=(7, 4, 8, 6))
    assert graph.tensors["y"].shape == (7, 3)
    assert ops(graph)[-1] == "fc"


def test_a_dimension_with_a_name_has_the_same_extent_everywhere():
    model = onnx_model(
        [node("Add", "x z", "y")], [info("x", ("N", "L")), info("z", ("N", "L"))], [info("y", ("N", "L"))]
    )
    assert read(model, x=(2, 9)).tensors["y"].shape == (2, 9)


def test_an_open_extent_is_an_issue_with_the_option_that_closes_it():
    issue = issue_of(onnx_model([node("Relu", "x", "y")], [info("x", ("N", 3, "height", None))]))
    assert str(issue) == (
        "small.onnx: x: Nx3xheightx?; expected a number for every extent. "
        "Give them with --input 'x=1x3xNxN', a number for each N. [model-shape]"
    )


def test_extents_of_an_input_that_does_not_exist_name_the_nearest():
    with pytest.raises(UsageError, match="did you mean images"):
        read(onnx_model([node("Relu", "images", "y")], [info("images", IMAGE)]), image=IMAGE)


@pytest.mark.parametrize("given", [(1, 4, 8), (1, 3, 8, 6)])
def test_given_extents_that_contradict_the_file_are_an_issue(given):
    assert issue_of(onnx_model([node("Relu", "x", "y")]), x=given).rule == "model-shape"


def test_weights_without_values_are_known_by_where_they_are_read():
    model = onnx_model(
        [node("Conv", "x w b", "a"), node("BatchNormalization", "a s s s s", "c"), node("Relu", "c", "y")],
        inputs=[info("x", IMAGE), info("w", (5, 4, 3, 3)), info("b", (5,)), info("s", (5,))],
    )
    graph = read(model)
    assert graph.inputs == ("x",)
    assert graph.tensors["w"].is_constant
    assert graph.tensors["y"].shape == (1, 5, 6, 4)


def test_weights_may_be_declared_between_operators_or_as_initializers_without_data():
    empty = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(5, 4, 3, 3))
    model = onnx_model([node("Conv", "x w b", "y")], between=[info("b", (5,))], weights=[empty])
    assert read(model).tensors["y"].shape == (1, 5, 6, 4)


def test_a_quantised_weight_without_values_is_a_weight():
    model = onnx_model(
        [node("DequantizeLinear", "w scale", "wd"), node("Conv", "x wd", "y")],
        inputs=[info("x", IMAGE), info("w", (5, 4, 3, 3), TensorProto.INT8)],
        weights=[number("scale", 0.5)],
    )
    graph = read(model)
    assert graph.tensors["wd"].is_constant
    assert graph.tensors["wd"].dtype == "int8"
    assert only(graph).op == "conv"


def test_weights_without_extents_are_an_issue():
    issue = issue_of(onnx_model([node("Conv", "x w", "y")], [info("x", IMAGE), info("w", None)]))
    assert issue.rule == "model-weights"
    assert issue.column == "w"


def test_an_empty_opset_list_is_an_issue_that_says_what_to_set():
    model = small_onnx()
    del model.opset_import[:]
    issue = issue_of(model)
    assert issue.rule == "model-format"
    assert "empty opset list" in issue.found
    assert "opset_import" in issue.fix


def test_a_cycle_is_named():
    issue = issue_of(onnx_model([node("Add", "x c", "a", name="one"), node("Relu", "a", "c", name="two")]))
    assert issue.rule == "model-graph"
    assert "one -> two" in issue.found or "two -> one" in issue.found


def test_two_origins_of_a_tensor_are_an_issue():
    issue = issue_of(onnx_model([node("Relu", "x", "y", name="one"), node("Abs", "x", "y", name="two")]))
    assert (issue.rule, issue.column) == ("model-graph", "y")
    assert "one" in issue.found
    assert "two" in issue.found


def test_a_repeated_constant_is_an_issue():
    model = onnx_model([node("Add", "x w", "y")], weights=[weight("w", (1,)), weight("w", (1,))])
    assert issue_of(model).column == "w"


@pytest.mark.parametrize("model", [[node("Add", "x nobody", "y")], [node("Relu", "x", "z")]])
def test_a_tensor_without_origin_is_an_issue(model):
    assert issue_of(onnx_model(model, outputs=[info("y", None)])).rule == "model-graph"


def test_a_graph_without_operators_is_an_issue():
    assert issue_of(onnx_model([], outputs=[info("x", IMAGE)])).rule == "model-graph"


def test_operators_are_put_into_an_order_in_which_they_can_run():
    model = onnx_model(
        [node("Abs", "a", "y"), node("Neg", "x", "z"), node("Relu", "x", "a")], outputs=[info("y", None)]
    )
    assert ops(read(model)) == ["neg", "relu", "abs"]


def test_operands_that_do_not_fit_are_an_issue():
    issue = issue_of(onnx_model([node("Conv", "x w", "y", name="first")], weights=[weight("w", (5, 3, 3, 3))]))
    assert (issue.rule, issue.column) == ("model-shape", "first")
    assert "4 channels, and weights for 3" in issue.found


def test_custom_operators_keep_domain_and_name():
    foo = node("Foo", "x", "y", domain="com.acme")
    graph = read(onnx_model([foo], outputs=[info("y", (1, 2))], domains=["com.acme"]))
    assert only(graph).op == "com.acme.Foo"
    assert graph.tensors["y"].shape == (1, 2)
    assert read(onnx_model([foo], domains=["com.acme"])).tensors["y"].shape is None


def test_an_operator_that_only_looks_canonical_is_no_known_one():
    assert only(read(onnx_model([node("conv", "x", "y")]))).op == "custom.conv"


def function(name, *calls):
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["i"], [calls[-1].output[0]], list(calls), opsets)


def test_functions_are_written_out():
    twice = function("Twice", node("Relu", "i", "a"), node("Abs", "a", "o"))
    model = onnx_model([node("Twice", "x", "y", domain="own")], functions=[twice], domains=["own"])
    assert ops(read(model)) == ["relu", "abs"]


def test_functions_that_call_themselves_or_unfold_without_end_are_issues():
    own = {"domain": "own"}
    circle = [function("F", node("G", "i", "o", **own)), function("G", node("F", "i", "o", **own))]
    call = [node("F", "x", "y", **own)]
    assert "calls itself" in issue_of(onnx_model(call, functions=circle, domains=["own"])).found
    bomb = [function("F0", node("Relu", "i", "o"))]
    for depth in range(1, 60):
        inner = {"domain": "own"}
        bomb.append(
            function(f"F{depth}", node(f"F{depth - 1}", "i", "a", **inner), node(f"F{depth - 1}", "a", "o", **inner))
        )
    issue = issue_of(onnx_model([node("F59", "x", "y", **own)], functions=bomb, domains=["own"]))
    assert "unfold" in issue.found


def test_external_data_are_never_opened():
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(5, 4, 3, 3), data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="../../etc/passwd")
    empty = TensorProto(name="e", data_type=TensorProto.INT64, dims=(0,), data_location=TensorProto.EXTERNAL)
    empty.external_data.add(key="location", value="../../etc/passwd")
    model = onnx_model(
        [node("Reshape", "n e", "r"), node("Conv", "x w", "y")], weights=[outside, empty, number("n", 1)]
    )
    assert read(model).tensors["y"].shape == (1, 5, 6, 4)


def test_declared_extents_allocate_nothing():
    large = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(60_000, 60_000))
    graph = read(onnx_model([node("Gemm", "x w", "y")], [info("x", (1, 60_000))], weights=[large]))
    assert graph.tensors["w"].shape == (60_000, 60_000)


@pytest.mark.parametrize("dims", [(2**40,), (2**30, 2**30), (-5,)])
def test_absurd_extents_are_an_issue(dims):
    absurd = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    assert issue_of(onnx_model([node("Add", "x w", "y")], weights=[absurd])).rule == "model-shape"


@pytest.mark.parametrize("n_elements", [8, 4096])
def test_values_that_do_not_fill_their_extents_are_an_issue(n_elements):
    short = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(n_elements,), raw_data=b"1234")
    assert issue_of(onnx_model([node("Add", "x w", "y")], [info("x", (n_elements,))], weights=[short])).column == "w"


def test_a_shape_of_absurd_length_and_absurdly_many_outputs_are_bounded():
    long = onnx_model([node("ConstantOfShape", "x", "y")], [info("x", (2**30,), TensorProto.INT64)])
    assert read(long).tensors["y"].shape is None
    assert issue_of(onnx_model([node("Split", "x", "y", num_outputs=2**33)])).rule == "model-shape"


@pytest.mark.parametrize(
    ("attributes", "weights", "op"),
    [
        ({"min": 0.0, "max": 6.0}, (), "relu6"),
        ({"min": 0.0}, (), "relu"),
        ({"min": 0.0, "max": math.nan}, (), "clip"),
        ({"min": -1.0, "max": 1.0}, (), "clip"),
        ({}, (), "identity"),
    ],
)
def test_clips_are_told_apart(attributes, weights, op):
    assert one("Clip", opset=6, **attributes).op == op


def test_limits_of_a_clip_may_be_operands():
    assert one("Clip", "x low -", [number("low", 0)]).op == "relu"
    assert one("Clip", "x low high", [number("low", 0), number("high", 6)]).op == "relu6"
    assert one("Clip", "x low high", [number("low", 0), number("high", 1)]).op == "clip"


@pytest.mark.parametrize(
    ("attributes", "window"),
    [
        ({"strides": [2, 1]}, ((3, 3), (2, 1), (1, 1), 1, 2)),
        ({"dilations": [1, 2]}, ((3, 3), (1, 1), (1, 2), 1, 2)),
    ],
)
def test_windows_of_convolutions_follow_the_file(attributes, window):
    assert one("Conv", "x w", [weight("w", (5, 4, 3, 3))], **attributes).window == window


def test_grouped_and_one_dimensional_and_transposed_convolutions_are_told():
    assert one("Conv", "x w", [weight("w", (8, 1, 3, 3))], group=4).window.groups == 4
    line = one("Conv", "x w", [weight("w", (5, 4, 3))], (1, 4, 8))
    assert (line.window.kernel, line.window.rank) == ((1, 3), 1)
    assert one("ConvTranspose", "x w", [weight("w", (4, 5, 3, 3))]).op == "conv-transpose"


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("GlobalAveragePool", {}),
        ("AveragePool", {"kernel_shape": [8, 6]}),
        ("ReduceMean", {"axes": [2, 3]}),
        ("ReduceMean", {"axes": [-1, -2], "keepdims": 0}),
    ],
)
def test_means_over_the_whole_plane_are_global(op, attributes):
    assert one(op, opset=13, **attributes).op == "global-avgpool"


@pytest.mark.parametrize(
    ("op", "attributes", "expected"),
    [
        ("AveragePool", {"kernel_shape": [4, 6]}, "avgpool"),
        ("ReduceMean", {"axes": [1]}, "reduce-mean"),
        ("ReduceMean", {}, "reduce-mean"),
    ],
)
def test_other_means_are_not_global(op, attributes, expected):
    assert one(op, opset=13, **attributes).op == expected


def test_axes_of_a_mean_may_be_an_operand():
    assert one("ReduceMean", "x axes", [numbers("axes", 2, 3)]).op == "global-avgpool"


@pytest.mark.parametrize(
    ("shape", "op"),
    [((1, 6), "fc"), ((1, 1, 6), "fc"), ((5, 6), "matmul"), ((1, 5, 6), "matmul"), ((2, 5, 6), "matmul")],
)
def test_a_product_with_a_constant_matrix_on_one_row_an_inference_is_fully_connected(shape, op):
    assert one("MatMul", "x w", [weight("w", (6, 3))], shape).op == op


@pytest.mark.parametrize(
    ("name", "batch", "expected"),
    [("batch_size", None, 5), ("N", None, 5), ("seq_len", None, 1), ("tokens", 5, 5), ("?", None, 1)],
)
def test_a_first_extent_is_the_batch_where_the_file_or_the_user_says_so(name, batch, expected):
    model = onnx_model([node("MatMul", "x w", "y")], [info("x", (name, 6))], weights=[weight("w", (6, 3))])
    graph = graph_of_onnx(model, "made.onnx", {"x": (5, 6)}, batch)
    assert graph.batch == expected
    assert only(graph).op == ("fc" if expected == 5 else "matmul")


def test_a_batch_that_no_input_has_is_refused_with_the_extents_there_are():
    model = onnx_model([node("MatMul", "x w", "y")], [info("x", (4, 6))], weights=[weight("w", (6, 3))])
    with pytest.raises(UsageError, match="--batch 5 is the first extent of no input; the inputs are x=4x6"):
        graph_of_onnx(model, "made.onnx", batch=5)


def test_two_dimensions_without_a_name_may_differ():
    model = onnx_model([node("Relu", "x", "y")], [info("x", ("?", 3, "?", "?"))])
    assert graph_of_onnx(model, "made.onnx", {"x": (1, 3, 48, 192)}).tensors["y"].shape == (1, 3, 48, 192)


def test_a_product_of_two_activations_is_no_layer():
    model = onnx_model([node("MatMul", "x z", "y")], [info("x", (1, 6)), info("z", (6, 3))])
    assert only(read(model)).op == "matmul"


@pytest.mark.parametrize(
    ("op", "attributes", "expected"),
    [
        ("HardSwish", {}, "hswish"),
        ("HardSigmoid", {}, "hsigmoid"),
        ("Dropout", {}, "identity"),
        ("Identity", {}, "identity"),
        ("Flatten", {}, "reshape"),
        ("Sum", {}, "identity"),
        ("LpPool", {"kernel_shape": [2, 2]}, "lp-pool"),
    ],
)
def test_single_operators_have_their_names(op, attributes, expected):
    assert one(op, **attributes).op == expected


def test_qdq_pairs_are_folded_and_the_ends_remain():
    graph = read(small_qdq())
    assert ops(graph) == ["quantize", "conv", "relu", "conv", "dequantize"]
    assert graph.folded == {"dequantize": 4, "quantize": 2}
    dtypes = [[graph.tensors[name].dtype for name in (item.inputs[0], item.outputs[0])] for item in graph.nodes]
    assert dtypes == [["fp32", "int8"], ["int8", "int8"], ["int8", "int8"], ["int8", "int8"], ["int8", "fp32"]]
    assert graph.tensors["wd"].dtype == "int8"


def test_a_qdq_graph_has_the_convolutions_of_its_float_twin():
    def convolutions(model):
        graph = read(model)
        return [
            (item.window, graph.tensors[item.outputs[0]].shape, len(item.inputs))
            for item in graph.nodes
            if item.op == "conv"
        ]

    assert convolutions(small_qdq()) == convolutions(float_twin())


def test_what_needs_floats_between_quantised_operators_stays_in_floats():
    small = small_qdq()
    nodes = [*small.graph.node[:-2], node("Softmax", "b", "y")]
    graph = read(onnx_model(nodes, weights=small.graph.initializer))
    assert ops(graph) == ["quantize", "conv", "relu", "dequantize", "conv", "softmax"]
    assert graph.tensors["b"].dtype == "fp32"
    assert graph.tensors["r"].dtype == "int8"


def test_a_quantised_output_of_the_network_is_that_of_its_operator():
    small = small_qdq()
    graph = read(onnx_model(list(small.graph.node[:-1]), weights=small.graph.initializer))
    assert graph.outputs == ("b",)
    assert graph.tensors["b"].dtype == "int8"


def test_a_quantisation_without_operands_is_left_as_it_is():
    graph = read(onnx_model([node("QuantizeLinear", "", "a"), node("Relu", "x", "y")], between=[info("a", IMAGE)]))
    assert ops(graph) == ["quantize", "relu"]


def test_integer_operators_keep_only_their_operands():
    weights = [
        number("s", 0.5),
        number("z", 0, np.int8),
        weight("w", (5, 4, 3, 3), np.int8),
        weight("b", (5,), np.int32),
    ]
    quantised = [info("x", IMAGE, TensorProto.INT8)]
    graph = read(onnx_model([node("QLinearConv", "x s z w s z s z b", "y")], quantised, weights=weights))
    assert (only(graph).op, only(graph).inputs) == ("conv", ("x", "w", "b"))
    assert graph.tensors["y"].dtype == "int8"
    graph = read(onnx_model([node("ConvInteger", "x w", "y")], quantised, weights=weights))
    assert (only(graph).op, only(graph).inputs) == ("conv", ("x", "w"))


def test_integer_operators_of_onnx_runtime_are_known_by_their_standard_twin():
    add = node("QLinearAdd", "x s z x s z s z", "y", domain="com.microsoft")
    model = onnx_model(
        [add],
        [info("x", IMAGE, TensorProto.INT8)],
        weights=[number("s", 0.5), number("z", 0, np.int8)],
        domains=["com.microsoft"],
    )
    graph = read(model)
    assert (only(graph).op, only(graph).inputs) == ("add", ("x", "x"))
    assert (graph.tensors["y"].shape, graph.tensors["y"].dtype) == (IMAGE, "int8")


def test_names_that_are_no_text_are_an_issue():
    content = onnx_model([node("Relu", "xxxx", "y")], [info("xxxx", IMAGE)]).SerializeToString()
    issue = issue_of(onnx.ModelProto.FromString(content.replace(b"xxxx", b"\xff\xfe\xfd\xfc")))
    assert issue.rule == "model-format"


def test_control_characters_do_not_reach_a_message():
    issue = issue_of(onnx_model([helper.make_node("Relu", ["a\nb\x1b[31m"], ["y"], name="c\rd")]))
    assert str(issue).isprintable()


@pytest.mark.parametrize(("n", "is_cut"), [(5, False), (6, True)])
def test_a_cycle_of_more_than_five_operators_is_cut_short(n, is_cut):
    ring = [node("Relu", f"t{place}", f"t{(place + 1) % n}", name=f"op{place}") for place in range(n)]
    issue = issue_of(onnx_model(ring))
    assert f"a cycle of {n} operators" in issue.found
    assert ("..." in issue.found) == is_cut


@pytest.mark.parametrize(
    ("op", "inputs", "weights", "opset", "attributes"),
    [
        ("GroupNormalization", "x s b", [weight("s", (4,)), weight("b", (4,))], 21, {"num_groups": 2}),
        ("MeanVarianceNormalization", "x", [], 13, {}),
        ("GreaterOrEqual", "x s", [weight("s", (1,))], 12, {}),
        ("Celu", "x", [], 12, {}),
    ],
)
def test_an_operator_that_the_standard_defines_by_others_has_the_extents_of_its_body(
    op, inputs, weights, opset, attributes
):
    model = onnx_model([node(op, inputs, "y", **attributes)], weights=weights, opset=opset)
    assert graph_of_onnx(model, "made.onnx").tensors["y"].shape == IMAGE


@pytest.mark.parametrize("n", [64, 65, 96])
def test_a_long_vector_may_be_reshaped(n):
    nodes = [node("Exp", "v", "e"), node("Reshape", "e s", "r"), node("Add", "x r", "y")]
    model = onnx_model(nodes, [info("x", (1, n, 4, 4)), info("v", (n,))], weights=[numbers("s", 1, n, 1, 1)])
    assert read(model).tensors["r"].shape == (1, n, 1, 1)


def test_a_constant_without_elements_has_its_values():
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s place", "g"),
        node("Reshape", "g none", "n"),
        node("Unsqueeze", "n axis", "u"),
        node("Concat", "one u", "t", axis=0),
        node("Reshape", "x t", "y"),
    ]
    # A Reshape to no extents at all makes one number.
    none = TensorProto(name="none", data_type=TensorProto.INT64, dims=(0,))
    constants = [numbers("place", 1), none, numbers("axis", 0), numbers("one", -1)]
    assert read(onnx_model(nodes, weights=constants)).tensors["y"].shape == (48, 4)


NOTHING = {
    "Cast": ("x", [], {"to": TensorProto.FLOAT}, {"to": TensorProto.FLOAT16}),
    "Expand": ("x s", [numbers("s", 4, 1, 1)], {}, [numbers("s", 2, 4, 8, 6)]),
    "Slice": ("x b e", [numbers("b", 0), numbers("e", 2**63 - 1)], {}, [numbers("b", 1), numbers("e", 2**63 - 1)]),
    "Add": ("x n", [number("n", 0)], {}, [number("n", 1)]),
    "Mul": ("n x", [number("n", 1)], {}, [number("n", 2)]),
    "Sub": ("x n", [number("n", 0)], {}, [number("n", 1)]),
    "Div": ("x n", [number("n", 1)], {}, [number("n", 2)]),
}
"""Operands and weights of an operator that does nothing, and attributes or weights with which it does something."""


@pytest.mark.parametrize("op", NOTHING)
def test_an_operator_that_does_nothing_is_a_view(op):
    inputs, weights, attributes, other = NOTHING[op]
    graph = read(onnx_model([node(op, inputs, "a", **attributes), node("Relu", "a", "y")], weights=weights))
    assert [(each.op, each.inputs) for each in graph.nodes] == [("identity", ("x",)), ("relu", ("a",))]
    weights, attributes = (weights, other) if isinstance(other, dict) else (other, attributes)
    graph = read(onnx_model([node(op, inputs, "a", **attributes), node("Relu", "a", "y")], weights=weights))
    assert graph.nodes[0].op != "identity"


@pytest.mark.parametrize(("op", "inputs"), [("Sub", "n x"), ("Div", "n x")])
def test_a_difference_from_nothing_and_a_reciprocal_are_no_views(op, inputs):
    constant = number("n", 0 if op == "Sub" else 1)
    assert only(read(onnx_model([node(op, inputs, "y")], weights=[constant]))).op == op.lower()


def test_arithmetic_that_makes_a_tensor_larger_is_no_view():
    model = onnx_model([node("Add", "x z", "y")], [info("x", (1, 1))], weights=[numbers("z", 0, kind=np.float32)])
    assert only(read(model)).op == "identity"
    wide = onnx_model([node("Add", "x z", "y")], [info("x", (3,))], weights=[weight("z", (1, 1))])
    assert only(read(wide)).op == "add"


def test_what_is_computed_again_names_what_was_first():
    nodes = [
        node("Softmax", "x", "a", axis=1),
        node("Identity", "x", "i"),
        node("Softmax", "i", "b", axis=1),
        node("Softmax", "x", "c", axis=2),
        node("Dropout", "x", "d"),
        node("RandomNormalLike", "x", "e"),
        node("RandomNormalLike", "x", "f"),
    ]
    repeats = {each.outputs[0]: each.repeats for each in read(onnx_model(nodes)).nodes}
    assert repeats == {"a": (), "i": (), "b": ("a",), "c": (), "d": (), "e": (), "f": ()}
