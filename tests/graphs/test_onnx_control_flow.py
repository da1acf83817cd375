"""FLOPs and parameters of networks with bodies: If, Loop and Scan, each beside the count by hand."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from harness.errors import UsageError
from harness.graphs.faults import ModelFileError
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import as_network, kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.schema.networks import MOST_KERNELS
from tests.graphs.models import info, node, number, onnx_model, weight

ORT = read_runtime("onnxruntime-cpu")
BOOL, INT64 = TensorProto.BOOL, TensorProto.INT64
ROW = (1, 8)
PRODUCT = 2 * 8 * 8
"""FLOPs of one row by the matrix `w`."""


def body(name, nodes, inputs=(), outputs=(), weights=()):
    return helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(weights))


def branch(made, *nodes, weights=(), shape=ROW):
    return body(made, nodes, outputs=[info(made, shape)], weights=weights)


def turn(*nodes, carried=(("h", ROW, "g"),), stacked=(), weights=(), condition="go"):
    """Body of a loop: what it carries, each as its name, its extents and the tensor it becomes."""
    inputs = [info("i", (), INT64), info("go", (), BOOL), *(info(name, shape) for name, shape, _ in carried)]
    outputs = [info("going", (), BOOL), *(info(after, shape) for _, shape, after in carried)]
    outputs += [info(name, None) for name in stacked]
    return body("body", [node("Identity", condition, "going"), *nodes], inputs, outputs, weights)


def read(model, extents=None, **values):
    return graph_of_onnx(model, "small.onnx", extents or {}, values=values)


def listed(nodes, inputs=(), weights=(), extents=None, values=None, outputs="y", opset=18):
    made = [info(name, None) for name in outputs.split()]
    model = onnx_model(nodes, [info("x", ROW), *inputs], made, [weight("w", (8, 8)), *weights], opset=opset)
    graph = read(model, extents, **values or {})
    return graph, kernel_list(graph, ORT)


def two_branches(condition="is"):
    then = branch("a", node("MatMul", "x v", "a"), weights=[weight("v", (8, 8))])
    other = branch("b", node("MatMul", "x v", "u"), node("MatMul", "u v", "b"), weights=[weight("v", (8, 8))])
    return node("If", condition, "y", then_branch=then, else_branch=other)


@pytest.mark.parametrize(("truth", "n"), [(True, 1), (False, 2)])
def test_a_constant_condition_leaves_one_branch(truth, n):
    graph, found = listed([two_branches()], weights=[number("is", truth, bool)])
    assert (found.flops, found.params, graph.notes) == (n * PRODUCT, 64, ())
    assert graph.tensors["y"].shape == ROW


def test_a_condition_may_follow_from_extents():
    nodes = [
        node("Shape", "x", "s"),
        node("Size", "s", "rank"),
        node("Equal", "rank two", "is"),
        two_branches(),
    ]
    graph, found = listed(nodes, weights=[number("two", 2, np.int64)])
    assert (found.flops, graph.notes) == (PRODUCT, ())


@pytest.mark.parametrize(("value", "n"), [("16000", 1), ("8000", 2)])
def test_an_input_of_one_element_that_is_given_a_value_settles_a_branch(value, n):
    nodes = [node("Equal", "sr rate", "is"), two_branches()]
    inputs, weights = [info("sr", (), INT64)], [number("rate", 16000, np.int64)]
    graph, found = listed(nodes, inputs, weights, values={"sr": value})
    assert (found.flops, graph.inputs, graph.notes) == (n * PRODUCT, ("x",), ())


def test_of_branches_that_are_not_settled_the_one_with_the_most_flops_counts_and_a_note_says_so():
    nodes = [node("Equal", "sr rate", "is"), two_branches(), node("Relu", "y", "z")]
    inputs, weights = [info("sr", (), INT64)], [number("rate", 16000, np.int64)]
    graph, found = listed(nodes, inputs, weights, outputs="z")
    assert found.flops == 2 * PRODUCT + 1 + 8
    assert found.params == 2 * 64
    (note,) = graph.notes
    assert note == (
        "If If_1: else_branch is counted, because it has the most FLOPs; which branch runs depends on sr; "
        "--set sr=VALUE settles it"
    )


def test_a_condition_that_depends_on_data_is_named_itself():
    nodes = [node("ReduceMax", "x", "m", keepdims=0), node("Greater", "m zero", "is"), two_branches()]
    graph, found = listed(nodes, weights=[number("zero", 0)])
    assert found.flops == 2 * PRODUCT + 8 + 1
    assert graph.notes[0].endswith("which branch runs depends on is")


def test_one_cause_of_several_open_branches_is_one_note():
    second = two_branches()
    second.output[0] = "z"
    graph, _ = listed([two_branches(), second], [info("is", (), BOOL)], outputs="y z")
    (note,) = graph.notes
    assert note.startswith("If If_0, If_1: else_branch is counted")


def test_branches_of_other_extents_are_those_of_the_branch_that_counts():
    then = branch("a", node("MatMul", "x v", "a"), weights=[weight("v", (8, 4))], shape=(1, 4))
    other = branch("b", node("MatMul", "x v", "b"), weights=[weight("v", (8, 6))], shape=(1, 6))
    nodes = [node("If", "is", "y", then_branch=then, else_branch=other), node("Relu", "y", "z")]
    graph, found = listed(nodes, [info("is", (), BOOL)], outputs="z")
    assert graph.tensors["z"].shape == (1, 6)
    assert (found.flops, found.params) == (2 * 8 * 6 + 6, 32 + 48)


def test_a_branch_may_pass_on_what_is_around_it():
    empty = body("empty", [], outputs=[info("x", ROW)])
    passing = branch("b", node("Identity", "x", "b"))
    for nothing in (empty, passing):
        costly = branch("a", node("MatMul", "x w", "a"))
        choice = node("If", "is", "y", then_branch=costly, else_branch=nothing)
        assert listed([choice, node("Relu", "y", "z")], [info("is", (), BOOL)], outputs="z")[1].flops == PRODUCT + 8
        settled, found = listed([choice, node("Relu", "y", "z")], weights=[number("is", False, bool)], outputs="z")
        assert (found.flops, settled.tensors["y"].shape) == (8, ROW)


def test_a_branch_that_does_not_fit_its_operands_cannot_be_the_one_that_runs():
    then = branch("a", node("MatMul", "x w", "a"))
    other = branch("b", node("MatMul", "x v", "b"), weights=[weight("v", (100, 8))], shape=None)
    graph, found = listed([node("If", "is", "y", then_branch=then, else_branch=other)], [info("is", (), BOOL)])
    assert found.flops == PRODUCT
    assert "then_branch is counted, because the other does not fit its operands" in graph.notes[0]
    with pytest.raises(ModelFileError, match="operands that do not fit"):
        listed([node("If", "is", "y", then_branch=other, else_branch=other)], [info("is", (), BOOL)])


def test_names_of_bodies_are_their_own():
    inner = branch("y", node("MatMul", "x w", "t"), node("MatMul", "t w", "y"))
    choice = node("If", "is", "t", then_branch=inner, else_branch=inner)
    graph, found = listed([choice, node("Relu", "t", "y")], weights=[number("is", True, bool)])
    assert [kernel.operator for kernel in found.kernels] == ["fc", "fc+relu"]
    assert len({item.name for item in graph.nodes}) == len(graph.nodes)


def test_nothing_is_fused_into_a_branch_that_may_not_run():
    convolution = node("Conv", "p k", "c", kernel_shape=[1, 1])
    then, other = branch("a", node("Relu", "c", "a"), shape=None), branch("b", node("Abs", "c", "b"), shape=None)
    model = onnx_model(
        [convolution, node("If", "is", "y", then_branch=then, else_branch=other)],
        [info("p", (1, 4, 8, 8)), info("is", (), BOOL)],
        weights=[weight("k", (4, 4, 1, 1))],
    )
    assert [kernel.operator for kernel in kernel_list(read(model), ORT).kernels] == ["conv", "relu"]


def loop(*nodes, trips="n", condition="go", read="x", made="y", **settings):
    return node("Loop", f"{trips} {condition} {read}", made, body=turn(*nodes, **settings))


def constants(n=5, is_on=True):
    return [number("n", n, np.int64), number("go", is_on, bool)]


@pytest.mark.parametrize("n", [1, 5, 10**6])
def test_a_body_counts_as_often_as_it_runs_and_is_listed_once(n):
    _, found = listed([loop(node("MatMul", "h w", "g"))], weights=constants(n))
    (kernel,) = found.kernels
    assert (kernel.operator, kernel.count, kernel.flops, kernel.params) == ("fc", n, n * PRODUCT, 64)
    assert kernel.bytes_moved == n * 4 * (8 + 8 + 64)
    assert (found.flops, found.params) == (n * PRODUCT, 64)
    assert (kernel.of_one_run().flops, kernel.of_one_run().bytes_moved) == (PRODUCT, 4 * 80)


@pytest.mark.parametrize("name", ["n", "go"])
def test_absent_operands_of_a_loop(name):
    absent = {"trips": "-"} if name == "n" else {"condition": "-"}
    graph, found = listed([loop(node("MatMul", "h w", "g"), **absent)], weights=constants())
    if name == "n":
        assert (found.unknown, graph.notes[0].split(":")[0]) == (("Loop",), "Loop Loop_0")
    else:
        assert found.flops == 5 * PRODUCT


def test_a_trip_count_may_follow_from_extents():
    nodes = [node("Shape", "x", "s"), node("Gather", "s one", "n"), loop(node("MatMul", "h w", "g"))]
    _, found = listed(nodes, weights=[number("one", 1, np.int64), number("go", True, bool)])
    assert found.flops == 8 * PRODUCT


def test_a_trip_count_may_be_given():
    inputs, weights = [info("n", (1,), INT64)], [number("go", True, bool)]
    graph, found = listed([loop(node("MatMul", "h w", "g"))], inputs, weights, values={"n": "7"})
    assert (found.flops, graph.notes) == (7 * PRODUCT, ())


def test_a_loop_that_does_not_run_passes_on_what_it_carries():
    for weights in (constants(0), constants(5, is_on=False)):
        nodes = [loop(node("MatMul", "h w", "g")), node("Relu", "y", "z")]
        graph, found = listed(nodes, weights=weights, outputs="z")
        assert (found.flops, found.params, graph.tensors["y"].shape) == (8, 64, ROW)


def test_runs_that_are_not_known_leave_flops_unknown_and_the_rest_listed():
    nodes = [node("Relu", "x", "r"), loop(node("MatMul", "h w", "g"), read="r"), node("MatMul", "y w", "z")]
    graph, found = listed(nodes, [info("n", (), INT64)], [number("go", True, bool)], outputs="z")
    assert [(kernel.operator, kernel.flops) for kernel in found.kernels] == [
        ("relu", 8),
        ("Loop", None),
        ("fc", PRODUCT),
    ]
    assert (found.unknown, found.flops, found.params) == (("Loop",), 8 + PRODUCT, 64)
    assert graph.tensors["y"].shape == ROW
    assert graph.notes == (
        "Loop Loop_1: its FLOPs are unknown, because the number of its runs is; that depends on n; "
        "--set n=VALUE settles it",
    )


def test_weights_of_a_loop_of_unknown_runs_are_parameters():
    body_of = loop(node("MatMul", "h v", "g"), weights=[weight("v", (8, 8))])
    _, found = listed([body_of], [info("n", (), INT64)], [number("go", True, bool)])
    assert found.params == 64


def test_a_condition_of_data_makes_the_runs_unknown_even_with_a_trip_count():
    nodes = [node("MatMul", "h w", "g"), node("ReduceMax", "g", "m", keepdims=0), node("Less", "m one", "less")]
    graph, found = listed([loop(*nodes, condition="go")], weights=[*constants(), number("one", 1)])
    assert found.flops == 5 * (PRODUCT + 8 + 1)
    settings = {"body": turn(*nodes, condition="less")}
    graph, found = listed([node("Loop", "n go x", "y", **settings)], weights=[*constants(), number("one", 1)])
    assert found.unknown == ("Loop",)
    assert "that depends on Loop_0/body/going" in graph.notes[0]


@pytest.mark.parametrize(("comparison", "start", "step", "n"), [
    ("Less", 0, 1, 10), ("LessOrEqual", 0, 1, 11), ("Less", 4, 3, 2), ("Greater", 20, -1, 10),
])  # fmt: skip
@pytest.mark.parametrize("is_after", [True, False])
def test_a_counter_that_the_condition_compares_tells_the_runs(comparison, start, step, n, is_after):
    compared = "next" if is_after else "k"
    body_of = turn(
        node("MatMul", "h w", "g"),
        node("Add", "k step", "next"),
        node(comparison, f"{compared} ten", "less"),
        carried=(("h", ROW, "g"), ("k", (), "next")),
        condition="less",
    )
    weights = [number("go", True, bool), number("step", step, np.int64), number("ten", 10, np.int64)]
    weights += [number("start", start, np.int64)]
    model = onnx_model(
        [node("Loop", "- go x start", "y last", body=body_of)],
        [info("x", ROW)],
        [info("y", None)],
        [weight("w", (8, 8)), *weights],
    )
    kernels = kernel_list(read(model), ORT).kernels
    counts = {kernel.operator: kernel.count for kernel in kernels}
    assert counts["fc"] == n + (not is_after)


def test_the_number_of_the_run_is_a_counter():
    body_of = turn(node("MatMul", "h w", "g"), node("Less", "i three", "less"), condition="less")
    weights = [number("go", True, bool), number("three", 3, np.int64)]
    _, found = listed([node("Loop", "- go x", "y", body=body_of)], weights=weights)
    assert next(kernel.count for kernel in found.kernels if kernel.operator == "fc") == 4


def test_loops_in_loops_multiply():
    inner = node("Loop", "three go h", "g", body=turn(node("MatMul", "h w", "g")))
    _, found = listed([loop(inner)], weights=[*constants(5), number("three", 3, np.int64)])
    assert [(kernel.count, kernel.flops, kernel.params) for kernel in found.kernels] == [(15, 15 * PRODUCT, 64)]


def test_a_branch_in_a_loop_and_a_loop_in_a_branch():
    costly = branch("a", node("MatMul", "h w", "t"), node("MatMul", "t w", "a"))
    cheap = branch("b", node("MatMul", "h w", "b"))
    choice = node("If", "is", "g", then_branch=costly, else_branch=cheap)
    assert listed([loop(choice)], [info("is", (), BOOL)], constants())[1].flops == 5 * 2 * PRODUCT
    assert listed([loop(choice)], weights=[*constants(), number("is", False, bool)])[1].flops == 5 * PRODUCT
    repeated = branch("a", loop(node("MatMul", "h w", "g"), made="a"))
    once = branch("b", node("MatMul", "x w", "b"))
    choice = node("If", "is", "y", then_branch=once, else_branch=repeated)
    graph, found = listed([choice], [info("is", (), BOOL)], constants())
    assert (found.flops, "else_branch is counted" in graph.notes[0]) == (5 * PRODUCT, True)


def test_a_branch_that_depends_on_the_number_of_the_run_is_not_settled():
    costly = branch("a", node("MatMul", "h w", "t"), node("MatMul", "t w", "a"))
    choice = node("If", "is", "g", then_branch=costly, else_branch=branch("b", node("Identity", "h", "b")))
    graph, found = listed(
        [loop(node("Equal", "i one", "is"), choice)], weights=[*constants(), number("one", 1, np.int64)]
    )
    assert found.flops == 5 * (2 * PRODUCT + 1)
    assert "then_branch is counted" in graph.notes[0]


def test_what_every_run_adds_is_stacked():
    graph, found = listed([loop(node("MatMul", "h w", "g"), made="y z", stacked=("g",)), node("Relu", "z", "r")],
                          weights=constants(), outputs="y r")  # fmt: skip
    assert graph.tensors["z"].shape == (5, *ROW)
    assert found.flops == 5 * PRODUCT + 5 * 8


def test_a_tensor_that_grows_from_run_to_run_is_followed_run_by_run():
    growing = turn(
        node("Concat", "c x", "longer", axis=0),
        node("MatMul", "longer w", "p"),
        carried=(("c", None, "longer"),),
        stacked=("p",),
    )
    graph, found = listed([node("Loop", "n go x", "y z", body=growing)], weights=constants(3), outputs="y")
    assert [kernel.flops for kernel in found.kernels if kernel.operator == "matmul"] == [
        rows * PRODUCT for rows in (2, 3, 4)
    ]
    assert (found.params, graph.tensors["y"].shape) == (64, (4, 8))


def test_a_tensor_that_grows_over_too_many_runs_has_unknown_extents():
    growing = turn(
        node("Concat", "c x", "longer", axis=0),
        node("MatMul", "x w", "p"),
        carried=(("c", None, "longer"),),
        stacked=("p",),
    )
    _, found = listed([node("Loop", "n go x", "y z", body=growing)], weights=constants(1000), outputs="y z")
    assert found.flops == 1000 * PRODUCT
    assert found.open_end is not None


def test_constants_of_a_body_count_once():
    kept = helper.make_node("Constant", [], ["v"], value=weight("v", (8, 8)))
    growing = turn(
        kept,
        node("Concat", "c x", "longer", axis=0),
        node("MatMul", "longer v", "p"),
        carried=(("c", None, "longer"),),
        stacked=("p",),
    )
    assert listed([node("Loop", "n go x", "y z", body=growing)], weights=constants(3))[1].params == 64
    assert listed([loop(kept, node("MatMul", "h v", "g"))], weights=constants(3))[1].params == 64


def test_nothing_is_fused_through_the_ends_of_a_body():
    nodes = [node("MatMul", "x w", "m"), loop(node("Relu", "h", "g"), read="m"), node("Sigmoid", "y", "z")]
    _, found = listed(nodes, weights=constants(), outputs="z")
    assert [(kernel.operator, kernel.count) for kernel in found.kernels] == [("fc", 1), ("relu", 5), ("sigmoid", 1)]
    _, found = listed([node("MatMul", "x w", "m"), loop(node("Add", "h m", "g"))], weights=constants())
    assert [(kernel.operator, kernel.count) for kernel in found.kernels] == [("fc", 1), ("add", 5)]


SCANNED = [info("a", (6, 1, 8)), info("b", (6, 1, 8))]


def scan(**settings):
    inner = body(
        "body",
        [node("MatMul", "h w", "p"), node("Add", "p s", "q"), node("Add", "q t", "g"), node("Relu", "g", "o")],
        [info("h", ROW), info("s", ROW), info("t", ROW)],
        [info("g", ROW), info("o", ROW)],
    )
    return node("Scan", "x a b", "y z", body=inner, num_scan_inputs=2, **settings)


@pytest.mark.parametrize("settings", [{}, {"scan_input_directions": [1, 0], "scan_output_directions": [1]}])
def test_a_scan_runs_once_for_every_place(settings):
    graph, found = listed([scan(**settings)], SCANNED, outputs="y z")
    assert found.flops == 6 * (PRODUCT + 8 + 8 + 8)
    assert (graph.tensors["y"].shape, graph.tensors["z"].shape) == (ROW, (6, *ROW))


def test_a_scan_may_be_along_other_axes():
    inputs = [info("a", (1, 8, 6)), info("b", (1, 6, 8))]
    graph, found = listed([scan(scan_input_axes=[2, -2], scan_output_axes=[-1])], inputs, outputs="y z")
    assert (found.kernels[0].count, graph.tensors["z"].shape) == (6, (1, 8, 6))


def test_scanned_inputs_of_different_extents_are_an_issue():
    with pytest.raises(ModelFileError, match="scanned inputs of 5 and 6 places"):
        listed([scan()], [info("a", (6, 1, 8)), info("b", (5, 1, 8))], outputs="y z")


def test_bodies_that_do_not_fit_are_an_issue():
    with pytest.raises(ModelFileError, match="3 inputs and 2 outputs of its body"):
        listed([node("Loop", "n go", "y", body=turn(node("Relu", "h", "g")))], weights=constants())
    with pytest.raises(ModelFileError, match="no else_branch"):
        listed([node("If", "is", "y", then_branch=branch("x"))], weights=[number("is", True, bool)])


def test_nested_bodies_that_unfold_to_absurdly_many_operators_are_refused(monkeypatch):
    monkeypatch.setattr("harness.graphs.onnx_walk.MOST_MODEL_OPERATORS", 10)
    nodes = [node("Relu", "h", "h0"), *(node("Relu", f"h{n}", f"h{n + 1}") for n in range(10))]
    with pytest.raises(ModelFileError, match="more than 10 operators"):
        listed([loop(*nodes, carried=(("h", ROW, "h10"),))], weights=constants())


def test_a_tensor_that_no_scope_has_is_an_issue():
    with pytest.raises(ModelFileError, match="made by no operator"):
        listed([loop(node("MatMul", "h missing", "g"))], weights=constants())


def test_a_submitted_list_has_an_entry_for_every_run():
    _, found = listed([loop(node("MatMul", "h w", "g"))], weights=constants(5))
    network = as_network("looped", ORT, found)
    assert [kernel.flops for kernel in network.kernels] == [PRODUCT] * 5
    assert network.params == 64
    _, found = listed([loop(node("MatMul", "h w", "g"))], weights=constants(MOST_KERNELS + 1))
    with pytest.raises(UsageError, match="runs more than"):
        as_network("looped", ORT, found)


@pytest.mark.parametrize(("values", "message"), [
    ({"nn": "1"}, "did you mean n"), ({"n": "1.5"}, "whole number"), ({"n": "abc"}, "whole number"),
    ({"x": "1"}, "only one of a single element"), ({"is": "2"}, "true or false"),
    ({"n": str(2**70)}, "whole number"),
])  # fmt: skip
def test_values_that_cannot_be_set_are_an_error(values, message):
    inputs = [info("n", (), INT64), info("is", (), BOOL)]
    with pytest.raises(UsageError, match=message):
        listed([loop(node("MatMul", "h w", "g")), node("Not", "is", "isnt")], inputs, constants()[1:], values=values)


def test_extents_that_contradict_the_declared_ones_are_noted():
    model = onnx_model([node("MatMul", "x w", "y")], [info("x", ROW)], [info("y", (1, 9))], [weight("w", (8, 8))])
    assert read(model).notes == ("y is 1x8 by its operator, where the file declares 1x9; the former counts",)
