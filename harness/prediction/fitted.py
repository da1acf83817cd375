"""A fitted predictor as predictions use it, wherever it comes from; it fits none."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.arrays import Reals
from harness.prediction.extrapolation import Ranges
from harness.prediction.network_ratio import NetworkRatio
from harness.predictor.columns import KernelColumns
from harness.predictor.figures import fault_of, fault_of_interval
from harness.predictor.persistence import Stamp
from harness.predictor.plain import from_plain_bytes
from harness.predictor.protocol import PredictorError
from harness.schema.results import Subject

Predict = Callable[[KernelColumns, float], tuple[Reals, Reals | None]]


@dataclass(frozen=True)
class FittedPredictor:
    """A fitted predictor.

    Attributes:
        stamp: predictor and the rows that it was fitted on.
        ranges: ranges of those rows, by kernel type.
        file: file that was named, or is in `dist/predictors`; None where it is from none.
        predict: energies in mJ of kernels, shape `(n,)`, and their intervals of a nominal coverage, shape `(n, 2)`,
            None where the predictor gives none; raises PredictorError where the predictor fails.
        is_kept: whether it was fitted for an earlier prediction, and kept since.
        ratio: ratio of networks to the sums over their kernels on its system; None where no calibration told it.
    """

    stamp: Stamp
    ranges: Ranges
    file: Path | None
    predict: Predict
    is_kept: bool = False
    ratio: NetworkRatio | None = None

    @property
    def subject(self) -> Subject:
        """Device and way of running that it is fitted for."""
        return self.stamp.subjects[0]


def plain_content(stamp: Stamp, ranges: Ranges, arrays: bytes, ratio: NetworkRatio | None = None) -> bytes:
    """A fitted predictor as bytes: a line of JSON with stamp, ranges and ratio, then what `plain_bytes` wrote."""
    head = {"stamp": stamp.model_dump(mode="json"), "ranges": ranges.model_dump(mode="json")}
    head |= {} if ratio is None else {"ratio": asdict(ratio)}
    return json.dumps(head).encode() + b"\n" + arrays


def of_plain_content(content: bytes, *, is_kept: bool) -> FittedPredictor:
    """The fitted predictor that `plain_content` wrote; it is asked in this process.

    Args:
        content: what was written, by this program and unchanged since.
        is_kept: whether it was fitted for an earlier prediction.
    """
    head, _, arrays = content.partition(b"\n")
    facts = json.loads(head)
    stamp, model = Stamp.model_validate(facts["stamp"]), from_plain_bytes(arrays)

    def predict(kernels: KernelColumns, coverage: float) -> tuple[Reals, Reals | None]:
        energies = model.predict(kernels)
        bounds = model.predict_interval(kernels, coverage) if hasattr(model, "predict_interval") else None
        fault = fault_of(energies, "rows") or ("" if bounds is None else fault_of_interval(bounds))
        if fault:
            raise PredictorError(f"{stamp.predictor} {fault}")
        return energies, bounds

    return FittedPredictor(stamp, Ranges.model_validate(facts["ranges"]), None, predict, is_kept, ratio_in(facts))


def ratio_in(facts: Mapping[str, Any]) -> NetworkRatio | None:
    """Ratio of networks in the line of JSON that `plain_content` writes."""
    return NetworkRatio(**facts["ratio"]) if "ratio" in facts else None
