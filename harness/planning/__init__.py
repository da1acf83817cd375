"""Which kernels of a device to measure, before any of them is measured; it predicts no energy."""
