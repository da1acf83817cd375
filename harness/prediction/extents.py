"""Extents of a kernel in a few characters, as tables and charts show them."""

from harness.schema.networks import NetworkKernel, input_in_words


def extents_in_words(kernel: NetworkKernel) -> str:
    """Extents of a kernel on a few characters: plane, channels, window and stride where it has them.

    >>> cost = {"flops": 1, "params": 0, "bytes_moved": 1}
    >>> window = {"kernel_h": 3, "kernel_w": 3, "stride_h": 2, "stride_w": 2}
    >>> extents_in_words(NetworkKernel(operator="conv", kernel="conv-bn-relu", dtype="fp32", input_h=56, input_w=56,
    ...     cin=64, cout=128, **window, **cost))
    '56x56x64>128 3x3/2'
    """
    made = kernel.cout if kernel.output_h is None else f"{kernel.output_h}x{kernel.output_w}"
    parts = [input_in_words(kernel) if made is None else f"{input_in_words(kernel)}>{made}"]
    if kernel.kernel_h is not None:
        stride = f"{kernel.stride_h}" if kernel.stride_h == kernel.stride_w else f"{kernel.stride_h}x{kernel.stride_w}"
        parts.append(f"{kernel.kernel_h}x{kernel.kernel_w}{'' if stride == '1' else f'/{stride}'}")
    parts += [f"{kernel.groups} groups"] if kernel.groups is not None else []
    parts += [f"{kernel.directions} directions"] if kernel.directions is not None else []
    return " ".join(part for part in parts if part)
