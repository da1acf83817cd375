"""Facts about real model files as their readers see them; the files are read where they lie."""

import importlib.resources
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.graphs.faults import ModelFileError
from harness.graphs.model_kernels import kernels_of_file
from harness.graphs.reading import read_model
from harness.schema.networks import configuration_of

MODELS = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream")) / "models"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="needs the upstream files; set DEEPEN_UPSTREAM")


class Convolution(NamedTuple):
    cin: int
    cout: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    groups: int
    plane: tuple[int, int]


def convolutions(name):
    graph = read_model(MODELS / name)
    found = []
    for node in graph.nodes:
        if node.op == "conv":
            read, made = graph.extents(node.inputs[0]), graph.extents(node.outputs[0])
            window = node.window
            found.append(Convolution(read.c, made.c, window.kernel, window.stride, window.groups, (read.h, read.w)))
    return found


def dtypes_of_convolutions(name):
    graph = read_model(MODELS / name)
    nodes = [node for node in graph.nodes if node.op == "conv"]
    return {graph.tensors[tensor].dtype for node in nodes for tensor in (*node.inputs[:2], *node.outputs)}


@pytest.mark.parametrize("path", sorted(MODELS.glob("*")) if MODELS.is_dir() else [], ids=lambda path: path.name)
def test_every_file_is_read_with_all_extents(path):
    if path.name == "honk_cnn_one_fstride4.onnx":
        with pytest.raises(ModelFileError, match=r"empty opset list.*opset_import.*model-format"):
            read_model(path)
        return
    graph = read_model(path)
    assert graph.nodes
    assert all(tensor.shape is not None for tensor in graph.tensors.values())


def test_there_are_as_many_files_as_described():
    assert len(list(MODELS.iterdir())) == 14


def test_a_file_without_weights_gives_extents():
    graph = read_model(MODELS / "nnlqp_resnet18_noweight.onnx")
    assert graph.inputs == ("data",)
    assert Counter(node.op for node in graph.nodes)["conv"] == 20
    assert graph.tensors[graph.outputs[0]].shape == (1, 1000)


@pytest.mark.parametrize(
    ("onnx_file", "tflite_file", "n"),
    [
        ("tiny_ic_resnet.onnx", "tiny_pretrainedResnet_quant.tflite", 9),
        ("tiny_vww_96_float.onnx", "tiny_vww_96_int8.tflite", 27),
        ("tiny_ic_resnet.onnx", "tiny_ic_resnet_q.onnx", 9),
        ("tiny_vww_96_float.onnx", "tiny_vww_mobilenet_q.onnx", 27),
        ("tiny_kws_q.onnx", "tiny_kws_ref_model.tflite", 9),
    ],
)
def test_twins_have_the_same_convolutions(onnx_file, tflite_file, n):
    found = convolutions(onnx_file)
    assert len(found) == n
    # A branch may be written before or after the other one.
    assert Counter(found) == Counter(convolutions(tflite_file))


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(MODELS.glob("*")) if "_q." in path.name or path.suffix == ".tflite"]
)
def test_quantised_files_have_integer_convolutions(name):
    if not name.startswith(("EnergyNet", "tiny_ad")):
        assert dtypes_of_convolutions(name) == {"int8"}


def test_pairs_of_quantisation_are_gone():
    for name in ("tiny_ic_resnet_q.onnx", "tiny_vww_mobilenet_q.onnx", "tiny_kws_q.onnx", "tiny_ad_autoencoder_q.onnx"):
        ops = Counter(node.op for node in read_model(MODELS / name).nodes)
        assert (ops["quantize"], ops["dequantize"]) == (1, 1)


@pytest.mark.parametrize("name", ["tiny_kws_q.onnx", "tiny_kws_ref_model.tflite"])
def test_the_keyword_spotter_begins_with_its_own_window(name):
    assert convolutions(name)[0] == Convolution(1, 64, (10, 4), (2, 2), 1, (49, 10))


@pytest.mark.parametrize("name", ["tiny_ad_autoencoder_q.onnx", "tiny_ad01_int8.tflite"])
def test_the_autoencoder_has_ten_fully_connected_layers(name):
    graph = read_model(MODELS / name)
    layers = [node for node in graph.nodes if node.op == "fc"]
    widths = [graph.extents(layer.outputs[0]).c for layer in layers]
    assert widths == [128, 128, 128, 128, 8, 128, 128, 128, 128, 640]
    assert {graph.tensors[layer.outputs[0]].dtype for layer in layers} == {"int8"}


def test_a_pair_of_searched_networks_has_the_same_layers():
    def layers(name):
        ops = Counter(node.op for node in read_model(MODELS / name).nodes)
        return [ops[op] for op in ("conv", "avgpool", "relu", "global-avgpool", "fc")]

    onnx_file, tflite_file = (f"EnergyNet_uid15582_cfg125_nhwc{end}" for end in ("_simplified.onnx", ".tflite"))
    assert layers(onnx_file) == layers(tflite_file) == [22, 17, 20, 1, 1]
    assert sum(item.cout for item in convolutions(onnx_file)) == sum(item.cout for item in convolutions(tflite_file))


@pytest.mark.parametrize(
    ("onnx_file", "tflite_file"),
    [
        ("tiny_ic_resnet.onnx", "tiny_pretrainedResnet_quant.tflite"),
        ("tiny_vww_96_float.onnx", "tiny_vww_96_int8.tflite"),
    ],
)
def test_a_network_has_the_same_typed_kernels_in_either_format(onnx_file, tflite_file):
    def kernels(name):
        found = kernels_of_file(MODELS / name, "tflite-cpu", dtype="int8").kernels.kernels
        return [configuration_of(kernel) | {"flops": kernel.flops} for kernel in found if kernel.kernel is not None]

    assert kernels(onnx_file) == kernels(tflite_file)


@pytest.mark.parametrize(("name", "n"), [("alexnet", 5), ("mobilenetv2", 52), ("resnet18", 20)])
def test_networks_of_the_simulator_are_read(name, n):
    pytest.importorskip("zigzag", reason="needs the extra simulate")
    path = importlib.resources.files("zigzag") / "inputs" / "workload" / f"{name}.onnx"
    graph = read_model(Path(str(path)))
    assert Counter(node.op for node in graph.nodes)["conv"] == n
    assert graph.tensors[graph.outputs[0]].shape == (1, 1000)
