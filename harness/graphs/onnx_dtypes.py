"""Data types of ONNX by their number, from which what a kernel computes in follows; bytes of values of each."""

import math
from collections.abc import Mapping
from typing import Final

from onnx import TensorProto

from harness.schema.cost import STORED_BITS
from harness.schema.vocabulary import StoredDtype

STORED: Final[Mapping[int, StoredDtype]] = {
    TensorProto.FLOAT: "fp32",
    TensorProto.FLOAT16: "fp16",
    TensorProto.BFLOAT16: "bf16",
    TensorProto.DOUBLE: "fp64",
    TensorProto.FLOAT8E4M3FN: "fp8e4m3fn",
    TensorProto.FLOAT8E4M3FNUZ: "fp8e4m3fnuz",
    TensorProto.FLOAT8E5M2: "fp8e5m2",
    TensorProto.FLOAT8E5M2FNUZ: "fp8e5m2fnuz",
    TensorProto.FLOAT8E8M0: "fp8e8m0",
    TensorProto.FLOAT4E2M1: "fp4e2m1",
    TensorProto.INT64: "int64",
    TensorProto.UINT64: "uint64",
    TensorProto.INT32: "int32",
    TensorProto.UINT32: "uint32",
    TensorProto.INT16: "int16",
    TensorProto.UINT16: "uint16",
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "uint8",
    TensorProto.INT4: "int4",
    TensorProto.UINT4: "uint4",
    TensorProto.INT2: "int2",
    TensorProto.UINT2: "uint2",
    TensorProto.BOOL: "bool",
}
"""Data types of elements by their number; text, complex numbers and 6 bits are none that a weight is stored in."""
_MOST_DIGITS: Final = 18


def n_stated_bytes(tensor: TensorProto) -> int:
    """Bytes of a tensor's raw values, in the file or, as the file states them, outside; 0 where it states none."""
    if tensor.data_location != TensorProto.EXTERNAL:
        return len(tensor.raw_data)
    stated = next((entry.value for entry in tensor.external_data if entry.key == "length"), "")
    return int(stated) if stated.isascii() and stated.isdecimal() and len(stated) <= _MOST_DIGITS else 0


def has_values(tensor: TensorProto, n_bytes: int) -> bool:
    """Whether the file has a tensor's values, of which some bytes are raw; one without elements needs none."""
    if tensor.data_location == TensorProto.EXTERNAL:
        return False
    fields = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return n_bytes > 0 or 0 in tensor.dims or any(map(len, fields))


def fills(tensor: TensorProto, n_bytes: int) -> bool:
    """Whether there are as many raw values as the extents state; elements that share bytes are not counted."""
    stored = STORED.get(tensor.data_type)
    if stored is None or STORED_BITS[stored] < 8:
        return True
    return bool(n_bytes == math.prod(tensor.dims) * STORED_BITS[stored] // 8)


def bytes_of(shape: tuple[int, ...] | None, stored: StoredDtype | None) -> int:
    """Bytes of the elements of a constant; 0 for a single number, and where they are unknown.

    >>> bytes_of((4, 256), "fp32"), bytes_of((3, 3), "int4"), bytes_of((), "fp32")
    (4096, 5, 0)
    """
    n_elements = math.prod(shape or ())
    return 0 if stored is None or n_elements == 1 else -(-n_elements * STORED_BITS[stored] // 8)
