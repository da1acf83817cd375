"""The paper's predictor: a random forest for each kernel type."""
