"""Predictors of kernel energy: what one is, how it is found, checked and saved; it names none and runs none."""
