"""What the predictor is."""

from harness.predictor.protocol import PredictorInfo

INFO = PredictorInfo(
    key="flops-linear",
    name="FLOPs, linear",
    authors=("The DeepEn contributors",),
    licence="Apache-2.0",
    kernels="all",
)
