"""Kernel list of a network that a builder made, as submissions have it; it builds no network."""

from typing import Final

import onnx

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import as_network, kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.schema.networks import Network, in_dtype
from harness.schema.vocabulary import Dtype

RUNTIME: Final = "tflite-cpu"
"""Runtime whose fusion rules make the kernels: SEC 2023 measures it, and MLPerf Tiny's reference files are for it."""


def built_network(model: onnx.ModelProto, name: str, dtype: Dtype, runtime_name: str = RUNTIME) -> Network:
    """Contents of `graphs/<name>.json`.

    Args:
        model: network in fp32.
        name: name of the network in the datasets.
        dtype: data type that the kernels are to have.
        runtime_name: runtime whose fusion rules make the kernels.
    """
    runtime = read_runtime(runtime_name)
    network = as_network(name, runtime, kernel_list(graph_of_onnx(model, name), runtime))
    return network.model_copy(update={"kernels": [in_dtype(kernel, dtype) for kernel in network.kernels]})
