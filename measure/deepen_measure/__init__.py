"""Measures networks on the device that runs them, with the meters that the device has; the standard library alone."""

__version__ = "0.1.0"
