"""Files of other formats, known by their content: what each is, and how its network is exported to one that is read.

Source:
    Files that the libraries of the formats wrote: gguf, safetensors, h5py, Keras, coremltools, ONNX Runtime, OpenVINO,
    pnnx, litert-lm-builder, and the bundlers of MediaPipe. ExecuTorch, schema/program.fbs (file_identifier);
    TensorFlow, graph.proto and saved_model.proto; PyTorch, pt2_archive_constants.h; Git LFS, docs/spec.md. Netron's
    readers tensorrt.js and rknn.js for the two whose writers are not public.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from harness.graphs.protobuf_parts import parts_of

_ENDS_BYTES: Final = 1 << 16
"""Bytes of either end of an archive in which the names of its files are looked for."""
_MOST_FIELDS: Final = 100
_FIRST_CORE_ML: Final = 200
"""Number of the first field by which Core ML says what kind of model it holds; ONNX has none as high."""
_NEURAL = "Export it with torch.onnx.export, or with litert-torch to TFLite, from the Python class of the network."
_KERAS = "Load it and export it with model.export(path, format='onnx'), or with tf.lite.TFLiteConverter."
_GRAPH = "Convert it with python -m tf2onnx.convert, or with tf.lite.TFLiteConverter."
_CORE_ML = "Export the network that it was converted from to ONNX or TFLite; Core ML has no way back."
_BUILT = "Name the ONNX file that it was built from; a built engine no longer has the network's operators."
_WEIGHTS = "Export the network itself to ONNX or TFLite, as optimum-cli export onnx does; the file has weights alone."


class FileKind(NamedTuple):
    """A format that is not read.

    Attributes:
        title: what the file is, with its article.
        fix: how to come from it to a file that is read, a sentence.
    """

    title: str
    fix: str


_BY_BEGIN: Final[Mapping[bytes, FileKind]] = {
    b"GGUF": FileKind("a GGUF file of llama.cpp", _WEIGHTS),
    b"LITERTLM": FileKind("a LiteRT-LM bundle", "Take the TFLite files out of it, and name one of them."),
    b"\x89HDF\r\n\x1a\n": FileKind("an HDF5 file, as Keras writes it", _KERAS),
    b"ftrt": FileKind("a TensorRT engine", _BUILT),
    b"ptrt": FileKind("a TensorRT engine", _BUILT),
    **dict.fromkeys((b"RKNN", b"RKNX", b"CYPTRKNN"), FileKind("an RKNN file of Rockchip", _BUILT)),
    b"7767517": FileKind("a parameter file of ncnn", "Name the ONNX file that it was converted from."),
    b"version https://git-lfs": FileKind("a pointer of Git LFS", "Fetch the file itself with git lfs pull."),
    b"<!DOCTYPE html": FileKind("a web page", "Download the file itself; the address gave a page about it."),
    b"<?xml": FileKind("an XML file, as OpenVINO writes it", "Name the ONNX file that it was converted from."),
    b"\x1f\x8b": FileKind("a gzip archive", "Unpack it, and name the model in it."),
    **dict.fromkeys(
        (bytes([0x80, protocol]) for protocol in range(2, 6)), FileKind("a pickle, as torch.save writes it", _NEURAL)
    ),
}
"""Formats by what their files begin with."""
_BY_IDENTIFIER: Final[Mapping[bytes, FileKind]] = {
    b"ORTM": FileKind("an ORT file of ONNX Runtime", "Name the ONNX file that it was converted from."),
    b"ET12": FileKind("an ExecuTorch program", _NEURAL),
}
"""Formats by bytes 4 to 8, where FlatBuffers have their identifier."""
_ZIP: Final = b"PK\x03\x04"
_MOST_PADDING: Final = 4
"""Zeros before an archive, with which the bundler of MediaPipe aligns the first file in it."""
_BY_MEMBER: Final[Mapping[bytes, FileKind]] = {
    b"/data.pkl": FileKind("a PyTorch file", _NEURAL),
    b"/archive_format": FileKind("an exported program of PyTorch", _NEURAL),
    b"model.weights.h5": FileKind("a Keras file", _KERAS),
    b".mlmodel": FileKind("a Core ML package in an archive", _CORE_ML),
    b"saved_model.pb": FileKind("a TensorFlow SavedModel in an archive", _GRAPH),
    b".tflite": FileKind("a bundle of TFLite models, as MediaPipe's", "Unzip it, and name a TFLite file in it."),
    b"TF_LITE_": FileKind("a bundle of LiteRT's language models", "Unzip it, and name a TFLite file in it."),
    b".onnx": FileKind("an archive with an ONNX model", "Unzip it, and name the ONNX file in it."),
}
"""Formats by a name in their archive, the first that is found."""
_ARCHIVE: Final = FileKind("a zip archive", "Unzip it, and name the model in it.")
_SAFETENSORS: Final = FileKind("a safetensors file", _WEIGHTS)
_SAVED_MODEL: Final = FileKind("a TensorFlow SavedModel", _GRAPH)
_GRAPH_DEF: Final = FileKind("a frozen graph of TensorFlow", _GRAPH)
_CORE_ML_MODEL: Final = FileKind("a Core ML model", _CORE_ML)
_BY_FILE: Final[Mapping[str, FileKind]] = {
    "saved_model.pb": _SAVED_MODEL,
    "Manifest.json": FileKind("a Core ML package", _CORE_ML),
    "model.onnx": FileKind("a folder with an ONNX model", "Name model.onnx in it."),
}
"""Formats that are folders, by a file in them."""


def kind_of_folder(path: Path) -> FileKind | None:
    """The format of a folder; None where it is none of a model."""
    return next((kind for name, kind in _BY_FILE.items() if (path / name).is_file()), None)


def kind_of_file(data: Any) -> FileKind | None:
    """The format of a file that is not read; None where it may be ONNX or TFLite, or is unknown.

    Args:
        data: contents of the file, or a map of it: both ends are read.
    """
    begin = data[:32]
    for magic, kind in _BY_BEGIN.items():
        if begin.startswith(magic):
            return kind
    if begin[: _MOST_PADDING + len(_ZIP)].lstrip(b"\0").startswith(_ZIP):
        ends = data[:_ENDS_BYTES] + data[-_ENDS_BYTES:]
        return next((kind for name, kind in _BY_MEMBER.items() if name in ends), _ARCHIVE)
    if begin[8:10] in (b'{"', b"{ ", b"{}") and int.from_bytes(begin[:8], "little") <= len(data) - 8:
        return _SAFETENSORS
    return _BY_IDENTIFIER.get(begin[4:8])


def kind_of_message(data: Any) -> FileKind | None:
    """The format of a protobuf message that has no ONNX graph; None where it is unknown."""
    fields: dict[int, bytes | None] = {}
    for number, is_content, _, content, after in parts_of(data, 0, len(data)):
        if after > len(data) or len(fields) > _MOST_FIELDS:
            return None
        fields.setdefault(number, data[content : content + 1] if is_content else None)
    return next((kind for kind, holds in _BY_FIELDS.items() if holds(fields)), None)


def _is_core_ml(fields: Mapping[int, bytes | None]) -> bool:
    """A version, a description, and a model of one kind."""
    return 1 in fields and fields[1] is None and any(number >= _FIRST_CORE_ML for number in fields)


_BY_FIELDS: Final[Mapping[FileKind, Callable[[Mapping[int, bytes | None]], bool]]] = {
    _CORE_ML_MODEL: _is_core_ml,
    # A version, and networks that begin with what they are about.
    _SAVED_MODEL: lambda fields: set(fields) == {1, 2} and fields[1] is None and fields[2] == b"\x0a",
    # Operators that begin with their name, a library, versions and where the operators come from.
    _GRAPH_DEF: lambda fields: set(fields) <= {1, 2, 3, 4, 5} and fields.get(1) == b"\x0a",
}
"""Formats by the fields of their message, with the first byte of those that have content."""
