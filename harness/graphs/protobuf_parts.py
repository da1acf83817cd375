"""Parts of a protobuf message before it is parsed; a part takes many times its bytes in memory."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

_VARINT, _FIXED64, _CONTENT, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_MOST_SHIFT: Final = 63
_CONTINUED: Final = 0x80
"""Bit of a byte after which a number goes on."""


Part = tuple[int, bool, int, int, int]
"""A field of a message: its number; whether it is text, bytes or a message, whose length the message states; place of
its first byte; place after its number and length; place after it, beyond the message where that is cut off."""


def parts_of(data: Any, place: int, end: int) -> Iterator[Part]:
    """Fields of a message at a place of some bytes; bytes that are no message end them.

    Args:
        data: the bytes.
        place: place of the message.
        end: place after the message, at most that after the bytes.
    """
    while place < end:
        begin, tag, content = place, data[place], place + 1
        if tag >= _CONTINUED:
            tag, content = _varint(data, place)
        kind = tag & 7
        if kind == _CONTENT:
            length, content = _varint(data, content)
            place = content + length
        elif kind == _VARINT:
            _, place = _varint(data, content)
        else:
            place = content + _WIDTHS.get(kind, end)
        yield tag >> 3, kind == _CONTENT, begin, content, place


def count_parts(data: Any, message: Any, most: int) -> int:
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
        for number, is_content, _, content, after in parts_of(data, place, end):
            n_parts += 1
            if n_parts > most:
                break
            if is_content and number in inner and after <= end:
                stack.append((content, after, inner[number]))
    return n_parts


def _varint(data: Any, place: int) -> tuple[int, int]:
    """Number at a place, and the place after it; past the end where it is none."""
    value = shift = 0
    while place < len(data) and shift <= _MOST_SHIFT:
        byte = data[place]
        place += 1
        if byte < _CONTINUED:
            return value | byte << shift, place
        value |= (byte & 0x7F) << shift
        shift += 7
    return 0, len(data)


@cache
def _messages(descriptor: Any) -> Mapping[int, Any]:
    """Descriptors of the fields of a message that are messages, by their number."""
    return {field.number: field.message_type for field in descriptor.fields if field.message_type is not None}
