"""Networks of several subgraphs of TFLite files: signatures, IF, WHILE, composites, each beside the count by hand."""

import numpy as np
import pytest
import tflite

from harness.errors import UsageError
from harness.graphs.faults import ModelFileError
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.model_kernels import kernels_of_file
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.models import TfliteMaker, write_tflite

TFLITE = read_runtime("tflite-cpu")
BOOL, INT32 = tflite.TensorType.BOOL, tflite.TensorType.INT32
PRODUCT = 2 * 8 * 8
"""FLOPs of one row by a matrix."""


def read(data, extents=None, signature=None, **values):
    graph = graph_of_tflite(data, "small.tflite", extents or {}, values=values, signature=signature)
    return graph, kernel_list(graph, TFLITE)


def layers(n, weight=None, rows=1):
    """Subgraph of some fully connected layers of one input."""
    maker = TfliteMaker()
    x = maker.tensor((rows, 8))
    made = x
    for _ in range(n):
        w, y = maker.weight(8, 8), maker.tensor((rows, 8))
        if weight is not None:
            maker.shared[w] = weight
        maker.op("FULLY_CONNECTED", [made, w], [y], "FullyConnectedOptions")
        made = y
    return maker, [x], [made]


def choosing(condition=None, then=2, other=1):
    """A network of one IF over some layers; a condition that is None is an input."""
    maker = TfliteMaker()
    x = maker.tensor((1, 8), name="x")
    data = None if condition is None else np.array(condition)
    truth, y = maker.tensor((), data, BOOL, name="is"), maker.tensor((1, 8))
    maker.op("IF", [truth, x], [y], "IfOptions", ThenSubgraphIndex=1, ElseSubgraphIndex=2)
    main = (maker, [x, truth] if condition is None else [x], [y])
    return write_tflite([main, layers(then), layers(other)])


@pytest.mark.parametrize(("truth", "n"), [(True, 2), (False, 1)])
def test_a_constant_condition_leaves_one_branch(truth, n):
    graph, found = read(choosing(truth))
    assert (found.flops, found.params, graph.notes) == (n * PRODUCT, n * 64, ())
    assert graph.tensors[graph.outputs[0]].shape == (1, 8)
    assert read(choosing(), **{"is": str(truth).lower()})[1].flops == n * PRODUCT


def test_of_branches_that_are_not_settled_the_one_with_the_most_flops_counts():
    for branches in ((2, 1), (1, 2)):
        graph, found = read(choosing(None, *branches))
        assert (found.flops, found.params) == (2 * PRODUCT, 3 * 64)
        name = "then" if branches == (2, 1) else "else"
        assert graph.notes == (
            f"IF IF_0: its {name} branch is counted, because it has the most FLOPs; which branch runs depends on is; "
            "--set is=VALUE settles it",
        )


def test_an_empty_branch_passes_on_what_it_is_given():
    graph, found = read(choosing(None, then=0))
    assert (found.flops, "its else branch is counted" in graph.notes[0]) == (PRODUCT, True)
    with pytest.raises(ModelFileError, match="no operator that runs"):
        read(choosing(True, then=0))


def repeating(bound=5, start=0, step=1, compare="LESS", weight_is_carried=False, both=False):
    """A network of one WHILE over a fully connected layer, whose counter goes from `start` to `bound`."""
    maker = TfliteMaker()
    x, w = maker.tensor((1, 8), name="x"), maker.weight(8, 8)
    counter = maker.tensor((), np.array(start, np.int32), INT32)
    after, y, w_after = maker.tensor((), kind=INT32), maker.tensor((1, 8)), maker.tensor((8, 8))
    limit = maker.tensor((), None if bound is None else np.array(bound, np.int32), INT32, name="limit")
    limit_after = maker.tensor((), kind=INT32)
    maker.op("WHILE", [counter, x, w, limit], [after, y, w_after, limit_after], "WhileOptions",
             CondSubgraphIndex=1, BodySubgraphIndex=2)  # fmt: skip

    def carried(inner):
        return [inner.tensor((), kind=INT32), inner.tensor((1, 8)), inner.tensor((8, 8)), inner.tensor((), kind=INT32)]

    condition = TfliteMaker()
    read = carried(condition)
    is_less = condition.tensor((), kind=BOOL)
    condition.op(compare, [read[0], read[3]], [is_less])
    if both:
        most = condition.tensor((), np.array(3, np.int32), INT32)
        within, holds = condition.tensor((), kind=BOOL), condition.tensor((), kind=BOOL)
        condition.op("LESS", [read[0], most], [within])
        condition.op("LOGICAL_AND", [is_less, within], [holds])
        is_less = holds
    body = TfliteMaker()
    given = carried(body)
    one, more, made = body.tensor((), np.array(step, np.int32), INT32), body.tensor((), kind=INT32), body.tensor((1, 8))
    body.op("ADD", [given[0], one], [more], "AddOptions")
    body.op("FULLY_CONNECTED", [given[1], given[2]], [made], "FullyConnectedOptions")
    main = (maker, [x, limit] if bound is None else [x], [y])
    return write_tflite([main, (condition, read, [is_less]), (body, given, [more, made, given[2], given[3]])])


@pytest.mark.parametrize(("settings", "n"), [
    ({}, 5), ({"bound": 10**6}, 10**6), ({"start": 2}, 3), ({"step": 2}, 3), ({"compare": "LESS_EQUAL"}, 6),
    ({"start": 5, "bound": 0, "step": -1, "compare": "GREATER"}, 5), ({"both": True}, 3),
])  # fmt: skip
def test_a_counter_tells_how_often_a_body_runs(settings, n):
    graph, found = read(repeating(**settings))
    layer = next(kernel for kernel in found.kernels if kernel.operator == "fc")
    assert (layer.count, layer.flops, layer.params) == (n, n * PRODUCT, 64)
    assert (found.params, graph.notes, graph.tensors[graph.outputs[0]].shape) == (64, (), (1, 8))


def test_a_body_that_never_runs_passes_on_what_it_is_given():
    graph = graph_of_tflite(repeating(start=7), "small.tflite")
    assert [node.op for node in graph.nodes] == ["identity"]
    assert graph.tensors[graph.outputs[0]].shape == (1, 8)


def test_runs_that_are_not_known_leave_flops_unknown_unless_they_are_given():
    graph, found = read(repeating(bound=None))
    assert (found.unknown, found.flops, found.params) == (("WHILE",), 0, 64)
    assert "its FLOPs are unknown, because the number of its runs is" in graph.notes[0]
    _, found = read(repeating(bound=None), limit="7")
    assert next(kernel.count for kernel in found.kernels if kernel.operator == "fc") == 7


def test_a_condition_that_always_holds_leaves_the_runs_unknown():
    assert read(repeating(step=0))[1].unknown == ("WHILE",)


def composite(name, decomposition=1):
    maker = TfliteMaker()
    queries, keys, values = (maker.tensor((1, n, 4, 16)) for n in (8, 24, 24))
    y = maker.tensor((1, 8, 4, 16))
    maker.op("STABLEHLO_COMPOSITE", [queries, keys, values], [y], "StableHLOCompositeOptions",
             Name=name, DecompositionSubgraphIndex=decomposition)  # fmt: skip
    inner = TfliteMaker()
    given = [inner.tensor((1, n, 4, 16)) for n in (8, 24, 24)]
    made = inner.tensor((1, 8, 4, 16))
    inner.op("LOGISTIC", [given[0]], [made])
    return write_tflite([(maker, [queries, keys, values], [y]), (inner, given, [made])])


def test_a_composite_is_what_runtimes_have_it_as_or_its_decomposition():
    (kernel,) = read(composite("odml.scaled_dot_product_attention"))[1].kernels
    assert (kernel.operator, kernel.flops) == ("attention", 2 * 24 * 2 * 8 * 4 * 16)
    (kernel,) = read(composite("acme.activation"))[1].kernels
    assert (kernel.operator, kernel.flops) == ("sigmoid", 8 * 4 * 16)


def test_a_body_that_the_file_does_not_have_is_an_issue():
    with pytest.raises(ModelFileError, match="a body at place 9 of 2"):
        read(composite("acme.activation", 9))


def test_what_runs_before_the_first_inference_is_no_kernel():
    maker, inputs, outputs = layers(1)
    maker.op("CALL_ONCE", [], [], "CallOnceOptions", InitSubgraphIndex=1)
    _, found = read(write_tflite([(maker, inputs, outputs), layers(3)]))
    assert (found.flops, found.free) == (PRODUCT, {"CALL_ONCE": 1})


def two_signatures(*names):
    prefill, decode = layers(1, rows=16), layers(1, weight=2)
    return write_tflite([prefill, decode], [(name, place, {"tokens": 0}) for place, name in enumerate(names)])


def test_a_file_of_several_networks_is_its_default_or_its_first():
    data = two_signatures("prefill", "decode")
    assert read(data)[1].flops == 16 * PRODUCT
    assert read(data, signature="decode")[1].flops == PRODUCT
    assert read(two_signatures("training", "serving_default"))[1].flops == PRODUCT


def test_a_signature_that_a_file_does_not_have_is_an_error():
    with pytest.raises(UsageError, match="did you mean decode"):
        read(two_signatures("prefill", "decode"), signature="decod")
    with pytest.raises(UsageError, match="has no signatures"):
        read(choosing(True), signature="decode")


def test_other_networks_of_a_file_are_named_with_their_flops(tmp_path):
    file = tmp_path / "two.tflite"
    file.write_bytes(two_signatures("prefill", "decode"))
    assert kernels_of_file(file).notes == (
        "the file has several networks, and the signature prefill is listed; others, by --signature: "
        f"decode ({PRODUCT} FLOPs, 64 params)",
    )
    assert "prefill (2,048 FLOPs" in kernels_of_file(file, signature="decode").notes[0]


def test_an_input_goes_by_the_name_that_the_signature_gives_it():
    maker = TfliteMaker()
    x, y = maker.tensor((1, 8), signature=(-1, 8)), maker.tensor((1, 8), signature=(-1, 8))
    maker.op("LOGISTIC", [x], [y])
    data = write_tflite([(maker, [x], [y])], [("serve", 0, {"tokens": x})])
    assert read(data, {"tokens": (5, 8)})[1].flops == 40


def test_tensors_of_one_buffer_are_one_weight():
    maker, inputs, outputs = layers(2)
    first, second = (place for place, tensor in enumerate(maker.tensors) if tensor[2] is not None)
    maker.shared[second] = first + 1
    _, found = read(write_tflite([(maker, inputs, outputs)]))
    assert ([kernel.params for kernel in found.kernels], found.params) == ([64, 64], 64)
