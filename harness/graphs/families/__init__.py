"""Builders of weight-free networks: the nine families of SEC 2023 with their variants, MLPerf Tiny's, and others."""
