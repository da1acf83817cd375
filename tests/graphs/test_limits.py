"""Models beyond what is read: refused before anything is built of them."""

import onnx
import pytest

from harness.graphs.faults import ModelFileError
from harness.graphs.protobuf_parts import count_parts
from harness.graphs.reading import read_model
from tests.graphs.models import small_onnx, small_tflite


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
