"""Text in UTF-16, as spreadsheets and some shells write it, read as bytes of UTF-8; it knows no format."""

import codecs
import io
from typing import Any, BinaryIO, Final

UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_READ_BYTES: Final = 1 << 16


class Utf16AsUtf8(io.RawIOBase):
    """File whose text is in UTF-16 with a byte order mark, as its bytes in UTF-8 without one.

    Args:
        file: the file, at its beginning.

    Raises:
        UnicodeError: while it is read, where it is not UTF-16 to its end.
    """

    def __init__(self, file: "BinaryIO | io.BufferedIOBase") -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as there is text; the number of bytes, 0 at the end."""
        while not self._rest:
            data = self._file.read(_READ_BYTES)
            self._rest = memoryview(self._decoder.decode(data, final=not data).encode("utf-8"))
            if not data:
                break
        view = memoryview(buffer).cast("B")
        n_bytes = min(len(view), len(self._rest))
        view[:n_bytes] = self._rest[:n_bytes]
        self._rest = self._rest[n_bytes:]
        return n_bytes
