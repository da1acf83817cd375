"""Pins of a predictor that would be fitted now: everything that it depends on; it fits nothing."""

from importlib.metadata import version
from typing import Final

from harness import __version__
from harness.schema.results import FitPins
from harness.splits import split_version

_PACKAGES: Final = ("numpy", "pandas", "scikit-learn", "scipy")


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
        packages={name: version(name) for name in _PACKAGES},
        seed=seed,
    )
