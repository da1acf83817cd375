"""The same network, written in two ways, is the same kernels with the same costs, as ONNX Runtime runs it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.runtime_files import runtime_names
from tests.graphs.written_twice import SAME


def found_in(model, runtime):
    return kernel_list(graph_of_onnx(model, "written.onnx"), read_runtime(runtime))


def runs(found):
    """Every run of every kernel with its type and costs; one without a type by its operators."""
    entries = (kernel.of_one_run() for kernel in found.kernels for _ in range(kernel.count))
    return Counter(
        entry.model_copy(update={"operator": ""} if entry.kernel else {}).model_dump_json() for entry in entries
    )


@pytest.mark.parametrize("runtime", runtime_names())
@pytest.mark.parametrize("case", SAME)
@settings(max_examples=15)
@given(data=st.data())
def test_ways_of_writing_a_network_are_the_same_kernels(case, runtime, data):
    ways = data.draw(SAME[case])
    found = {way: found_in(model, runtime) for way, model in ways.items()}
    first, *others = found
    for way in others:
        assert runs(found[way]) == runs(found[first]), f"{way}, not {first}"
        assert (found[way].flops, found[way].params) == (found[first].flops, found[first].params)


@pytest.mark.parametrize("case", SAME)
@settings(max_examples=6)
@given(data=st.data())
def test_x(case, data, tmp_path_factory):
    from tests.graphs.onnx_runtime import listed, optimised
    for way, model in data.draw(SAME[case]).items():
        assert listed(model) == optimised(model, tmp_path_factory.mktemp("m")), way
