"""The default: roofline of each kernel type, corrected by what has been learnt of its residual."""
