"""Models beyond what is read: refused before anything is built of them."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from harness.graphs.faults import ModelFileError
from harness.graphs.onnx_weights import without_values
from harness.graphs.protobuf_parts import count_parts
from harness.graphs.reading import read_model
from tests.graphs.models import info, node, onnx_model, small_onnx, small_tflite


def test_parts_of_a_message_are_counted_with_those_inside():
    node = onnx.NodeProto(input=["a", "b"], attribute=[onnx.AttributeProto(name="n", i=3)])
    # Two inputs, the attribute, its name and its number.
    assert count_parts(node.SerializeToString(), onnx.NodeProto, 100) == 5
    assert count_parts(small_onnx().SerializeToString(), onnx.ModelProto, 10_000) > 100


@pytest.mark.parametrize("data", [b"", b"\xff" * 50, b"\x3a\xff\xff\xff\xff\x0f", b"\x3a", b"\x0b\x0c\x07"])
def test_bytes_that_are_no_message_are_counted_to_their_end(data):
    assert 0 <= count_parts(data, onnx.ModelProto, 100) <= 50


def test_counting_ends_at_the_limit():
    graph = b"\x0a\x00" * 100_000
    data = b"\x3a" + bytes([len(graph) & 127 | 128, len(graph) >> 7 & 127 | 128, len(graph) >> 14]) + graph
    assert onnx.ModelProto.FromString(data).graph.node[99_999] == onnx.NodeProto()
    assert count_parts(data, onnx.ModelProto, 1000) == 1001


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (lambda: small_onnx().SerializeToString(), "harness.graphs.reading.MOST_MODEL_PARTS", "more than 3 parts"),
        (
            lambda: small_onnx().SerializeToString(),
            "harness.graphs.reading.MOST_MODEL_OPERATORS",
            "operators; expected",
        ),
        (lambda: bytes(small_tflite()), "harness.graphs.tflite_file.MOST_MODEL_OPERATORS", "expected at most 3"),
        (lambda: bytes(small_tflite()), "harness.graphs.tflite_file.MOST_MODEL_NUMBERS", "more content than"),
    ],
)
def test_model_of_very_many_parts_is_refused(tmp_path, monkeypatch, content, name, found):
    monkeypatch.setattr(name, 3)
    path = tmp_path / "m"
    path.write_bytes(content())
    with pytest.raises(ModelFileError, match=found):
        read_model(path)


def test_values_of_large_weights_are_left_out_before_parsing():
    tensors = [numpy_helper.from_array(np.ones((n, 64), np.float32), f"w{n}") for n in (4, 300, 500)]
    nodes = [node("Gemm", "x w300", "y"), node("Identity", "w4", "z")]
    model = onnx_model(nodes, [info("x", (1, 300))], [info("y", (1, 64)), info("z", (4, 64))], tensors)
    data = model.SerializeToString()
    short = without_values(data)
    assert len(short) < 4 * 4 * 64 + 1000 < len(data)
    found = onnx.ModelProto.FromString(short)
    assert [tensor.dims for tensor in found.graph.initializer] == [[4, 64], [300, 64], [500, 64]]
    assert found.graph.initializer[0] == tensors[0]
    assert found.graph.initializer[1].external_data[0].value == str(4 * 300 * 64)
    assert found.graph.node == model.graph.node


@pytest.mark.parametrize("n_bytes", [70_000, 1000])
def test_values_that_do_not_fill_a_large_weight_are_a_fault(tmp_path, n_bytes):
    weight = onnx.TensorProto(dims=[300, 64], data_type=1, name="w", raw_data=bytes(n_bytes))
    model = onnx_model([node("Gemm", "x w", "y")], [info("x", (1, 300))], [info("y", (1, 64))], [weight])
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match=r"w: values that do not fill its extents"):
        read_model(path)


def test_a_cut_file_keeps_its_bytes(tmp_path):
    weight = numpy_helper.from_array(np.ones((300, 64), np.float32), "w")
    model = onnx_model([node("Gemm", "x w", "y")], [info("x", (1, 300))], [info("y", (1, 64))], [weight])
    data = model.SerializeToString()[:-100]
    assert without_values(data) == data
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="not a whole protobuf message"):
        read_model(path)
