"""Standardised tests of predictors on splits that they were not fitted on: folds, plans, metrics, results, boards."""
