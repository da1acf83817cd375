"""What the predictor is."""

from harness.predictor.protocol import PredictorInfo

INFO = PredictorInfo(
    key="roofline-residual",
    name="Roofline with residual",
    authors=("The DeepEn contributors",),
    licence="Apache-2.0",
    kernels="all",
)
