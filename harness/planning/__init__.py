"""Which kernels to measure on a device, and the model files that hold them; it measures and predicts nothing."""
