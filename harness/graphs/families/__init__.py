"""Builders of weight-free networks: the nine families of SEC 2023 with their variants, and the MLPerf Tiny networks."""
