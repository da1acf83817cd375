"""Energy of networks as the sum of what their kernels cost, by kernel type."""
