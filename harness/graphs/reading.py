"""Reads a model file, ONNX or TFLite; its content decides which.

The readers are imported where they read, because importing both takes longer than reading a small file.
"""

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from harness.budget import MOST_MODEL_BYTES, MOST_MODEL_OPERATORS, MOST_MODEL_PARTS
from harness.errors import DeepenError, UsageError
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.file_kinds import FileKind, kind_of_file, kind_of_folder, kind_of_message
from harness.graphs.graph import Graph
from harness.graphs.input_extents import parse_input_option, parse_set_option
from harness.graphs.protobuf_parts import count_parts
from harness.issues import internal_fault, quoted

__all__ = ["parse_input_option", "parse_set_option", "read_model"]

_TFLITE: Final = b"TFL3"
"""Bytes 4 to 8 of every TFLite file."""
_UNREADABLE: Final = "Name the model file itself."
_SMALLER: Final = (
    "Save its weights beside it, as onnx.save(model, path, save_as_external_data=True) does; no protobuf message can "
    "be larger, and weights beside the model are not read."
)


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
    try:
        with _content(path, shown) as data:
            return _graph(data, shown, _Choices(inputs, batch, values, signature))
    except DeepenError:
        raise
    except Exception as error:
        raise ModelFileError([model_issue("internal-fault", shown, **internal_fault(error))]) from error


def _graph(data: Any, shown: str, choices: _Choices) -> Graph:
    if data[4:8] == _TFLITE:
        from harness.graphs.tflite_reader import graph_of_tflite

        return graph_of_tflite(data[:], shown, *choices[:2], values=choices.values, signature=choices.signature)
    if choices.signature is not None:
        raise UsageError(
            f"--signature '{quoted(choices.signature)}': {quoted(shown)} is no TFLite file, and has no signatures"
        )
    return _graph_of_onnx(data, shown, choices)


def _graph_of_onnx(data: Any, shown: str, choices: _Choices) -> Graph:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    from harness.graphs.onnx_reader import graph_of_onnx
    from harness.graphs.onnx_weights import without_values

    if count_parts(data, onnx.ModelProto, MOST_MODEL_PARTS) > MOST_MODEL_PARTS:
        raise _too_large(shown, f"a message of more than {MOST_MODEL_PARTS} parts", MOST_MODEL_PARTS)
    try:
        model = onnx.ModelProto.FromString(without_values(data)[:])
    except (DecodeError, UnicodeDecodeError) as error:
        raise _no_model(shown, "bytes that are not a whole protobuf message", kind_of_message(data)) from error
    other = None if model.HasField("graph") else kind_of_message(data)
    if other is not None:
        raise _no_model(shown, "", other)
    n_operators = len(model.graph.node)
    if n_operators > MOST_MODEL_OPERATORS:
        raise _too_large(shown, f"{n_operators} operators", MOST_MODEL_OPERATORS)
    return graph_of_onnx(model, shown, *choices[:2], values=choices.values)


@contextmanager
def _content(path: Path, shown: str) -> Iterator[Any]:
    """Contents of a file, which are read from the disk where they are looked at.

    Raises:
        ModelFileError: it cannot be read, or is of another format.
    """
    try:
        if not path.is_file():
            raise _no_file(path, shown)
        n_bytes = path.stat().st_size
        if not n_bytes:
            raise _no_model(shown, "an empty file")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            other = kind_of_file(data)
            if other is not None:
                raise _no_model(shown, "", other)
            if n_bytes > MOST_MODEL_BYTES:
                raise _unreadable(shown, f"a file of {n_bytes} bytes", _SMALLER)
            yield data
    except OSError as error:
        raise _unreadable(shown, error.strerror or "an error of the file system") from error


def _no_file(path: Path, shown: str) -> ModelFileError:
    if not path.exists():
        return _unreadable(shown, "no such file")
    kind = kind_of_folder(path)
    return _unreadable(shown, "not a plain file") if kind is None else _no_model(shown, "", kind)


def _unreadable(shown: str, found: str, fix: str = _UNREADABLE) -> ModelFileError:
    expected = f"a readable, plain file of at most {MOST_MODEL_BYTES} bytes"
    return ModelFileError([model_issue("model-unreadable", shown, found=found, expected=expected, fix=fix)])


def _too_large(shown: str, found: str, most: int) -> ModelFileError:
    fix = "Check what wrote the file; no network of an edge device has so many."
    return ModelFileError([model_issue("model-format", shown, found=found, expected=f"at most {most}", fix=fix)])


def _no_model(shown: str, found: str, kind: FileKind | None = None) -> ModelFileError:
    """A file that is no model, or, where its kind is known, one of another format."""
    title, fix = kind or (found, "Export or download the file again; other formats need converting to one of the two.")
    return ModelFileError(
        [model_issue("model-format", shown, found=title, expected="an ONNX or TFLite model", fix=fix)]
    )
