"""One configuration of every kernel type and function, and of every kind of window."""

from typing import get_args

from harness.schema.kernel_types import KERNEL_TYPES, Function

IMAGE = {"input_h": 14, "input_w": 11, "cin": 8}
WINDOW = {"kernel_h": 3, "kernel_w": 5, "stride_h": 2, "stride_w": 1}
ROWS = {"rows": 6, "cin": 16}

PLAIN = {
    "conv-bn-relu": {**IMAGE, "cout": 12, **WINDOW},
    "dwconv-bn-relu": {**IMAGE, **WINDOW, "stride_h": 1},
    "conv-transpose": {**IMAGE, "cout": 12, "kernel_h": 3, "kernel_w": 2, "stride_h": 2, "stride_w": 2},
    "fc": {"cin": 24, "cout": 10},
    "maxpool": {**IMAGE, **WINDOW},
    "avgpool": {**IMAGE, **WINDOW},
    "global-avgpool": IMAGE,
    "add": IMAGE,
    "addrelu": IMAGE,
    "bn": IMAGE,
    "bnrelu": IMAGE,
    "se": IMAGE,
    "relu": IMAGE,
    "hswish": IMAGE,
    "concat": {**IMAGE, "cin2": 4},
    "split": IMAGE,
    "channelshuffle": IMAGE,
    "matmul": {**ROWS, "cout": 5},
    "attention": {"q_len": 6, "kv_len": 10, "heads": 4, "kv_heads": 2, "head_size": 8},
    "softmax": ROWS,
    "embedding": {"rows": 6, "entries": 50, "cout": 16},
    "lstm": {**ROWS, "cout": 12},
    "gru": {**ROWS, "cout": 12},
    "resize": {**IMAGE, "output_h": 28, "output_w": 33},
}
"""An example of each type without functions."""

FORMS = {
    "conv-bn-relu of groups": {"kernel": "conv-bn-relu", **IMAGE, "cout": 12, **WINDOW, "groups": 4},
    "conv-bn-relu dilated": {
        "kernel": "conv-bn-relu", **IMAGE, "cout": 12, "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1,
        "dilation_h": 2, "dilation_w": 2,
    },
    "conv-bn-relu of one place": {
        "kernel": "conv-bn-relu", **IMAGE, "cout": 12, "kernel_h": 1, "kernel_w": 1, "stride_h": 1, "stride_w": 1,
    },
    "conv-bn-relu of a line": {
        "kernel": "conv-bn-relu", "input_h": 40, "input_w": 1, "cin": 8, "cout": 12, "kernel_h": 9, "kernel_w": 1,
        "stride_h": 1, "stride_w": 1,
    },
    "dwconv-bn-relu of more channels": {"kernel": "dwconv-bn-relu", **IMAGE, "cout": 16, **WINDOW, "stride_h": 1},
    "concat of four": {"kernel": "concat", **IMAGE, "cin2": 4, "cin3": 3, "cin4": 2},
    "matmul of two activations": {"kernel": "matmul", **ROWS, "cout": 5, "batch": 3},
    "norm of a sum": {"kernel": "norm", "function": "layer-norm", **ROWS, "cin2": 16},
    "lstm of two directions": {"kernel": "lstm", **ROWS, "cout": 12, "directions": 2},
    "gru of two directions": {"kernel": "gru", **ROWS, "cout": 12, "directions": 2},
    "conv-transpose of groups": {"kernel": "conv-transpose", **PLAIN["conv-transpose"], "groups": 4},
    "elementwise of two activations": {"kernel": "elementwise", "function": "mul", **ROWS, "cin2": 16},
}  # fmt: skip
"""What else a configuration may be."""

CONFIGURATIONS = {
    **{kernel: {"kernel": kernel, **extents} for kernel, extents in PLAIN.items()},
    **{
        f"{kernel} {function}": {"kernel": kernel, "function": function, **ROWS}
        for kernel in ("norm", "elementwise")
        for function in get_args(Function)
        if function in KERNEL_TYPES[kernel].functions
    },
    **FORMS,
}
"""Every example by its name."""
