"""The paper's predictor: one random forest for each kernel type, on extents, FLOPs and parameters as they are.

Source:
    Method: Tu et al., Unveiling Energy Efficiency in Deep Learning (SEC 2023, arXiv 2310.18329), which trains as
    nn-Meter does (Zhang et al., MobiSys 2021). Neither paper prints hyper-parameters and the authors' code loads
    trained forests, so those below are the ones that nn-Meter's code gives for its back ends `tflite_cpu` and
    `tflite_gpu` (microsoft/nn-Meter, predictor_builder/predictor_lib.py). Left out is `oob_score`, which changes no
    prediction; `min_samples_leaf` 1 and `min_samples_split` 2 are scikit-learn's own, and so is the number of trees,
    100, where nn-Meter grows 190 to 690. On DeepEn2023 (2 x 5 folds) as many put 39.7 % of all rows within 10 %, and
    62.8 % of conv-bn-relu; 100 put 39.4 and 62.2 % there, in less than a third of the time.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from harness.arrays import Reals
from predictors._per_kernel import PerKernel
from predictors._trees import MeanOfTrees

COLUMNS: Final = ("input_h", "cin", "cout", "kernel_h", "stride_h", "flops", "params", "cin2", "cin3", "cin4")
"""HW, CIN, COUT, KS, S, FLOPs and parameters of the paper's kernels, and the further inputs of `concat`."""


class Forest(NamedTuple):
    """Hyper-parameters of one forest."""

    max_depth: int
    max_features: int | float


CPU: Final = {
    "conv-bn-relu": Forest(70, 6),
    "dwconv-bn-relu": Forest(50, 6),
    "fc": Forest(50, 2),
    "channelshuffle": Forest(50, 2),
    "se": Forest(20, 2),
    "maxpool": Forest(50, 5),
    "global-avgpool": Forest(70, 2),
    "hswish": Forest(50, 2),
    "avgpool": Forest(50, 5),
    "bnrelu": Forest(50, 2),
    "relu": Forest(50, 2),
    "bn": Forest(50, 2),
    "concat": Forest(100, 5),
    "addrelu": Forest(50, 3),
    "add": Forest(50, 3),
    "split": Forest(50, 2),
}
GPU: Final = {
    "conv-bn-relu": Forest(80, 5),
    "dwconv-bn-relu": Forest(40, 7),
    "fc": Forest(70, 4),
    "se": Forest(50, 2),
    "maxpool": Forest(50, 5),
    "hswish": Forest(50, 2),
    "avgpool": Forest(50, 5),
    "bnrelu": Forest(50, 2),
    "relu": Forest(50, 2),
    "bn": Forest(50, 2),
    "concat": Forest(100, 5),
    "addrelu": Forest(50, 3),
    "add": Forest(50, 3),
}
N_TREES: Final = 100
"""Trees of each forest."""
OTHERWISE: Final = Forest(50, 1.0)
"""Forest of a kernel type that nn-Meter does not name for a back end; all features at every split."""


class Model(PerKernel):
    """Random forest of the energy itself, for each kernel type.

    Args:
        random_state: seed of the forests.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> tuple[list[str], MeanOfTrees]:
        given = [name for name in COLUMNS if rows[name].nunique() > 1] or ["flops"]
        forest = (GPU if rows["processor"].iloc[0] == "gpu" else CPU).get(kernel, OTHERWISE)
        is_count = isinstance(forest.max_features, int)
        regressor = MeanOfTrees(
            N_TREES,
            max_depth=forest.max_depth,
            max_features=min(forest.max_features, len(given)) if is_count else forest.max_features,
            random_state=self.random_state,
        )
        return given, regressor.fit(_features(rows, given), energy_mj)

    def _predict_kernel(self, model: tuple[list[str], MeanOfTrees], rows: pd.DataFrame) -> Reals:
        given, regressor = model
        predicted: Reals = regressor.predict(_features(rows, given))
        return predicted


def _features(rows: pd.DataFrame, names: list[str]) -> Reals:
    """Columns as numbers; an extent that a row does not have is 0, as nn-Meter pads missing inputs of `concat`."""
    return rows[names].fillna(0).to_numpy(dtype=np.float64)
