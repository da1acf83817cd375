"""Energy of a network on one device: a predictor fitted for the device, and the sum over the network's kernels."""
