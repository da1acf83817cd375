"""The default: roofline of each kernel type, corrected by models of its residual."""
