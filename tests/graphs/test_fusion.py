"""Fusion: every chain of every data file is found, and nothing is fused through a tensor that others need."""

import math
import random
import sys
from dataclasses import replace

import pytest

from harness.graphs.fusion import fuse
from harness.graphs.fusion_patterns import parsed
from harness.graphs.fusion_rules import ANY, read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.runtime_files import runtime_names
from harness.graphs.sizes import Sizes
from harness.schema.cost import ELEMENTWISE_FLOPS
from tests.graphs.graphs import GraphMaker, long_graph

IMAGE_OPERATORS = ("conv", "maxpool", "concat", "softmax", "add")
TWO_OPERANDS = ("add", "sub", "mul", "div", "min", "max")


def instances():
    """Chains of operator names by construction: every alternative of every step once, and each chain at its least."""
    for name in runtime_names():
        runtime = read_runtime(name)
        for rule in runtime.rules:
            words = rule.chain.split()
            steps = runtime.steps(rule)
            choices = [sorted(IMAGE_OPERATORS if ANY in step.operators else step.operators) for step in steps]
            chains = {
                # The same word means the same operator throughout, as a block has either kind of dense layer.
                tuple(operator if word == words[at] else first[0] for word, first in zip(words, choices, strict=True))
                for at, alternatives in enumerate(choices)
                for operator in alternatives
            }
            chains.add(tuple(first[0] for step, first in zip(steps, choices, strict=True) if step.least))
            for chain in sorted(chains):
                yield pytest.param(name, rule, chain, id=f"{name}: {' '.join(chain)}")


def append(maker, name, x, begin):
    """Add an operator of that name behind x."""
    shape = maker.shape(x)
    vector = maker.vector(x) if len(shape) == 4 else maker.weight(shape[-1])
    match name.removesuffix("-broadcast"):
        case "conv" | "dwconv":
            return getattr(maker, name)(x)
        case "conv1d" | "dwconv1d":
            return getattr(maker, name.removesuffix("1d"))(x, rank=1)
        case "conv-dilated" | "dwconv-dilated":
            return getattr(maker, name.removesuffix("-dilated"))(x, dilation=(2, 2))
        case "conv-transpose":
            maker.conv(x)
            maker.nodes[-1] = replace(maker.nodes[-1], op="conv-transpose")
            return maker.nodes[-1].outputs[0]
        case "maxpool" | "avgpool":
            return maker.pool(x, name, (3, 3), (1, 1))
        case "global-avgpool":
            return maker.global_pool(x)
        case "fc" | "matmul":
            return maker.fc(x, shape[-1])
        case "bn":
            return maker.bn(x)
        case "scale" | "bias":
            return maker.op({"scale": "mul", "bias": "add"}[name], x, vector)
        case "vector":
            return maker.op("add", x, maker.weight(shape[-1]))
        case "hard-swish":
            return maker.op("hswish", x)
        case "factor":
            return maker.op("mul", x, maker.weight())
        case "per-channel":
            return maker.op("mul", x, maker.weight(shape[1], *(1 for _ in shape[2:])))
        case "concat":
            return maker.concat(x, maker.input(shape))
        case "gate":
            return maker.op("mul", begin, x)
        case "reshape":
            return maker.op("reshape", x, shape=reshaped(shape))
        case "transpose":
            return maker.op("transpose", x, shape=(shape[0], shape[2], shape[1], *shape[3:]))
        case other if other in TWO_OPERANDS:
            wide = (*shape[:-2], 1, 1) if name.endswith("broadcast") else shape
            return maker.op(other, x, maker.input(wide))
    return maker.op(name, x)


def reshaped(shape):
    if len(shape) == 5:
        return (shape[0], shape[1] * shape[2], *shape[3:])
    if len(shape) == 2:
        return (*shape, 1, 1)
    return shape[:2] if shape[2:] == (1, 1) else (shape[0], 2, shape[1] // 2, *shape[2:])


@pytest.mark.parametrize(("name", "rule", "chain"), list(instances()))
def test_every_chain_of_every_runtime_is_found(name, rule, chain):
    maker = GraphMaker(dtype=(rule.dtypes or ("fp32",))[0])
    shapes = {"fc": (1, 8), "matmul": (5, 8) if rule.ranks else (1, 5, 8)}
    begin = x = maker.input(shapes.get(chain[0], (1, 8, 5, 6) if rule.block == "skip-layer-norm" else (1, 8, 16, 12)))
    before = ["conv+relu"] if rule.layout else []
    if rule.layout:
        begin = x = maker.op("relu", maker.conv(x))
    # A block of convolutions needs no reshaping; one of fully connected layers without it has one row by itself.
    is_of_images = rule.block == "se" and "conv" in chain
    chain = tuple(operator for operator in chain if not (is_of_images and operator == "reshape"))
    if rule.block == "se" and not is_of_images and "reshape" not in chain:
        x = begin = maker.input((1, 8, 1, 1))
    for operator in chain:
        x = maker.op("add", x, begin) if operator == "add" and rule.layout else append(maker, operator, x, begin)
    names = {"factor": "scale", "per-channel": "scale", "vector": "bias", "hard-swish": "hswish"}
    found = maker.operators(x, runtime=name)
    assert found == [*before, rule.block or "+".join(names.get(operator, operator) for operator in chain)]


PATTERNS = [(name, rule) for name in runtime_names() for rule in read_runtime(name).patterns]


def write(maker, pattern, tensors, is_whole):
    """Add the operators of a pattern; the same operator on the same operands is one."""
    if pattern.variable:
        return tensors.setdefault(pattern.variable, maker.input((1, 5, 8)))
    operands = tuple(write(maker, operand, tensors, is_whole) for operand in pattern.operands)
    if pattern.is_optional and not is_whole:
        return operands[0]
    key = (pattern.operators, operands)
    if key not in tensors:
        tensors[key] = written(maker, min(pattern.operators), operands)
    return tensors[key]


def written(maker, name, operands):
    shape = maker.shape(operands[0])
    op, _, constant = name.partition("-")
    if name == "mean-of-last":
        return maker.add_node("reduce-mean", operands, [(*shape[:-1], 1)], settings={"is_over_last": 1})
    if name == "1-div":
        return maker.add_node("div", [maker.weight(), *operands], [shape], settings={"number": "1"})
    if constant == "vector":
        return maker.op(op, *operands, maker.weight(shape[-1]))
    if constant and constant != "broadcast":
        settings = {} if constant == "number" else {"number": constant}
        return maker.add_node(op, [*operands, maker.weight()], [shape], settings=settings)
    return maker.op(op if op in TWO_OPERANDS else name, *operands)


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(("name", "rule"), PATTERNS, ids=[f"{name}: {rule.pattern}" for name, rule in PATTERNS])
def test_every_pattern_of_every_runtime_is_found(name, rule, is_whole):
    maker = GraphMaker()
    made = write(maker, parsed(rule.pattern, read_runtime(name).sets), {}, is_whole)
    (found,) = maker.kernels(made, runtime=name)
    assert found.operator == rule.block
    # As many FLOPs as the operator that it is.
    assert found.flops == ELEMENTWISE_FLOPS.get(rule.block, 1) * math.prod(maker.shape(made))


def test_a_pattern_of_which_something_else_reads_a_part_is_not_found():
    maker = GraphMaker()
    x = maker.input()
    gate = maker.op("sigmoid", x)
    made = maker.op("mul", x, gate)
    assert maker.operators(made, runtime="onnxruntime-cpu") == ["swish"]
    assert maker.operators(made, gate, runtime="onnxruntime-cpu") == ["sigmoid", "mul"]
    assert maker.operators(made, maker.op("softmax", gate), runtime="onnxruntime-cpu") == ["sigmoid", "mul", "softmax"]


LAYOUTS = {
    "of a convolution": (
        lambda m, x: sum_with(m, m.op("relu", m.conv(x)), m.dwconv),
        ["conv+relu", "dwconv+add"],
    ),
    "of a sum in the layout": (
        lambda m, x: sum_with(m, sum_with(m, m.op("relu", m.conv(x)), m.dwconv), m.conv),
        ["conv+relu", "dwconv+add", "conv+add"],
    ),
    "of a pooling of whole blocks": (
        lambda m, x: m.op("add", m.conv(m.conv(x, 32), 32), m.pool(m.input((1, 32, 16, 12)), stride=(1, 1))),
        ["conv", "maxpool", "conv+add"],
    ),
    "of a pooling of part of a block": (
        lambda m, x: m.op("add", m.conv(x), m.pool(x, stride=(1, 1))),
        ["conv", "maxpool", "add"],
    ),
    "of a joining of part of a block": (
        lambda m, x: sum_with(m, m.concat(m.conv(x), m.conv(x)), lambda y: m.conv(y, 16)),
        ["conv", "conv", "concat", "conv", "add"],
    ),
    "of a convolution, by groups of whole blocks": (
        lambda m, x: sum_with(m, m.op("relu", m.conv(x, 32)), lambda y: m.conv(y, 32, groups=2)),
        ["conv+relu", "conv+add"],
    ),
    "of a convolution, by groups of part of a block": (
        lambda m, x: sum_with(m, m.op("relu", m.conv(x, 32)), lambda y: m.conv(y, 32, groups=4)),
        ["conv+relu", "conv", "add"],
    ),
    "of a clip of a convolution": (
        lambda m, x: sum_with(m, m.op("clip", m.conv(x)), m.conv),
        ["conv+clip", "conv+add"],
    ),
    "of a clip of a pooling": (
        lambda m, x: sum_with(m, m.op("clip", m.pool(m.input((1, 16, 16, 12)))), lambda y: m.conv(y, 16)),
        ["maxpool", "clip", "conv", "add"],
    ),
    "of a product": (lambda m, x: m.op("add", m.conv(x), m.op("mul", x, x)), ["conv", "mul-self", "add"]),
    "of a sum with an input": (
        lambda m, x: sum_with(m, m.op("add", m.conv(x), x), m.conv),
        ["conv", "add", "conv", "add"],
    ),
}


def sum_with(maker, x, convolution):
    """A convolution of a tensor, added to the tensor."""
    return maker.op("add", convolution(x), x)


@pytest.mark.parametrize("case", LAYOUTS)
def test_a_sum_joins_a_convolution_where_its_other_operand_is_in_the_blocked_layout(case):
    make, operators = LAYOUTS[case]
    maker = GraphMaker()
    assert maker.operators(make(maker, maker.input()), runtime="onnxruntime-cpu") == operators


@pytest.mark.parametrize(
    ("op", "settings", "reader", "listed"),
    [
        ("pad", {"is_zeros": 1}, "conv", ["conv"]),
        ("pad", {"is_zeros": 0}, "conv", ["pad", "conv"]),
        ("pad", {"is_zeros": 1}, "maxpool", ["pad", "maxpool"]),
        ("transpose", {"is_of_matrix": 1}, "matmul", ["matmul"]),
        ("transpose", {"is_of_matrix": 0}, "matmul", ["transpose", "matmul"]),
        ("mul", {}, "matmul", ["matmul"]),
        ("relu", {}, "relu6", ["relu6"]),
        ("relu", {}, "relu", ["relu", "relu"]),
    ],
)
def test_what_the_operator_that_reads_it_does_runs_no_kernel(op, settings, reader, listed):
    maker = GraphMaker()
    x = maker.input()
    inputs = [x, maker.weight()] if op == "mul" else [x]
    y = maker.add_node(op, inputs, [maker.shape(x)], settings=settings)
    z = append(maker, reader, y, x)
    assert maker.operators(z, runtime="onnxruntime-cpu") == listed
    assert maker.operators(z, y, runtime="onnxruntime-cpu")[0] == ("scale" if op == "mul" else op)
    assert len(maker.operators(z, runtime="tflite-cpu")) == 2
    free = kernel_list(maker.graph(z), read_runtime("onnxruntime-cpu")).free
    assert free == ({} if len(listed) > 1 else {"scale" if op == "mul" else op: 1})


EVERY = pytest.mark.parametrize("runtime", runtime_names())


@EVERY
def test_a_tensor_with_two_readers_is_not_fused_through(runtime):
    maker = GraphMaker()
    y = maker.conv(maker.input())
    sums = maker.op("softmax", y), maker.op("relu", y)
    assert maker.operators(*sums, runtime=runtime) == ["conv", "softmax", "relu"]


@EVERY
def test_a_tensor_that_the_caller_takes_is_not_fused_through(runtime):
    maker = GraphMaker()
    y = maker.conv(maker.input())
    assert maker.operators(y, maker.op("relu", y), runtime=runtime) == ["conv", "relu"]


@EVERY
def test_a_batch_normalisation_behind_a_convolution_with_other_readers_stands_alone(runtime):
    maker = GraphMaker()
    y = maker.conv(maker.input())
    z = maker.bn(y)
    kernels = maker.kernels(maker.op("lrn", y), z, runtime=runtime)
    found = {kernel.operator: kernel.kernel for kernel in kernels}
    assert found == {"conv": "conv-bn-relu", "lrn": None, "bn": "bn"}


@EVERY
def test_a_tensor_read_twice_by_one_operator_is_not_fused_through(runtime):
    maker = GraphMaker()
    y = maker.conv(maker.input())
    assert maker.operators(maker.op("add", y, y), runtime=runtime) == ["conv", "add-self"]


@EVERY
def test_an_identity_hides_neither_a_chain_nor_an_output_of_the_caller(runtime):
    maker = GraphMaker()
    y = maker.op("identity", maker.conv(maker.input()))
    assert maker.operators(maker.op("relu", y), runtime=runtime) == ["conv+relu"]
    assert maker.operators(y, maker.nodes[-1].outputs[0], runtime=runtime) == ["conv", "relu"]
    fused = fuse(maker.graph(y), read_runtime(runtime), Sizes(maker.graph(y)))
    assert fused.free == {"identity": 1}


def test_preactivation_of_a_dense_block_is_one_kernel_in_tflite_and_two_in_onnx_runtime():
    maker = GraphMaker()
    y = maker.conv(maker.op("relu", maker.bn(maker.input())))
    assert maker.operators(y, runtime="tflite-cpu") == ["bn+relu", "conv"]
    assert maker.operators(y, runtime="tflite-gpu") == ["bn+relu", "conv"]
    assert maker.operators(y, runtime="onnxruntime-cpu") == ["bn", "relu", "conv"]


def residual(second_is_shortcut):
    """A residual block with a convolution on its shortcut, before or after the one on its way."""
    maker = GraphMaker()
    x = maker.input()
    one, other = maker.bn(maker.conv(x)), maker.bn(maker.conv(x, kernel=(1, 1)))
    way, shortcut = (one, other) if second_is_shortcut else (other, one)
    return maker, maker.op("relu", maker.op("add", way, shortcut))


@pytest.mark.parametrize("second_is_shortcut", [True, False])
def test_residual_addition_joins_a_convolution_where_the_runtime_does_that(second_is_shortcut):
    maker, y = residual(second_is_shortcut)
    assert maker.operators(y, runtime="tflite-cpu") == ["conv+bn", "conv+bn", "add+relu"]
    # The later operand takes it on the GPU, so that all it reads has been made; either way it runs last.
    assert maker.operators(y, runtime="tflite-gpu") == ["conv+bn", "conv+bn+add+relu"]
    assert maker.operators(y, runtime="onnxruntime-cpu") == ["conv+bn", "conv+bn+add+relu"]
    windows = {name: [kernel.kernel_h for kernel in maker.kernels(y, runtime=name)] for name in runtime_names()}
    assert windows["tflite-gpu"] == [3, 1]
    assert windows["onnxruntime-cpu"] == [1, 3]


def test_onnx_runtime_adds_to_a_convolution_only_where_it_computes_in_reals():
    maker = GraphMaker(dtype="int8")
    x = maker.input()
    y = maker.op("relu", maker.op("add", maker.conv(x), x))
    assert maker.operators(y, runtime="onnxruntime-cpu") == ["conv", "add", "relu"]
    assert maker.operators(y, runtime="tflite-gpu") == ["conv+add+relu"]


def test_hard_swish_joins_a_convolution_on_the_gpu_alone():
    maker = GraphMaker()
    y = maker.conv(maker.input())
    z = maker.op("mul", y, maker.op("hsigmoid", y))
    assert maker.operators(z, runtime="tflite-gpu") == ["conv+hswish"]
    assert maker.operators(z, runtime="tflite-cpu") == ["conv", "hswish"]
    assert maker.operators(z, runtime="onnxruntime-cpu") == ["conv", "hswish"]


def test_onnx_runtime_does_not_clip_in_a_matrix_multiplication():
    maker = GraphMaker()
    y = maker.op("relu6", maker.fc(maker.input((1, 8))))
    assert maker.operators(y, runtime="onnxruntime-cpu") == ["fc", "relu6"]
    assert maker.operators(y, runtime="tflite-cpu") == ["fc+relu6"]


def test_a_product_of_activations_keeps_its_factor_apart_on_the_cpu():
    maker = GraphMaker()
    scores = maker.op("matmul", maker.input((1, 5, 8)), maker.input((1, 8, 5)), shape=(1, 5, 5))
    assert maker.operators(maker.op("div", scores, maker.weight())) == ["matmul", "scale"]


@pytest.mark.parametrize("layout", ["channels-first", "channels-last"])
def test_only_constants_of_one_number_a_channel_are_folded(layout):
    maker = GraphMaker(layout)
    image = maker.image(1, 8, 16, 16)
    y = maker.op("mul", maker.conv(maker.input(image)), maker.vector(maker.inputs[0]))
    y = maker.op("add", y, maker.weight(*image[1:]))
    assert maker.operators(y) == ["conv+scale", "add-constant"]


def test_a_constant_of_unknown_extents_is_not_folded():
    maker = GraphMaker()
    y = maker.op("mul", maker.conv(maker.input()), maker.tensor(None, is_constant=True))
    assert maker.operators(y) == ["conv", "mul-constant"]


@pytest.mark.parametrize("layout", ["channels-first", "channels-last"])
def test_channel_shuffle_is_one_block_and_other_reshaping_is_not(layout):
    maker = GraphMaker(layout)
    x = maker.input(maker.image(1, 8, 16, 12))
    assert maker.operators(maker.shuffle(x)) == ["channelshuffle"]
    heads = maker.op("reshape", maker.input((1, 5, 8)), shape=(1, 5, 2, 4))
    y = maker.op("reshape", maker.op("transpose", heads, shape=(1, 2, 5, 4)), shape=(1, 5, 8))
    assert maker.operators(y) == ["channelshuffle", "transpose"]


def test_a_product_with_another_tensor_is_no_gate():
    maker = GraphMaker()
    x, other = maker.input(), maker.input()
    y = maker.op("mul", other, maker.op("hsigmoid", x))
    assert maker.operators(y, x) == ["hsigmoid", "mul"]


@EVERY
def test_every_operator_is_in_one_group_or_free_and_groups_can_run_in_their_order(runtime):
    maker = GraphMaker()
    x = maker.op("relu", maker.bn(maker.conv(maker.input())))
    for _ in range(3):
        y = maker.squeeze(maker.op("relu", maker.bn(maker.conv(x))))
        x = maker.op("identity", maker.op("relu", maker.op("add", maker.bn(maker.conv(y)), x)))
    x = maker.fc(maker.op("reshape", maker.global_pool(maker.shuffle(x)), shape=(1, 8)))
    graph = maker.graph(x)
    fused = fuse(graph, read_runtime(runtime), Sizes(graph))
    nodes = [node.name for group in fused.groups for part in group.parts for node in part.nodes]
    views = [node.name for node in graph.nodes if node.op in ("identity", "reshape")]
    assert len(nodes) == len(set(nodes))
    assert set(nodes) | set(views) == {node.name for node in graph.nodes}
    made = set(graph.inputs)
    sources = {node.outputs[0]: node.inputs[0] for node in graph.nodes if node.op == "reshape"}
    for group in fused.groups:
        assert {tensor if tensor in made else sources[tensor] for tensor in group.inputs} <= made
        made.update(group.outputs)


@EVERY
def test_the_order_of_nodes_changes_no_sum(runtime):
    maker = GraphMaker()
    x = maker.input()
    branches = [maker.op("relu", maker.bn(maker.conv(x, kernel=(k, k)))) for k in (1, 3, 5)]
    joined = maker.concat(*branches)
    y = maker.op("add", maker.bn(maker.conv(joined, 8)), maker.dwconv(branches[0]))
    graph = maker.graph(maker.op("relu", y))
    expected = kernel_list(graph, read_runtime(runtime))
    for seed in range(20):
        found = kernel_list(replace(graph, nodes=reordered(graph, seed)), read_runtime(runtime))
        sums = (found.flops, found.params, found.bytes_moved, len(found.kernels))
        assert sums == (expected.flops, expected.params, expected.bytes_moved, len(expected.kernels))


@EVERY
def test_work_grows_with_the_number_of_operators_and_not_with_its_square(runtime):
    few, many = (n_calls(lambda n=n: kernel_list(long_graph(n), read_runtime(runtime))) for n in (200, 1600))
    assert many < 10 * few


def n_calls(work):
    """Function calls that some work makes, which unlike seconds are always the same."""
    count = 0

    def count_call(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def reordered(graph, seed):
    """Nodes of a graph in another order in which they can run."""
    draw = random.Random(seed)
    waiting, nodes = list(graph.nodes), []
    made = {name for name, tensor in graph.tensors.items() if tensor.is_constant} | set(graph.inputs)
    while waiting:
        node = draw.choice([node for node in waiting if made.issuperset(node.inputs)])
        waiting.remove(node)
        nodes.append(node)
        made.update(node.outputs)
    return tuple(nodes)
