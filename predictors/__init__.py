"""Predictors of energy, one folder each: `info.py` says what it is, `model.py` holds the estimator `Model`.

Modules that begin with an underscore are shared by several predictors and are none themselves.
"""
