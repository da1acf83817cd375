"""Simulated campaigns: energy and latency of kernel configurations on published models of accelerators.

The figures come from the estimator ZigZag, an optional extra; nothing is measured here.
"""
