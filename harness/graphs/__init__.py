"""Model file in, kernels out: readers of ONNX and TFLite, fusion rules of runtimes, model families, kernel sampler."""
