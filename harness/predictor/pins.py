"""Pins of a predictor that would be fitted now: everything that it depends on; it fits nothing."""

from importlib.metadata import version

from harness import __version__
from harness.predictor.protocol import RESTS_ON
from harness.schema.results import FitPins
from harness.splits import split_version


def fit_pins(data_sha256: str, predictor: str, predictor_version: str, seed: int) -> FitPins:
    """Pins of a predictor that this program fits now.

    Args:
        data_sha256: content of the rows.
        predictor: key of the predictor.
        predictor_version: version of its code.
        seed: seed of the fit.
    """
    return FitPins(
        data_sha256=data_sha256,
        split_version=split_version(),
        harness_version=__version__,
        predictor=predictor,
        predictor_version=predictor_version,
        packages={name: version(name) for name in RESTS_ON},
        seed=seed,
    )
