"""A network written in two ways is the same kernels with the same costs; where it is not, runtimes run it otherwise."""

from collections import Counter
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.runtime_files import runtime_names
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.two_formats import attentions, networks
from tests.graphs.written_for_runtime import (
    ALIKE,
    group_norms,
    groups_of_channels,
    recurrences,
    scales_and_shifts,
    weights_in_blocks,
    written_attentions,
)
from tests.graphs.written_in_tflite import SAME_IN_TFLITE
from tests.graphs.written_twice import SAME, loops

ORT = "onnxruntime-cpu"
CASES = {
    **{f"{case}, {runtime}": (runtime, ways) for case, ways in SAME.items() for runtime in runtime_names()},
    **{f"{case}, {ORT}": (ORT, ways) for case, ways in ALIKE.items()},
}
EVERY = pytest.mark.parametrize("runtime", runtime_names())
few = settings(max_examples=15)


def found_in(model, runtime=ORT):
    return kernel_list(graph_of_onnx(model, "written.onnx"), read_runtime(runtime))


def runs(found):
    """Every run of every kernel with its type and costs; one without a type by its operators."""
    entries = (kernel.of_one_run() for kernel in found.kernels for _ in range(kernel.count))
    return Counter(
        entry.model_copy(update={"operator": ""} if entry.kernel else {}).model_dump_json(exclude_none=True)
        for entry in entries
    )


def costs(found):
    return found.flops, found.params, found.unknown


@pytest.mark.parametrize("case", CASES)
@few
@given(data=st.data())
def test_ways_of_writing_a_network_are_the_same_kernels(case, data):
    runtime, ways = CASES[case]
    found = {way: found_in(model, runtime) for way, model in data.draw(ways).items()}
    first, *others = found
    for way in others:
        assert runs(found[way]) == runs(found[first]), f"{way}, not {first}"
        assert costs(found[way]) == costs(found[first])


@EVERY
@few
@given(ways=written_attentions())
def test_the_products_of_attention_cost_what_the_operator_does(runtime, ways):
    """No runtime runs the operators as one kernel; softmax and mask inside the operator are not counted."""
    one, parts = (found_in(ways[way], runtime) for way in ("Attention", "operators"))
    (kernel,) = one.kernels
    products = [entry for entry in parts.kernels if entry.kernel == "matmul"]
    assert (kernel.kernel, len(products)) == ("attention", 2)
    assert sum(entry.flops for entry in products) == kernel.flops
    n_scores = kernel.heads * kernel.q_len * kernel.kv_len
    besides = {entry.operator: entry.flops for entry in parts.kernels if entry not in products and entry.flops}
    assert set(besides.values()) == {n_scores}
    assert "softmax" in besides


@few
@given(ways=recurrences())
def test_an_lstm_in_integers_costs_what_one_in_floats_does_and_moves_fewer_bytes(ways):
    in_floats, in_integers = (found_in(model) for model in ways.values())
    assert costs(in_integers) == costs(in_floats)
    (whole,), (quantised,) = in_floats.kernels, in_integers.kernels
    fields = {"kernel", "rows", "cin", "cout", "directions", "flops", "params", "dtype"}
    assert quantised.model_dump(include=fields) == whole.model_dump(include=fields)
    directions, state = whole.directions or 1, whole.cout
    matrices, biases = directions * 4 * state * (whole.cin + state), directions * 8 * state
    assert (whole.kernel, whole.flops, whole.params) == ("lstm", 2 * whole.rows * matrices, matrices + biases)
    assert (whole.weight_dtype, quantised.weight_dtype) == ("fp32", "int8")
    n_scales = next(prod(each.dims) for each in ways["DynamicQuantizeLSTM"].graph.initializer if each.name == "s")
    # Scales and zero points of both matrices, unless each has one of them.
    beside = 2 * 5 * n_scales if n_scales > 1 else 0
    assert quantised.bytes_moved == whole.bytes_moved - 3 * matrices + beside


@few
@given(ways=weights_in_blocks())
def test_weights_in_blocks_cost_the_same_wherever_they_are_dequantised(ways):
    """ONNX Runtime makes the one of the other, whose four bits have no sign."""
    (apart,), (within,) = (found_in(model).kernels for model in ways.values())
    assert (apart.weight_dtype, within.weight_dtype) == ("int4", "uint4")
    assert apart.model_copy(update={"weight_dtype": "uint4"}) == within


@EVERY
@few
@given(ways=group_norms())
def test_a_group_normalisation_of_a_deprecated_version_has_a_gain_for_each_group(runtime, ways):
    (first,), (last,) = (found_in(model, runtime).kernels for model in ways.values())
    alike = {"params", "bytes_moved"}
    assert first.model_dump(exclude=alike) == last.model_dump(exclude=alike)
    n = last.params - first.params
    assert (last.function, last.bytes_moved - first.bytes_moved, last.params) == ("group-norm", 4 * n, 2 * last.cin)


@EVERY
@few
@given(ways=scales_and_shifts())
def test_a_batch_normalisation_of_two_operators_costs_what_the_operator_does(runtime, ways):
    one, two = (found_in(model, runtime) for model in ways.values())
    assert costs(one) == costs(two)
    # TFLite has no batch normalisation, and writes it so; ONNX Runtime runs what the file has.
    assert [kernel.kernel for kernel in two.kernels] == (["elementwise"] * 2 if runtime == ORT else ["bn"])


@EVERY
@few
@given(ways=groups_of_channels())
def test_convolutions_of_groups_cost_what_one_in_groups_does(runtime, ways):
    """No runtime joins them, so that a split and a concatenation run besides."""
    one, many = (found_in(model, runtime) for model in ways.values())
    assert costs(one) == costs(many)
    first, *convolutions, last = many.kernels
    assert (first.operator, last.operator) == ("split", "concat")
    assert {kernel.flops for kernel in convolutions} == {one.flops // len(convolutions)}


@EVERY
@few
@given(ways=loops(is_counted=True))
def test_a_loop_that_counts_its_turns_runs_two_operators_more_in_each(runtime, ways):
    repeated, loop = (found_in(model, runtime) for model in ways.values())
    turns = loop.kernels[0].count
    counting = runs(loop) - runs(repeated)
    assert (runs(repeated) - runs(loop), counting.total()) == (Counter(), 2 * turns)
    assert costs(loop) == (repeated.flops + 2 * turns, repeated.params, ())


@EVERY
@settings(max_examples=60)
@given(models=networks())
def test_a_network_in_onnx_is_the_kernels_of_the_same_network_in_tflite(runtime, models):
    in_onnx, in_tflite = in_both_formats(models, runtime)
    assert runs(in_tflite) == runs(in_onnx)
    assert costs(in_tflite) == costs(in_onnx)


@EVERY
@few
@given(models=attentions())
def test_a_composite_of_attention_is_the_kernel_of_the_operator_in_onnx(runtime, models):
    in_onnx, in_tflite = in_both_formats(models, runtime)
    assert runs(in_tflite) == runs(in_onnx)
    (kernel,) = in_tflite.kernels
    assert (kernel.operator, kernel.kernel) == ("attention", "attention")
    assert kernel.flops == 2 * 2 * kernel.heads * kernel.q_len * kernel.kv_len * kernel.head_size


@pytest.mark.parametrize("runtime", ["tflite-cpu", "tflite-gpu"])
@pytest.mark.parametrize("case", SAME_IN_TFLITE)
@few
@given(data=st.data())
def test_ways_of_writing_a_network_in_tflite_are_the_same_kernels(case, runtime, data):
    files = data.draw(SAME_IN_TFLITE[case])
    found = [kernel_list(graph_of_tflite(each, "written.tflite"), read_runtime(runtime)) for each in files.values()]
    for other in found[1:]:
        assert (runs(other), costs(other)) == (runs(found[0]), costs(found[0]))


def in_both_formats(models, runtime):
    """Kernels of an ONNX model, and of the bytes of a TFLite file."""
    model, data = models
    return found_in(model, runtime), kernel_list(graph_of_tflite(data, "written.tflite"), read_runtime(runtime))
