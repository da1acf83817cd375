"""Extents of a kernel in a few characters, as tables and charts show them."""

from harness.schema.networks import NetworkKernel
from harness.schema.vocabulary import CONFIGURATION_FIELDS


def extents_in_words(kernel: NetworkKernel) -> str:
    """Extents of a kernel on a few characters: plane, channels, window and stride where it has them.

    >>> cost = {"flops": 1, "params": 0, "bytes_moved": 1}
    >>> window = {"kernel_h": 3, "kernel_w": 3, "stride_h": 2, "stride_w": 2}
    >>> extents_in_words(NetworkKernel(operator="conv", kernel="conv-bn-relu", dtype="fp32", input_h=56, input_w=56,
    ...     cin=64, cout=128, **window, **cost))
    '56x56x64>128 3x3/2'
    """
    extents = {name: getattr(kernel, name) for name in CONFIGURATION_FIELDS}

    def joined(mark: str, *names: str) -> str:
        return mark.join(str(extents[name]) for name in names if extents[name] is not None)

    channels = joined("+", "cin", "cin2", "cin3", "cin4")
    plane = "x".join(part for part in (joined("x", "input_h", "input_w"), channels) if part)
    parts = [f"{plane}>{extents['cout']}" if extents["cout"] is not None else plane]
    if extents["kernel_h"] is not None:
        is_even = extents["stride_h"] == extents["stride_w"]
        stride = joined("x", "stride_h") if is_even else joined("x", "stride_h", "stride_w")
        parts.append(f"{joined('x', 'kernel_h', 'kernel_w')}{'' if stride == '1' else f'/{stride}'}")
    parts += [f"{extents['groups']} groups"] if extents["groups"] is not None else []
    return " ".join(part for part in parts if part)
