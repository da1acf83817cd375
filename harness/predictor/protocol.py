"""What a predictor is, and what it declares of itself; light, so that a list of predictors is quick to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol, Self, get_args, runtime_checkable

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from harness.errors import DeepenError
from harness.issues import quoted, suggested
from harness.schema.licences import spdx_of
from harness.schema.vocabulary import Kernel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

KERNELS: Final[tuple[Kernel, ...]] = get_args(Kernel)
KEY_PATTERN: Final = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""Keys of predictors: lower-case words and digits joined by hyphens."""

RESTS_ON: Final = ("numpy", "pandas", "scikit-learn", "scipy")
"""Libraries whose versions are pins of what is fitted."""

MOST_CHARACTERS: Final = 300
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs that show nothing."""


def _shown(text: str) -> str:
    """Text without characters that control, show nothing, or turn the direction of what follows.

    Raises:
        ValueError: it has one.
    """
    hidden = next((character for character in text if not character.isprintable() or character in _BLANK), None)
    if hidden is not None:
        raise ValueError(f"it has the character U+{ord(hidden):04X}, which shows nothing or steers what follows")
    return text


_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MOST_CHARACTERS), AfterValidator(_shown)]
_Text = Annotated[_Line, StringConstraints(min_length=1)]
_Module = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", max_length=100)]
_Requirement = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\[\],<>=!~ -]*$", max_length=100)]
"""What pip installs, without quotes: messages show it within a command."""


class PredictorError(DeepenError):
    """A predictor is broken, or lacks what it needs; the message names the file and how to fix it."""


DECLARED: Final = "declared"
"""Type of the faults of a declaration whose message is complete: what was expected, and how to fix it."""


def _fault(expected: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError(DECLARED, "{expected}. {fix}", {"expected": expected, "fix": fix})


class PredictorInfo(BaseModel):
    """What a predictor declares of itself, in its `predictor.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: Annotated[str, StringConstraints(pattern=f"^{KEY_PATTERN}$", max_length=40)] = Field(
        description="Name that people write: lower-case words and digits joined by hyphens; its folder has the "
        "same name, with _ for -.",
        examples=['"my-forest"'],
    )
    name: _Text = Field(description="Name that people read.", examples=['"My forest"'])
    authors: tuple[_Text, ...] = Field(
        min_length=1, max_length=100, description="Who wrote it.", examples=['["A. Author"]']
    )
    licence: _Text = Field(description="SPDX identifier of the licence of its code.", examples=['"Apache-2.0"'])
    learns_networks: bool = Field(
        False, description="Whether it is fitted on energies of whole networks too.", examples=["true"]
    )
    kernels: tuple[Kernel, ...] | Literal["all"] = Field(
        description='Kernel types that it supports, each once, or "all"; it is given no others. A predictor of '
        "networks alone has none: [].",
        examples=['"all"'],
    )
    trained_on: _Line = Field(
        "",
        description="What it was trained on besides the rows that it is fitted on; empty: nothing.",
        examples=['"ImageNet features of ..."'],
    )
    extras: dict[_Module, _Requirement] = Field(
        default_factory=dict,
        description="Modules that it imports beyond the harness's own, each with its requirement.",
        examples=['{ lightgbm = "lightgbm>=4" }'],
    )
    is_cross_device: bool = Field(
        False, description="Whether one instance is fitted on several devices at once.", examples=["true"]
    )
    uses_latency: bool = Field(
        False, description="Whether it is given the measured latency of networks.", examples=["true"]
    )

    @field_validator("licence")
    @classmethod
    def _is_on_the_list(cls, licence: str) -> str:
        spelt = spdx_of(licence)
        if spelt != licence:
            fix = f"Write {spelt}" if spelt else 'Write for example "Apache-2.0", if it is yours to choose'
            raise _fault(spelt or "an identifier of the SPDX licence list", fix)
        return licence

    @field_validator("kernels", mode="before")
    @classmethod
    def _names_each_once(cls, kernels: object, info: ValidationInfo) -> object:
        if isinstance(kernels, tuple) and (kernels or info.data.get("learns_networks")):
            for kernel in kernels:
                if kernel not in KERNELS:
                    expected, fix = suggested(
                        quoted(kernel), KERNELS, "Did you mean {}?", "Write one of them, or remove it", cutoff=0.5
                    )
                    raise _fault(f"{expected} in place of {quoted(kernel)}, which is no kernel type", fix)
            twice = next((kernel for kernel in kernels if kernels.count(kernel) > 1), None)
            if twice is not None:
                raise _fault(f"every kernel type once, and {twice} is there again", "Remove one of the two")
        elif kernels != "all":
            raise _fault('"all", or a list of kernel types', 'Write it as in kernels = ["conv-bn-relu", "fc"]')
        return kernels

    @field_validator("uses_latency")
    @classmethod
    def _has_networks(cls, uses_latency: bool, info: ValidationInfo) -> bool:
        if uses_latency and not info.data.get("learns_networks", True):
            raise _fault("false, for only networks have a latency that is given", "Write learns_networks = true too")
        return uses_latency

    # Of validators before the field the last runs first.
    @field_validator("authors", "kernels", mode="before")
    @classmethod
    def _is_tuple(cls, values: object) -> object:
        return tuple(values) if isinstance(values, list) else values

    @property
    def kernel_types(self) -> tuple[Kernel, ...]:
        """Kernel types that it supports, one by one."""
        return KERNELS if self.kernels == "all" else self.kernels

    @property
    def folder(self) -> str:
        """Name of its folder.

        >>> PredictorInfo(key="my-forest", name="A", authors=("B",), licence="MIT", kernels="all").folder
        'my_forest'
        """
        return self.key.replace("-", "_")


@runtime_checkable
class Predictor(Protocol):
    """Shape of the class `Model` in a predictor's `model.py`: a scikit-learn estimator of energy.

    `__init__` only stores its parameters and has defaults for all; `fit` validates; what is fitted ends in `_`.
    The same rows give the same predictions, always (`random_state=0` by default).
    """

    def fit(self, kernels: pd.DataFrame) -> Self:
        """Fit on measured kernels.

        Args:
            kernels: one row per kernel, columns `FEATURES` and `energy_mj`, plain range index. Unless the predictor
                is cross-device, all rows are of one device, delegate and data type.

        Returns:
            The predictor itself; any other value is a failure, in the conformance checks and in an evaluation.
        """
        ...

    def predict(self, kernels: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Energy per inference of kernels.

        Args:
            kernels: one row per kernel of a type that the predictor supports, columns `FEATURES`.

        Returns:
            Energy in mJ, shape `(n,)`, finite and positive.
        """
        ...


@runtime_checkable
class IntervalPredictor(Predictor, Protocol):
    """A predictor that predicts intervals."""

    def predict_interval(self, kernels: pd.DataFrame, coverage: float) -> npt.NDArray[np.float64]:
        """Interval that the energy of a kernel lies in with a stated probability.

        Args:
            kernels: as for `predict`.
            coverage: probability, between 0 and 1.

        Returns:
            Lower and upper bound in mJ, shape `(n, 2)`, finite, not negative, `lower <= upper`; wider for a
            higher coverage. Both NaN for a kernel that there is no interval for, whatever the coverage.
        """
        ...


@runtime_checkable
class NetworkPredictor(Protocol):
    """A predictor that is fitted on measured networks besides kernels; it declares `learns_networks`.

    Energies of kernels do not follow from energies of networks: many ways to divide a network's energy among its
    kernels fit the networks equally well. So a predictor without kernel rows predicts networks alone.
    """

    def fit(self, kernels: pd.DataFrame, networks: pd.DataFrame) -> Self:
        """Fit on measured kernels and measured networks.

        Args:
            kernels: as for `Predictor.fit`, of all devices that the networks are of; it has no row where no kernel of
                them was measured.
            networks: one row per measured network and system, columns `harness.predictor.networks.NETWORK_FEATURES`
                and `energy_mj`; with `uses_latency`, also `latency_ms`. A system is a device with its software and
                settings. Rows of other systems are there for the same networks, also for those that are to be
                predicted, as far as the test allows.

        Returns:
            The predictor itself.
        """
        ...

    def predict_networks(self, networks: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Energy per inference of networks, each on the system of its row.

        Args:
            networks: as for `fit`, without `energy_mj`. A system need not be one that it was fitted on.

        Returns:
            Energy in mJ, shape `(n,)`, finite and positive.
        """
        ...


@runtime_checkable
class ModelPredictor(Predictor, Protocol):
    """A predictor of whole networks, which do not take the sum over their kernels."""

    def predict_models(self, models: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Energy per inference of networks.

        Args:
            models: one row per network; column `kernels` holds a frame as for `predict`.

        Returns:
            Energy in mJ, shape `(n,)`, finite and positive.
        """
        ...
