"""Accelerators that can be simulated, read from the data file beside this module; it simulates nothing."""

import hashlib
import importlib.util
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import UsageError
from harness.issues import unknown


class Accelerator(BaseModel):
    """One accelerator of the estimator's release.

    Attributes:
        id: device folder of its campaigns.
        title: name for people.
        hardware: hardware file in the release, without folder and ending.
        mapping: mapping file in the release, without folder and ending.
        array: size of the array of multipliers and of the memories beside it.
        after: publication that the model follows.
        clock_mhz: nominal clock.
        orders: loop orders that are evaluated where a layer has too many loops to evaluate all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    hardware: str
    mapping: str
    array: str
    after: str
    clock_mhz: float = Field(gt=0)
    orders: tuple[str, ...] = Field(min_length=1)

    @property
    def hardware_file(self) -> Path:
        """Hardware file on this machine."""
        return _inputs() / "hardware" / f"{self.hardware}.yaml"

    @property
    def mapping_file(self) -> Path:
        """Mapping file on this machine."""
        return _inputs() / "mapping" / f"{self.mapping}.yaml"

    @property
    def files_sha256(self) -> tuple[str, str]:
        """SHA-256 of the hardware file and of the mapping file."""
        return _sha256(self.hardware_file), _sha256(self.mapping_file)


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """Every accelerator that can be simulated, in the order of the data file."""
    text = resources.files(__package__).joinpath("accelerators.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    return tuple(Accelerator(clock_mhz=data["clock_mhz"], **entry) for entry in data["accelerators"])


def accelerator(name: str) -> Accelerator:
    """Accelerator of that id.

    Raises:
        UsageError: there is none.
    """
    known = {entry.id: entry for entry in accelerators()}
    if name not in known:
        raise unknown("accelerator", name, known)
    return known[name]


@cache
def estimator_version() -> str:
    """Version of the installed estimator.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return version("zigzag-dse")
    except PackageNotFoundError as error:
        raise no_estimator() from error


def no_estimator() -> UsageError:
    """Exception about an estimator that is not installed, or not whole."""
    return UsageError("deepen simulate needs the extra simulate: pip install 'deepen[simulate]'")


def _inputs() -> Path:
    spec = importlib.util.find_spec("zigzag")
    if spec is None or spec.origin is None:
        raise no_estimator()
    return Path(spec.origin).parent / "inputs"


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
