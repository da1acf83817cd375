"""Predictors of energy, one folder each: `predictor.toml` declares it, `model.py` has the estimator `Model`.

Modules that begin with an underscore are shared by several predictors and are none themselves.
"""
