"""Few rows of a device, and what other devices say of its kernels."""
