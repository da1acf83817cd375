"""Kernel lists: types and configurations, costs, what has no type, and what is wrong with a graph."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.graphs.faults import ModelFileError
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.graph import Graph, Node, Tensor, Window
from harness.graphs.kernels import as_network, kernel_list
from harness.graphs.runtime_files import runtime_names
from harness.schema.columns import arrow_schema
from harness.schema.cost import kernel_cost
from harness.schema.networks import Network, configuration_of
from harness.schema.records import KernelRow
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_REQUIRES
from tests.graphs.graphs import GraphMaker

TFLITE = read_runtime("tflite-cpu")
IMAGE = {"input_h": 16, "input_w": 12, "cin": 8}
SQUARE = {"kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1}


def only(maker, *outputs, runtime="tflite-cpu"):
    (kernel,) = maker.kernels(*outputs, runtime=runtime)
    return kernel


def row_cost(kernel):
    """Cost of the kernel row that an entry states."""
    row = {**configuration_of(kernel), "dtype": kernel.dtype}
    schema = arrow_schema(KernelRow)
    table = pa.Table.from_pylist([row], schema=pa.schema([field.with_nullable(True) for field in schema]))
    return kernel_cost(table)


def scaled(maker, x):
    """An image with every channel multiplied and shifted by constants."""
    return maker.op("add", maker.op("mul", x, maker.vector(x)), maker.vector(x))


TYPED = {
    "conv": (lambda m, x: m.conv(x, 6), "conv-bn-relu", {**IMAGE, "cout": 6, **SQUARE}),
    "conv+bn+relu": (lambda m, x: m.op("relu", m.bn(m.conv(x, 6))), "conv-bn-relu", {**IMAGE, "cout": 6, **SQUARE}),
    "conv+scale+bias+relu6": (
        lambda m, x: m.op("relu6", scaled(m, m.conv(x, 6))),
        "conv-bn-relu",
        {**IMAGE, "cout": 6, **SQUARE},
    ),
    "dwconv+bn": (lambda m, x: m.bn(m.dwconv(x)), "dwconv-bn-relu", {**IMAGE, **SQUARE}),
    "dwconv": (lambda m, x: m.dwconv(x, cout=16), "dwconv-bn-relu", {**IMAGE, "cout": 16, **SQUARE}),
    "maxpool": (lambda m, x: m.pool(x), "maxpool", {**IMAGE, **dict.fromkeys(SQUARE, 2)}),
    "avgpool+relu": (
        lambda m, x: m.op("relu", m.pool(x, "avgpool")),
        "avgpool",
        {**IMAGE, **dict.fromkeys(SQUARE, 2)},
    ),
    "global-avgpool": (lambda m, x: m.global_pool(x), "global-avgpool", IMAGE),
    "relu": (lambda m, x: m.op("relu", x), "relu", IMAGE),
    "relu6": (lambda m, x: m.op("relu6", x), "relu", IMAGE),
    "bn": (lambda m, x: m.bn(x), "bn", IMAGE),
    "scale": (lambda m, x: m.op("mul", x, m.vector(x)), "elementwise", {"rows": 192, "cin": 8}),
    "scale+bias": (scaled, "bn", IMAGE),
    "scale+bias+relu": (lambda m, x: m.op("relu", scaled(m, x)), "bnrelu", IMAGE),
    "bn+relu": (lambda m, x: m.op("relu", m.bn(x)), "bnrelu", IMAGE),
    "add": (lambda m, x: m.op("add", x, m.input()), "add", IMAGE),
    "add+relu6": (lambda m, x: m.op("relu6", m.op("add", x, m.input())), "addrelu", IMAGE),
    "hswish": (lambda m, x: m.op("hswish", x), "hswish", IMAGE),
    "se": (lambda m, x: m.squeeze(x), "se", IMAGE),
    "channelshuffle": (lambda m, x: m.shuffle(x), "channelshuffle", IMAGE),
    "split": (lambda m, x: m.split(x), "split", IMAGE),
    "concat": (lambda m, x: m.concat(x, m.split(m.input())[0], m.input()), "concat", {**IMAGE, "cin2": 4, "cin3": 8}),
    "fc": (lambda m, x: m.fc(m.input((1, 10)), 4), "fc", {"cin": 10, "cout": 4}),
    "conv-dilated+relu": (
        lambda m, x: m.op("relu", m.conv(x, 6, dilation=(2, 1))),
        "conv-bn-relu",
        {**IMAGE, "cout": 6, **SQUARE, "dilation_h": 2},
    ),
    "dwconv-dilated": (
        lambda m, x: m.dwconv(x, dilation=(2, 2)),
        "dwconv-bn-relu",
        {**IMAGE, **SQUARE, "dilation_h": 2, "dilation_w": 2},
    ),
    "conv-transpose": (
        lambda m, x: m.add_node(
            "conv-transpose",
            [x, m.weight(m.place(x)[1], 4, 3, 3)],
            [(1, 4, 2 * m.place(x)[2], 2 * m.place(x)[3])],
            Window((3, 3), (2, 2)),
        ),
        "conv-transpose",
        {**IMAGE, "cout": 4, **SQUARE, "stride_h": 2, "stride_w": 2},
    ),
    "resize": (
        lambda m, x: m.op("resize", x, shape=(*m.place(x)[:2], 32, 24)),
        "resize",
        {**IMAGE, "output_h": 32, "output_w": 24},
    ),
    "matmul": (lambda m, x: m.fc(m.input((1, 5, 8)), 3, bias=False), "matmul", {"rows": 5, "cin": 8, "cout": 3}),
    "softmax": (lambda m, x: m.op("softmax", m.input((1, 5, 8))), "softmax", {"rows": 5, "cin": 8}),
    "embedding": (
        lambda m, x: m.op("gather", m.weight(1000, 64), m.input((1, 16)), shape=(1, 16, 64)),
        "embedding",
        {"rows": 16, "entries": 1000, "cout": 64},
    ),
    "attention": (
        lambda m, x: m.add_node(
            "attention",
            [m.input((1, 6, 32)), m.input((1, 10, 16)), m.input((1, 10, 16))],
            [(1, 6, 32)],
            settings={"n_keys": 10, "q_len": 6, "heads": 4, "kv_heads": 2, "head_size": 8},
        ),
        "attention",
        {"q_len": 6, "kv_len": 10, "heads": 4, "kv_heads": 2, "head_size": 8},
    ),
    "lstm": (lambda m, x: recurrent(m, "lstm", 4), "lstm", {"rows": 7, "cin": 8, "cout": 16}),
    "gru": (lambda m, x: recurrent(m, "gru", 3, 2), "gru", {"rows": 7, "cin": 8, "cout": 16, "directions": 2}),
    "rms-norm": (lambda m, x: m.op("rms-norm", m.input((1, 5, 8)), m.weight(8)), "norm", {"rows": 5, "cin": 8}),
    "sigmoid": (lambda m, x: m.op("sigmoid", x), "elementwise", {"rows": 192, "cin": 8}),
    "mul": (lambda m, x: m.op("mul", x, m.input()), "elementwise", {"rows": 192, "cin": 8, "cin2": 8}),
    "add-broadcast": (
        lambda m, x: m.op("add", x, m.input((1, 1, 1, 1))),
        "elementwise",
        {"rows": 192, "cin": 8},
    ),
    "sub-constant": (lambda m, x: m.op("sub", x, m.weight(*m.shape(x)[1:])), "elementwise", {"rows": 192, "cin": 8}),
}
FUNCTIONS = {
    "rms-norm": "rms-norm", "sigmoid": "sigmoid", "scale": "mul", "mul": "mul", "add-broadcast": "add",
    "sub-constant": "sub",
}  # fmt: skip
"""What the examples compute whose type has several functions."""


def recurrent(maker, op, gates, directions=1, cin=8, cout=16):
    """A recurrent operator over 7 steps, with its two matrices and its biases."""
    extents = ((gates * cout, cin), (gates * cout, cout), (2 * gates * cout,))
    weights = [maker.weight(directions, *shape) for shape in extents]
    read = maker.input((7, 1, cin))
    return maker.add_node(op, [read, *weights], [(7, directions, 1, cout)], matrices=tuple(weights[:2]))


WITHOUT_A_PARAMETER = (
    "conv", "dwconv", "scale", "conv-dilated+relu", "dwconv-dilated", "conv-transpose", "rms-norm", "embedding",
    "add-broadcast", "sub-constant",
)  # fmt: skip


def typed(maker, operator):
    """Entry of an example."""
    outputs = TYPED[operator][0](maker, maker.input())
    entries = maker.kernels(*([outputs] if isinstance(outputs, str) else outputs))
    (found,) = [entry for entry in entries if entry.operator == operator]
    return found


@pytest.mark.parametrize("operator", TYPED)
def test_kernel_has_the_type_and_exactly_the_fields_of_its_type(operator):
    _, kernel, configuration = TYPED[operator]
    found = typed(GraphMaker(), operator)
    function = {"function": FUNCTIONS[operator]} if operator in FUNCTIONS else {}
    configuration = function | configuration
    assert (found.operator, configuration_of(found)) == (operator, {"kernel": kernel, **configuration})
    required, allowed = KERNEL_REQUIRES[kernel], KERNEL_ALLOWS.get(kernel, ())
    assert set(required) <= set(configuration) <= {*required, *allowed}


def test_every_kernel_type_is_among_the_examples():
    assert {kernel for _, kernel, _ in TYPED.values()} == set(KERNEL_REQUIRES)


@given(
    operator=st.sampled_from(sorted(TYPED)),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    quarter=st.integers(1, 8),
)
def test_flops_are_those_of_the_kernel_row_where_padding_is_same(operator, height, width, quarter):
    found = typed(GraphMaker(image=(1, 4 * quarter, height, width)), operator)
    cost = row_cost(found)
    assert found.flops == cost.flops[0]
    # A row cannot say that there is no bias, no shift, and what is broadcast.
    if operator not in WITHOUT_A_PARAMETER:
        assert (found.params, found.bytes_moved) == (cost.params[0], cost.bytes_moved[0])


@given(
    cout=st.integers(1, 4),
    groups=st.sampled_from([1, 2, 4, 8]),
    kernel=st.tuples(st.integers(1, 10), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_convolutions_of_any_window_cost_what_their_row_costs(cout, groups, kernel, stride):
    maker = GraphMaker()
    x = maker.input((1, 8, 19, 7))
    found = only(maker, maker.conv(x, 8 * cout, kernel, stride, groups, bias=True))
    cost = row_cost(found)
    assert (found.flops, found.params, found.bytes_moved) == (cost.flops[0], cost.params[0], cost.bytes_moved[0])
    assert found.groups == (groups if 1 < groups < 8 else None)
    assert found.kernel == ("dwconv-bn-relu" if groups == 8 else "conv-bn-relu")


def test_valid_padding_counts_the_outputs_that_there_are():
    maker = GraphMaker()
    y = maker.conv(maker.input((1, 1, 10, 10)), 1, (3, 3))
    maker.tensors[y] = maker.tensors[y]._replace(shape=(1, 1, 8, 8))
    assert only(maker, y).flops == 2 * 64 * 9


def test_a_convolution_in_one_dimension_has_height_1():
    maker = GraphMaker("channels-last")
    x = maker.tensor((1, 40, 8))
    maker.inputs.append(x)
    y = maker.add_node("conv", [x, maker.weight(5, 8, 16)], [(1, 40, 16)], Window((1, 5), rank=1))
    found = only(maker, y)
    fields = {"input_h": 1, "input_w": 40, "cin": 8, "cout": 16, "kernel_h": 1, "kernel_w": 5, "stride_h": 1}
    assert (found.operator, configuration_of(found)) == (
        "conv1d",
        {"kernel": "conv-bn-relu", **fields, "stride_w": 1},
    )
    assert found.flops == 2 * 40 * 5 * 8 * 16


UNTYPED = {
    "argmax": (lambda m, x: m.op("argmax", x), 1536),
    "convolve": (lambda m, x: m.op("convolve", x), None),
    "com.acme.Foo": (lambda m, x: m.op("com.acme.Foo", x), None),
    "transpose": (lambda m, x: m.op("transpose", x), 0),
    "cos": (lambda m, x: m.op("cos", x), 1536),
    "add": (lambda m, x: m.op("add", x, m.input(), m.input()), 2 * 1536),
    "concat": (lambda m, x: m.concat(x, *(m.input() for _ in range(4))), 0),
    "concat-spatial": (lambda m, x: m.op("concat", x, m.input(), shape=(1, 8, 32, 12)), 0),
    "reduce-mean": (lambda m, x: m.op("reduce-mean", x, shape=(1, 1, 16, 12)), 1536),
}


@pytest.mark.parametrize("operator", UNTYPED)
def test_what_has_no_type_is_named_for_what_it_is_and_has_its_flops(operator):
    make, flops = UNTYPED[operator]
    maker = GraphMaker()
    found = only(maker, make(maker, maker.input()))
    assert (found.operator, found.kernel, found.flops) == (operator, None, flops)
    assert configuration_of(found) == {}


def test_a_transposed_convolution_counts_every_input_with_every_weight():
    found = typed(GraphMaker(), "conv-transpose")
    assert (found.flops, found.params) == (2 * 192 * 8 * 4 * 9, 8 * 4 * 9)


CELLS = {
    "a matrix a gate": ([(16, 8)] * 4 + [(16, 16)] * 4, {"rows": 7, "cin": 8, "cout": 16}),
    "both directions": (([(16, 8)] * 4 + [(16, 16)] * 4) * 2, {"rows": 7, "cin": 8, "cout": 16, "directions": 2}),
    "transposed": ([(1, 8, 64), (1, 16, 64)], {"rows": 7, "cin": 8, "cout": 16}),
    "projected": ([(16, 8)] * 4 + [(16, 4)] * 4, {}),
    "three gates": ([(16, 8)] * 3 + [(16, 16)] * 3, {}),
    "unknown": ([None, None], {}),
    "none": ([], {}),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_has_its_type_where_its_matrices_are_those_of_its_gates(case):
    shapes, configuration = CELLS[case]
    maker = GraphMaker()
    weights = tuple(maker.tensor(shape, is_constant=True) for shape in shapes)
    found = only(maker, maker.add_node("lstm", [maker.input((7, 1, 8)), *weights], [(7, 1, 16)], matrices=weights))
    assert configuration_of(found) == ({"kernel": "lstm"} | configuration if configuration else {})


def test_a_product_of_activations_states_how_many_there_are():
    maker = GraphMaker()
    found = only(maker, maker.op("matmul", maker.input((1, 4, 5, 8)), maker.input((1, 4, 8, 3)), shape=(1, 4, 5, 3)))
    assert configuration_of(found) == {"kernel": "matmul", "rows": 5, "cin": 8, "cout": 3, "batch": 4}
    cost = row_cost(found)
    assert (found.flops, found.params, found.bytes_moved) == (cost.flops[0], 0, cost.bytes_moved[0])
    assert found.flops == 2 * 4 * 5 * 8 * 3


def test_a_product_that_broadcasts_an_operand_has_no_type():
    maker = GraphMaker()
    found = only(maker, maker.op("matmul", maker.input((1, 4, 5, 8)), maker.input((1, 1, 8, 3)), shape=(1, 4, 5, 3)))
    assert (found.operator, found.kernel, found.flops) == ("matmul", None, 2 * 4 * 5 * 8 * 3)


def test_a_scale_by_one_number_is_a_product_with_a_constant():
    maker = GraphMaker()
    found = only(maker, maker.op("mul", maker.input(), maker.weight()))
    assert configuration_of(found) == {"kernel": "elementwise", "function": "mul", "rows": 192, "cin": 8}


def test_softmax_goes_along_the_axis_that_it_states():
    maker = GraphMaker()
    found = only(maker, maker.add_node("softmax", [maker.input()], [(1, 8, 16, 12)], settings={"row_length": 8}))
    assert configuration_of(found) == {"kernel": "softmax", "rows": 192, "cin": 8}


def test_a_gather_that_reads_no_rows_of_a_table_is_a_gather():
    maker = GraphMaker()
    table = maker.weight(64, 1000)
    other = maker.add_node("gather", [table, maker.input((1, 16))], [(64, 1, 16)], settings={"axis": 1})
    assert only(maker, other).operator == "gather"


@pytest.mark.parametrize(("shape", "batch"), [((1, 8), 1), ((4, 8), 4)])
def test_rows_of_the_batch_are_no_rows_of_a_matrix(shape, batch):
    maker = GraphMaker()
    graph = replace(maker.graph(maker.fc(maker.input(shape), 3)), batch=batch)
    (found,) = kernel_list(graph, TFLITE).kernels
    assert (found.operator, found.flops, found.bytes_moved) == ("fc", 2 * 24, 4 * (8 + 3 + 27))


def test_a_first_extent_that_nobody_calls_the_batch_counts():
    maker = GraphMaker()
    found = only(maker, maker.fc(maker.input((128, 8)), 3))
    assert (found.operator, found.kernel, found.flops) == ("matmul", "matmul", 2 * 128 * 24)


def test_several_rows_are_a_matrix_multiplication():
    maker = GraphMaker()
    found = only(maker, maker.fc(maker.input((1, 5, 8)), 3))
    assert (found.operator, found.kernel, found.flops, found.params) == ("matmul", "matmul", 2 * 5 * 24, 27)


def test_rows_that_come_out_of_one_input_are_not_taken_for_its_batch():
    maker = GraphMaker()
    rows = maker.op("reshape", maker.input((1, 5, 8)), shape=(5, 8))
    found = only(maker, maker.fc(rows, 3))
    assert (found.operator, found.flops) == ("matmul", 2 * 5 * 24)


def test_a_residual_addition_in_a_convolution_keeps_its_flops_and_its_bytes():
    maker = GraphMaker()
    x = maker.input()
    joined = only(maker, maker.op("relu", maker.op("add", maker.bn(maker.conv(x)), x)), runtime="tflite-gpu")
    assert (joined.operator, joined.kernel) == ("conv+bn+add+relu", "conv-bn-relu")
    assert joined.flops == row_cost(joined).flops[0] + 1536


def test_bytes_are_counted_at_the_entrys_data_type():
    for dtype, n_bytes in (("int8", 1), ("fp16", 2), ("fp32", 4)):
        maker = GraphMaker(dtype=dtype)
        found = only(maker, maker.op("relu", maker.input()))
        assert (found.dtype, found.bytes_moved) == (dtype, 2 * 1536 * n_bytes)


def test_a_kernel_between_two_data_types_has_the_wider():
    maker = GraphMaker()
    x = maker.input()
    y = maker.op("quantize", x)
    maker.tensors[y] = maker.tensors[y]._replace(dtype="int8")
    assert only(maker, y).dtype == "fp32"


def test_extents_that_no_row_may_have_leave_a_kernel_without_type():
    maker = GraphMaker()
    found = only(maker, maker.op("relu", maker.input((1, 1, 1, 2_000_000))))
    assert (found.operator, found.kernel, found.flops) == ("relu", None, 2_000_000)


def test_absurd_extents_are_counted_as_the_most_that_may_be_stated():
    maker = GraphMaker()
    found = only(maker, maker.conv(maker.input((1, 10**6, 10**6, 10**6)), 10**6, bias=True))
    assert (found.flops, found.bytes_moved) == (10**18, 10**18)


@pytest.mark.parametrize("runtime", runtime_names())
def test_an_unknown_operator_lowers_coverage_instead_of_vanishing(runtime):
    maker = GraphMaker()
    x = maker.conv(maker.input())
    known = kernel_list(maker.graph(x), read_runtime(runtime))
    assert (known.coverage_kernels, known.coverage_flops, known.unsupported) == (1, 1, ())
    y = maker.op("com.acme.Foo", x)
    found = kernel_list(maker.graph(maker.conv(y)), read_runtime(runtime))
    assert found.coverage_kernels == 2 / 3
    assert (found.coverage_flops, found.unknown) == (None, ("com.acme.Foo",))
    (missing,) = found.unsupported
    total = sum(kernel.bytes_moved for kernel in found.kernels)
    assert missing == ("com.acme.Foo", 1, None, found.kernels[1].bytes_moved / total)
    assert found.coverage_bytes == pytest.approx(1 - missing.bytes_share)
    assert found.flops == sum(kernel.flops for kernel in found.kernels if kernel.kernel is not None)


def test_a_weight_of_several_kernels_is_one_in_the_network():
    maker = GraphMaker()
    x, weights = maker.input(), maker.weight(8, 8, 3, 3)
    for _ in range(2):
        x = maker.add_node("conv", [x, weights], [(1, 8, 16, 12)], Window((3, 3)))
    found = kernel_list(maker.graph(x), TFLITE)
    assert [kernel.params for kernel in found.kernels] == [576, 576]
    assert found.params == 576


def test_a_network_without_flops_is_covered_by_its_kernels():
    maker = GraphMaker()
    joined = maker.concat(maker.input(), maker.input())
    found = kernel_list(maker.graph(maker.concat(joined, *(maker.input() for _ in range(4)))), TFLITE)
    assert (found.flops, found.coverage_flops) == (0, 0.5)


def test_views_and_what_the_reader_took_out_are_counted_as_free():
    maker = GraphMaker()
    y = maker.op("reshape", maker.op("identity", maker.op("relu", maker.input())), shape=(1, 1536))
    found = kernel_list(maker.graph(y, folded={"quantize": 3, "reshape": 1}), TFLITE)
    assert found.free == {"identity": 1, "quantize": 3, "reshape": 2}
    assert len(found.kernels) == 1


def test_a_convolution_of_unknown_input_counts_by_its_output():
    maker = GraphMaker()
    x = maker.add_node("com.acme.Foo", [maker.input()], [None])
    y = maker.add_node("conv", [x, maker.weight(8, 4, 3, 3)], [(1, 8, 16, 12)], Window((3, 3)))
    found = kernel_list(maker.graph(y), TFLITE)
    assert found.kernels[1].flops == 2 * 16 * 12 * 8 * 4 * 9
    assert found.coverage_flops is None


def test_unknown_extents_of_inputs_are_reported_all_at_once_by_the_tensors_names():
    maker = GraphMaker()
    inputs = [maker.tensor(None), maker.tensor((1, 0, 3))]
    maker.inputs += inputs
    z = maker.op("add", *inputs, shape=(1, 8))
    with pytest.raises(ModelFileError) as caught:
        kernel_list(maker.graph(z), TFLITE)
    assert [(issue.rule, issue.column) for issue in caught.value.issues] == [("model-shape", name) for name in inputs]
    assert "--input" in str(caught.value)


def test_one_operator_of_unknown_extents_leaves_the_others_listed():
    maker = GraphMaker()
    x = maker.conv(maker.input())
    y = maker.add_node("com.acme.Select", [x], [None])
    z = maker.add_node("matmul", [y, maker.weight(8, 3)], [None])
    found = kernel_list(maker.graph(z), TFLITE)
    assert [(kernel.operator, kernel.flops is None) for kernel in found.kernels] == [
        ("conv", False),
        ("com.acme.Select", True),
        ("matmul", True),
    ]
    assert (found.open_end.tensor, found.coverage_flops) == (y, None)
    assert found.flops == found.kernels[0].flops
    assert found.params == found.kernels[0].params + 24


def test_a_graph_in_which_nothing_runs_is_a_fault():
    maker = GraphMaker()
    with pytest.raises(ModelFileError, match="no operator that runs"):
        kernel_list(maker.graph(maker.op("identity", maker.input())), TFLITE)


@pytest.mark.parametrize(
    "node",
    [
        Node("n", "conv", ("x", "w"), ("y",)),
        Node("n", "conv", ("w",), ("y",), Window((3, 3))),
        Node("n", "conv", ("x", "w"), ("y",), Window((3, 3), groups=0)),
        Node("n", "relu", (), ("y",)),
        Node("n", "bn", (), ("y",)),
        Node("n", "fc", ("w", "w"), ("y",)),
        Node("n", "concat", (), ("y",)),
        Node("n", "transpose", ("x",), ()),
    ],
)
def test_an_operator_that_lacks_something_is_named_incomplete(node):
    tensors = {name: Tensor(name, (1, 8, 4, 4), "fp32", name == "w") for name in "xyw"}
    graph = Graph("made", "channels-first", (node,), tensors, ("x",), ("y",))
    for name in runtime_names():
        (found,) = kernel_list(graph, read_runtime(name)).kernels
        assert (found.operator, found.kernel) == (f"incomplete-{node.op}", None)


def test_an_unknown_operator_may_read_nothing_whatever_its_name_begins_with():
    maker = GraphMaker()
    y = maker.add_node("fcx", [], [(1, 8)])
    found = maker.kernels(maker.op("relu", y))[0]
    assert (found.operator, found.kernel, found.flops) == ("fcx", None, None)


@pytest.mark.parametrize("op", ["Weird Op+é", "", "::", "x" * 500])
def test_any_operator_name_of_a_file_can_be_listed(op):
    maker = GraphMaker()
    assert only(maker, maker.op(op, maker.input())).kernel is None


def test_a_long_chain_on_the_gpu_is_one_kernel_with_a_name_that_fits():
    maker = GraphMaker()
    x = maker.input()
    for _ in range(100):
        x = maker.op("sigmoid", x)
    assert len(only(maker, x, runtime="tflite-gpu").operator) == 200


def test_a_kernel_list_becomes_the_contents_of_a_network_file():
    maker = GraphMaker()
    found = kernel_list(maker.graph(maker.conv(maker.input())), TFLITE)
    network = as_network("made", TFLITE, found)
    assert Network.model_validate_json(network.model_dump_json()) == network
    (listed,) = found.kernels
    assert (listed.weight_dtype, network.runtime) == ("fp32", "tflite-cpu")
    assert network.kernels == [listed.of_one_run().model_copy(update={"weight_dtype": None})]


def test_a_convolution_of_one_channel_is_no_channel_convolution():
    maker = GraphMaker(image=(1, 1, 8, 8))
    (kernel,) = maker.kernels(maker.conv(maker.input()))
    assert (kernel.operator, kernel.kernel) == ("conv", "conv-bn-relu")


@pytest.mark.parametrize(("n_numbers", "params"), [(1, 0), (8, 8)])
def test_a_constant_of_one_number_is_no_parameter(n_numbers, params):
    maker = GraphMaker()
    x = maker.input()
    y = maker.op("sub", x, maker.weight(n_numbers, 1, 1))
    assert [kernel.params for kernel in maker.kernels(y)] == [params]
