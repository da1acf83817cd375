"""Predictors of kernel energy: what one is, how it is found, tried, run and kept; it names none."""
