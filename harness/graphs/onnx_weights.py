"""Leaves the values of weights out of an ONNX file before it is parsed, because parsing would copy all of them."""

from collections.abc import Iterator
from typing import Any, Final

import onnx

from harness.graphs.protobuf_parts import parts_of

LEAST_BYTES: Final = 1 << 16
"""Values of fewer bytes are kept; those that shapes follow from are far shorter."""


_GRAPH: Final = onnx.ModelProto.GRAPH_FIELD_NUMBER
_TENSOR: Final = onnx.GraphProto.INITIALIZER_FIELD_NUMBER
_RAW: Final = onnx.TensorProto.RAW_DATA_FIELD_NUMBER


def without_values(data: Any) -> Any:
    """The file with the place of long values in it, as of values outside the file; unchanged where it has none.

    Args:
        data: bytes of an ONNX model, which may be broken: whoever parses them reports that.
    """
    if len(data) < LEAST_BYTES:
        return data
    return b"".join(_rewritten(data, 0, len(data), (_GRAPH, _TENSOR)))


def _rewritten(data: Any, begin: int, end: int, path: tuple[int, ...]) -> Iterator[bytes]:
    """Bytes of a message; of the messages on the path, without long values."""
    kept = begin
    for number, is_content, place, content, after in parts_of(data, begin, end):
        if not is_content or after > end or after - content < LEAST_BYTES:
            continue
        if path and number == path[0]:
            inner = b"".join(_rewritten(data, content, after, path[1:]))
            new = _content(number, inner)
        elif not path and number == _RAW:
            new = _place_of(after - content)
        else:
            continue
        yield data[kept:place]
        yield new
        kept = after
    yield data[kept:end]


def _place_of(n_bytes: int) -> bytes:
    """Fields of a tensor whose values are so many bytes outside the file."""
    length = onnx.StringStringEntryProto(key="length", value=str(n_bytes))
    return bytes(onnx.TensorProto(data_location=onnx.TensorProto.EXTERNAL, external_data=[length]).SerializeToString())


def _content(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
