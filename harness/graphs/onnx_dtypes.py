"""Data types of ONNX by their number; what a kernel computes in follows from what is stored."""

from collections.abc import Mapping
from typing import Final

from onnx import TensorProto

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
