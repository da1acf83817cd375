"""Operators on sequences of tensors move data: no FLOPs, the bytes of what they copy, in their place of the list."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.runtime_files import runtime_names
from tests.graphs.models import info, node, number, numbers, onnx_model

PLACE = number("place", 1, "int64")
extents = st.tuples(st.just(1), *(st.integers(1, 9) for _ in range(3)))


def found_in(nodes, shape, weights=(), outputs=None, runtime="onnxruntime-cpu"):
    model = onnx_model(nodes, [info("x", shape)], outputs, weights)
    return kernel_list(graph_of_onnx(model, "sequence.onnx"), read_runtime(runtime))


@pytest.mark.parametrize("runtime", runtime_names())
@given(shape=extents)
def test_a_tensor_that_passes_a_sequence_is_copied_into_it_and_out_of_it(runtime, shape):
    nodes = [
        node("Abs", "x", "a"), node("SequenceConstruct", "a x", "s"), node("SequenceAt", "s place", "b"),
        node("Cos", "b", "y"),
    ]  # fmt: skip
    found = found_in(nodes, shape, [PLACE], runtime=runtime)
    n = prod(shape)
    assert [kernel.operator for kernel in found.kernels] == ["abs", "sequence-construct", "sequence-at", "cos"]
    assert [kernel.flops for kernel in found.kernels] == [n, 0, 0, n]
    assert [kernel.bytes_moved for kernel in found.kernels] == [8 * n, 2 * 8 * n, 8 * n, 8 * n]
    assert (found.unknown, found.open_end) == ((), None)


@given(shape=extents)
def test_what_is_in_a_sequence_already_is_not_copied(shape):
    nodes = [
        node("SequenceEmpty", "", "s"), node("SequenceInsert", "s x", "t"), node("SequenceErase", "t", "u"),
        node("SequenceLength", "u", "y"),
    ]  # fmt: skip
    kernels = found_in(nodes, shape, outputs=[info("y", (), 7)]).kernels
    assert [kernel.bytes_moved for kernel in kernels] == [0, 8 * prod(shape), 0, 0]


@given(shape=extents, halves=st.integers(1, 4))
def test_parts_of_a_tensor_are_copied_into_a_sequence(shape, halves):
    nodes = [node("SplitToSequence", "x lengths", "s", axis=0), node("SequenceAt", "s place", "y")]
    found = found_in(nodes, (2 * halves, *shape[1:]), [numbers("lengths", halves, halves), PLACE])
    assert [kernel.bytes_moved for kernel in found.kernels] == [8 * 2 * halves * prod(shape), 8 * halves * prod(shape)]


def test_what_a_sequence_of_unknown_length_is_joined_to_has_unknown_bytes():
    nodes = [node("SplitToSequence", "x", "s", axis=1), node("ConcatFromSequence", "s", "y", axis=1)]
    found = found_in(nodes, (1, 4, 6))
    assert [(kernel.flops, kernel.bytes_moved) for kernel in found.kernels] == [(0, 192), (0, None)]
    assert found.open_end is not None
    assert found.open_end.tensor == "y"
    assert (found.unknown, found.coverage_bytes) == ((), None)


def test_what_depends_on_data_moves_unknown_bytes_and_costs_no_flops_where_it_moves_data():
    found = found_in([node("Abs", "x", "a"), node("NonZero", "a", "b"), node("Cast", "b", "y", to=1)], (1, 4, 6))
    assert [kernel.flops for kernel in found.kernels] == [24, 0, 0]
    assert [kernel.bytes_moved for kernel in found.kernels[1:]] == [None, None]
