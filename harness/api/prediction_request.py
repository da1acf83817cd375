"""What is asked of a predictor, and what answers it."""

from typing import NamedTuple, Protocol

from harness.prediction.fitted import FittedPredictor
from harness.prediction.rows_runtime import RowsRuntime
from harness.schema.vocabulary import Dtype


class Request(NamedTuple):
    """What a predictor has to support; None where nothing is requested."""

    device_id: str | None
    system_id: str | None
    delegate: str | None
    predictor: str | None
    package: str


class Source(Protocol):
    """A fitted predictor, or rows to fit one on."""

    @property
    def runtime(self) -> RowsRuntime:
        """Runtime of the rows."""
        ...

    def fitted(self, dtype: Dtype) -> FittedPredictor:
        """Predictor for networks that run in a data type.

        Raises:
            UsageError: there is no such predictor, no row for the request, or it is fitted for something else.
            PredictorError: it fails, or a saved one is damaged.
        """
        ...
