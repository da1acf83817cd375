"""Files of other formats are named for what they are, with the way to a file that is read."""

import io
import json
import pickle
import zipfile

import pytest

from harness.graphs.faults import ModelFileError
from harness.graphs.file_kinds import kind_of_file
from harness.graphs.reading import read_model
from tests.graphs.models import small_onnx, small_tflite


def archive(*names):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, b"content")
    return made.getvalue()


def field(number, content):
    """A field of a message: a small number, or content shorter than 128 bytes."""
    head = number << 3 | (0 if isinstance(content, int) else 2)
    tag = bytes([head]) if head < 0x80 else bytes([head & 0x7F | 0x80, head >> 7])
    return tag + (bytes([content]) if isinstance(content, int) else bytes([len(content)]) + content)


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
KINDS = {
    "model.gguf": (b"GGUF\x03\x00\x00\x00" + bytes(40), "a GGUF file", "optimum-cli export onnx"),
    "model.litertlm": (b"LITERTLM\x01\x00\x00\x00" + bytes(40), "a LiteRT-LM bundle", "TFLite files out of it"),
    "model.safetensors": (len(HEADER).to_bytes(8, "little") + HEADER + bytes(4), "a safetensors file", "weights alone"),
    "model.ort": (b"\x20\x00\x00\x00ORTM" + bytes(40), "an ORT file of ONNX Runtime", "ONNX file that it was"),
    "model.pte": (b"\x30\x00\x00\x00ET12eh00" + bytes(40), "an ExecuTorch program", "torch.onnx.export"),
    "model.pt": (archive("net/data.pkl", "net/data/0"), "a PyTorch file", "torch.onnx.export"),
    "model.pt2": (archive("net/archive_format", "net/models/model.json"), "an exported program", "torch.onnx.export"),
    "old.pth": (pickle.dumps({"w": 1}, protocol=2), "a pickle", "torch.onnx.export"),
    "model.task": (archive("hand_detector.tflite", "hand_landmarks_detector.tflite"), "a bundle of TFLite", "Unzip it"),
    "aligned.task": (b"\0\0" + archive("hand_detector.tflite"), "a bundle of TFLite", "Unzip it"),
    "llm.task": (archive("TF_LITE_PREFILL_DECODE", "METADATA"), "a bundle of LiteRT", "Unzip it"),
    "model.keras": (archive("config.json", "model.weights.h5"), "a Keras file", "model.export"),
    "model.h5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file", "model.export"),
    "net.mlpackage.zip": (archive("net.mlpackage/Data/net.mlmodel"), "a Core ML package", "no way back"),
    "onnx.zip": (archive("net.onnx"), "an archive with an ONNX model", "Unzip it"),
    "other.zip": (archive("readme.txt"), "a zip archive", "Unzip it"),
    "net.mlmodel": (field(1, 4) + field(2, field(1, b"x")) + field(500, field(1, b"y")), "a Core ML model", "no way"),
    "saved_model.pb": (field(1, 1) + field(2, field(1, field(4, b"serve"))), "a TensorFlow SavedModel", "tf2onnx"),
    "frozen.pb": (
        field(1, field(1, b"x") + field(2, b"Relu")) * 2 + field(4, field(1, 9)),
        "a frozen graph",
        "tf2onnx",
    ),
    "newer.pb": (
        field(1, field(1, b"x") + field(2, b"Relu")) + field(4, field(1, 9)) + field(5, field(1, b"f")),
        "a frozen graph",
        "tf2onnx",
    ),
    "model.engine": (b"ftrt" + bytes(40), "a TensorRT engine", "ONNX file that it was built from"),
    "model.rknn": (b"RKNN" + bytes(40), "an RKNN file", "ONNX file"),
    "encrypted.rknn": (b"CYPTRKNN" + bytes(40), "an RKNN file", "ONNX file"),
    "windows.param": (b"7767517\r\n2 2\r\n", "a parameter file of ncnn", "ONNX file"),
    "model.param": (b"7767517\n2 2\nInput x 0 1 x\n", "a parameter file of ncnn", "ONNX file"),
    "model.xml": (b'<?xml version="1.0"?><net name="n">', "an XML file, as OpenVINO", "ONNX file"),
    "pointer.onnx": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS", "lfs pull"),
    "page.onnx": (b"<!DOCTYPE html><html>", "a web page", "Download the file itself"),
    "model.tgz": (b"\x1f\x8b\x08\x00" + bytes(40), "a gzip archive", "Unpack it"),
}


def issue_of(path):
    with pytest.raises(ModelFileError) as error:
        read_model(path)
    return error.value.issues[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_format_is_named_with_the_way_to_one_that_is_read(name, tmp_path):
    content, found, fix = KINDS[name]
    path = tmp_path / "model.onnx"  # Its content says what it is, not its name.
    path.write_bytes(content)
    issue = issue_of(path)
    assert issue.rule == "model-format"
    assert issue.found.startswith(found)
    assert fix in issue.fix


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("Manifest.json", "a Core ML package"),
        ("saved_model.pb", "a TensorFlow SavedModel"),
        ("model.onnx", "a folder with an ONNX model"),
    ],
)
def test_a_folder_that_is_a_model_is_named(inside, found, tmp_path):
    (tmp_path / inside).write_bytes(b"x")
    issue = issue_of(tmp_path)
    assert (issue.rule, issue.found) == ("model-format", found)


def test_the_kind_of_a_file_beyond_the_limit_is_named_all_the_same(tmp_path):
    path = tmp_path / "large.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(2 * 1024**3 + 1)
    assert issue_of(path).found.startswith("a GGUF file")


def test_a_model_beyond_the_limit_is_told_to_have_its_weights_beside_it(tmp_path):
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.write(b"\x08\x07")
        file.truncate(2 * 1024**3 + 1)
    issue = issue_of(path)
    assert issue.rule == "model-unreadable"
    assert "save_as_external_data=True" in issue.fix


@pytest.mark.parametrize("content", [small_onnx().SerializeToString(), bytes(small_tflite()), b"\x00" * 100, b"", b"P"])
def test_what_may_be_a_model_is_of_no_other_kind(content):
    assert kind_of_file(content) is None
