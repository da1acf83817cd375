"""What the predictor is."""

from harness.predictor.protocol import PredictorInfo

INFO = PredictorInfo(
    key="sec23-random-forest",
    name="Random forest (SEC 2023)",
    authors=("Xiaolong Tu et al. (method)", "The DeepEn contributors (this implementation)"),
    licence="Apache-2.0",
    kernels="all",
)
