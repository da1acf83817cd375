"""What a predictor is fitted and tested on, and what its fit depends on; it computes nothing."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q
from harness.schema import vocabulary

Track = vocabulary.Track
Interval = tuple[float, float]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Strict(BaseModel):
    """Contents of a file that holds every field, no other, and no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)


class Subject(Strict):
    """Rows that belong in one table of results: same system, delegate, data type, evidence, quantity and boundary."""

    device_id: q.DeviceId
    system_id: q.SystemId
    delegate: q.Delegate
    dtype: q.DtypeName
    energy_kind: q.EnergyKindName
    batch_size: q.BatchSize
    tier: q.TierName
    boundary: q.BoundaryName = "unstated"

    @property
    def key(self) -> str:
        """Name of its files, without suffix.

        >>> Subject(device_id="acme", system_id="acme", delegate="CPU1", dtype="fp32", energy_kind="absolute",
        ...         batch_size=1, tier="rail", boundary="module").key
        'acme--CPU1--fp32--rail--module'
        """
        parts = [self.system_id, self.delegate.replace(" ", "_"), self.dtype, self.tier]
        parts += [self.boundary] if self.boundary != "unstated" else []
        parts += [self.energy_kind] if self.energy_kind != "absolute" else []
        parts += [f"batch-{self.batch_size}"] if self.batch_size > 1 else []
        return "--".join(parts)

    @property
    def quantity(self) -> str:
        """What its energies are, in words; an energy without a word before it is absolute."""
        return "energy" if self.energy_kind == "absolute" else f"{self.energy_kind} energy"


class FitPins(Strict):
    """Everything that a fitted predictor depends on; the same pins mean the same predictions.

    Attributes:
        data_sha256: content of all rows that the predictor was fitted on.
        split_version: version of the published split.
        harness_version: release of the program, for information: the other versions follow the code.
        predictor: key of the predictor.
        predictor_version: version of its code.
        packages: versions of the libraries that the figures rest on.
        seed: seed of the fit.
    """

    data_sha256: Sha256
    split_version: str
    harness_version: str
    predictor: str
    predictor_version: str
    packages: dict[str, str]
    seed: int
