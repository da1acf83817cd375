"""Small kernel lists made by hand, for tests that need some; their networks do not exist."""

import json
from typing import Any

from harness.schema.networks import Network

_WINDOW = {"kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1}
CONV: dict[str, Any] = {
    "operator": "conv+bn+relu", "kernel": "conv-bn-relu", "dtype": "int8", "input_h": 8, "input_w": 8, "cin": 3,
    "cout": 16, **_WINDOW, "flops": 55_296, "params": 448, "bytes_moved": 1_664,
}  # fmt: skip
DWCONV: dict[str, Any] = {
    "operator": "dwconv+bn+relu", "kernel": "dwconv-bn-relu", "dtype": "int8", "input_h": 8, "input_w": 8, "cin": 16,
    "cout": 16, **_WINDOW, "flops": 18_432, "params": 160, "bytes_moved": 2_208,
}  # fmt: skip
FC: dict[str, Any] = {
    "operator": "fc", "kernel": "fc", "dtype": "int8", "cin": 16, "cout": 10,
    "flops": 320, "params": 170, "bytes_moved": 196,
}  # fmt: skip
SOFTMAX: dict[str, Any] = {
    "operator": "softmax", "kernel": None, "dtype": "int8", "flops": 10, "params": 0, "bytes_moved": 20,
}  # fmt: skip
REST: dict[str, Any] = {
    "operator": "com.acme.Rest", "kernel": None, "dtype": "fp32", "flops": 3_599_944_384, "params": 11_699_382,
    "bytes_moved": 50_000_000,
}  # fmt: skip
RESNET = (CONV, FC, REST)
"""Totals as the golden base states them for ResNet18."""


def network(model: str, *kernels: dict[str, Any]) -> Network:
    """Kernel list of a network; one without a known kernel type at its end."""
    entries = [*(kernels or (CONV, FC)), SOFTMAX]
    return Network.model_validate({"schema_version": 1, "model": model, "runtime": "tflite-cpu", "kernels": entries})


def as_json(model: str, *entries: dict[str, Any]) -> str:
    """File of a kernel list as it is written: one kernel a line, empty extents left out."""
    head = {"schema_version": 1, "model": model, "runtime": "tflite-cpu"}
    lines = [json.dumps({name: value for name, value in entry.items() if value is not None}) for entry in entries]
    fields = "\n".join(f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items())
    joined = ",\n    ".join(lines)
    return f'{{\n{fields}\n  "kernels": [\n    {joined}\n  ]\n}}\n'
