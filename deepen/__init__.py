"""DeepEn from Python: the energy of a model file in one call, and all of `harness.api` by its names.

    from deepen import predict

    energy = predict("resnet18.onnx", device="acme-phone", delegate="CPU1")
    print(energy.energy_mj, energy.interval_mj)

A name is imported when it is first used. The second prediction for a device takes well below a second of processor
time; the first fits the predictor and keeps it.
"""

from typing import TYPE_CHECKING, Any

from harness import __version__ as __version__
from harness import api

if TYPE_CHECKING:
    from harness.api.arguments import AnyPath
    from harness.prediction.network_energy import NetworkEnergy

__all__ = list(api.__all__)


def predict(model: "AnyPath", device: str | None = None, **options: Any) -> "NetworkEnergy":
    """Energy of one inference of a model file on a device, kernel by kernel.

    `harness.api.predict` gives it with what it rests on: fusion rules, predictor, the rows of the fit, and notes.

    Args:
        model: ONNX or TFLite file.
        device: device, by its id; needed unless `file=` names a fitted predictor.
        **options: as for `harness.api.predict`: `delegate`, `dtype`, `data`, `coverage` and others.

    Returns:
        `energy_mj` and `interval_mj` of the network, `kernels` with those of each, what is `unsupported`, and
        `extrapolations` beyond what the predictor was fitted on.

    Raises:
        DeepenError: as for `harness.api.predict`; the message says what was found, what was expected, and the fix.

    Examples:
        >>> from deepen import predict
        >>> energy = predict("net.onnx", device="acme-phone", delegate="CPU1", extrapolate=True)
        >>> round(energy.energy_mj, 2), energy.interval_mj, energy.is_complete
        (1.25, None, True)
        >>> [(each.kernel.kernel, each.kernel.flops) for each in energy.kernels]
        [('fc', 400)]
    """
    return api.predict(model, device, **options).network


def __getattr__(name: str) -> Any:
    """A name of `harness.api`, imported when it is first used."""
    if name in api.__all__:
        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
