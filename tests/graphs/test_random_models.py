"""Random models survive the way from ONNX bytes to kernels with the FLOPs of an independent count."""

from hypothesis import given, settings

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.runtime_files import runtime_names
from tests.graphs.random_models import independent_flops, models, parse


@settings(max_examples=150)
@given(model=models())
def test_flops_are_those_of_an_independent_count(model):
    graph = graph_of_onnx(parse(model.SerializeToString()), "random.onnx")
    assert kernel_list(graph, read_runtime("tflite-cpu")).flops == independent_flops(model)


@settings(max_examples=60)
@given(model=models())
def test_every_operator_is_in_a_kernel_or_counted_as_free_under_every_runtime(model):
    graph = graph_of_onnx(model, "random.onnx")
    for name in runtime_names():
        found = kernel_list(graph, read_runtime(name))
        n_running = sum(len(kernel.operator.split("+")) for kernel in found.kernels)
        assert n_running + sum(found.free.values()) - sum(graph.folded.values()) == len(graph.nodes)
