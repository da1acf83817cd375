"""Reads a model file, ONNX or TFLite; its content decides which."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from harness.budget import MOST_MODEL_BYTES, MOST_MODEL_OPERATORS, MOST_MODEL_PARTS
from harness.errors import DeepenError, UsageError
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Graph
from harness.graphs.input_extents import parse_input_option, parse_set_option
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.protobuf_parts import count_parts
from harness.graphs.tflite_reader import IDENTIFIER, graph_of_tflite
from harness.issues import internal_fault, quoted

__all__ = ["parse_input_option", "parse_set_option", "read_model"]


class _Choices(NamedTuple):
    """What a user gives beside the file."""

    inputs: Mapping[str, tuple[int, ...]] | None
    batch: int | None
    values: Mapping[str, str] | None
    signature: str | None


def read_model(
    path: Path,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    batch: int | None = None,
    *,
    values: Mapping[str, str] | None = None,
    signature: str | None = None,
) -> Graph:
    """Graph of a model file; its name is the path as messages show it.

    Weights may lack their values, and an open first extent is 1 unless `inputs` states another. Files beside the
    model, as those of external data, are never opened.

    Args:
        path: ONNX or TFLite file of at most 2 GB.
        inputs: extents of network inputs by name, where the file leaves them open.
        batch: first extent of the inputs that is the batch; None where the file names it, or has none.
        values: values of network inputs of one element by name, as text; such an input is a constant.
        signature: which of the networks of a TFLite file; the one that a runtime takes where none is named by default.

    Raises:
        UsageError: extents or a value are given for an input that the model does not have, a value is none of its
            type, no input has that batch, or the file has no such signature.
        ModelFileError: the file is not a model, is broken, or leaves extents open.
    """
    shown = path.as_posix()
    data = _content(path, shown)
    try:
        return _graph(data, shown, _Choices(inputs, batch, values, signature))
    except DeepenError:
        raise
    except Exception as error:
        raise ModelFileError([model_issue("internal-fault", shown, **internal_fault(error))]) from error


def _graph(data: bytes, shown: str, choices: _Choices) -> Graph:
    if data[4:8] == IDENTIFIER:
        return graph_of_tflite(data, shown, *choices[:2], values=choices.values, signature=choices.signature)
    if choices.signature is not None:
        raise UsageError(
            f"--signature '{quoted(choices.signature)}': {quoted(shown)} is no TFLite file, and has no signatures"
        )
    if count_parts(data, onnx.ModelProto, MOST_MODEL_PARTS) > MOST_MODEL_PARTS:
        raise _too_large(shown, f"a message of more than {MOST_MODEL_PARTS} parts", MOST_MODEL_PARTS)
    try:
        model = onnx.ModelProto.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise _no_model(shown, "bytes that are not a whole protobuf message") from error
    n_operators = len(model.graph.node)
    if n_operators > MOST_MODEL_OPERATORS:
        raise _too_large(shown, f"{n_operators} operators", MOST_MODEL_OPERATORS)
    return graph_of_onnx(model, shown, *choices[:2], values=choices.values)


def _content(path: Path, shown: str) -> bytes:
    try:
        if not path.is_file():
            raise _unreadable(shown, "not a plain file" if path.exists() else "no such file")
        if path.stat().st_size > MOST_MODEL_BYTES:
            raise _unreadable(shown, f"a file of {path.stat().st_size} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(shown, error.strerror or "an error of the file system") from error
    if not data:
        raise _no_model(shown, "an empty file")
    return data


def _unreadable(shown: str, found: str) -> ModelFileError:
    expected = f"a readable, plain file of at most {MOST_MODEL_BYTES} bytes"
    return ModelFileError(
        [model_issue("model-unreadable", shown, found=found, expected=expected, fix="Name the model file itself.")]
    )


def _too_large(shown: str, found: str, most: int) -> ModelFileError:
    fix = "Check what wrote the file; no network of an edge device has so many."
    return ModelFileError([model_issue("model-format", shown, found=found, expected=f"at most {most}", fix=fix)])


def _no_model(shown: str, found: str) -> ModelFileError:
    fix = "Export or download the file again; other formats need converting to one of the two."
    return ModelFileError(
        [model_issue("model-format", shown, found=found, expected="an ONNX or TFLite model", fix=fix)]
    )
