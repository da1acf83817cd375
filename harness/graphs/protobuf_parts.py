"""Counts the parts of a protobuf message before it is parsed; a part takes many times its bytes in memory."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

_VARINT, _FIXED64, _CONTENT, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_MOST_SHIFT: Final = 63


def count_parts(data: bytes, message: Any, most: int) -> int:
    """Number of the fields of a message and of all messages in it, each as often as it stands; counting ends early.

    Bytes that are no such message end the counting of what holds them; whoever parses them reports that.

    Args:
        data: the message.
        message: its class, with the descriptor of its fields.
        most: number from which on nothing more is counted.
    """
    n_parts = 0
    stack = [(0, len(data), message.DESCRIPTOR)]
    while stack and n_parts <= most:
        place, end, descriptor = stack.pop()
        inner = _messages(descriptor)
        while place < end and n_parts <= most:
            n_parts += 1
            tag, place = _varint(data, place)
            kind = tag & 7
            if kind == _CONTENT:
                length, place = _varint(data, place)
                if tag >> 3 in inner and place + length <= end:
                    stack.append((place, place + length, inner[tag >> 3]))
                place += length
            elif kind == _VARINT:
                _, place = _varint(data, place)
            else:
                place += _WIDTHS.get(kind, end)
    return n_parts


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Number at a place, and the place after it; past the end where it is none."""
    value = shift = 0
    while place < len(data) and shift <= _MOST_SHIFT:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
    return 0, len(data)


@cache
def _messages(descriptor: Any) -> Mapping[int, Any]:
    """Descriptors of the fields of a message that are messages, by their number."""
    return {field.number: field.message_type for field in descriptor.fields if field.message_type is not None}
