"""Editions: a suite of networks with frozen references and class borders, read from the data files beside it.

An edition is data. It never changes; a new scale is a new file.
"""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from harness.errors import ReleaseError, UsageError
from harness.schema.columns import columns_of
from harness.schema.records import RECORDS
from harness.schema.vocabulary import DeviceClass, Dtype, Level

_Text = Annotated[str, Field(min_length=1)]
_Submission = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SuiteNetwork(_Frozen):
    """One network of a suite, with the energy that counts as 100.

    Attributes:
        id: name of the network within the edition.
        model: what the edition's network column calls it; the id where it is left out.
        dtype: data type that it runs in; any where it is left out.
    """

    id: _Text
    title: _Text
    reference_mj: float = Field(gt=0)
    model: _Text | None = None
    dtype: Dtype | None = None

    @property
    def name(self) -> str:
        """What the network column calls it."""
        return self.model or self.id


class Edition(_Frozen):
    """One absolute scale: which networks, against which references, with which class borders.

    Attributes:
        device_noun: word for a rated device on pages; which devices are rated follows from `device_classes` alone.
        device_classes: classes of the devices that the edition rates.
        level: record level whose rows are rated.
        network_column: column of that level that names the network.
        min_networks: networks of the suite that a device needs an absolute energy of.
        borders: class to its inclusive upper border of the energy index, best class first.
        last_class: class above the last border.
        has_pcs_and_iecs: whether the two scores of the paper are defined for the suite.
        founding: submissions whose rows the references are medians of, as `device/campaign`; later submissions never
            count. Empty where the references come from elsewhere, as `source` states.
    """

    edition: _Text
    title: _Text
    device_noun: _Text
    device_classes: tuple[DeviceClass, ...] = Field(min_length=1)
    suite: _Text
    source: _Text
    level: Level
    network_column: str
    min_networks: int = Field(ge=1)
    has_pcs_and_iecs: bool
    borders: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    last_class: str
    networks: tuple[SuiteNetwork, ...] = Field(min_length=1)
    founding: tuple[_Submission, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> "Edition":
        borders = list(self.borders.values())
        if borders != sorted(set(borders)):
            raise ValueError("class borders must rise")
        if self.last_class in self.borders:
            raise ValueError(f"last_class {self.last_class} has a border already")
        if self.min_networks > len(self.networks):
            raise ValueError(f"min_networks is {self.min_networks}; the suite has {len(self.networks)} networks")
        columns = columns_of(RECORDS[self.level])
        if self.network_column not in columns:
            raise ValueError(f"network_column {self.network_column} is no column of {self.level}")
        _expect_distinct("networks", (network.id for network in self.networks))
        _expect_distinct("networks", (f"{each.name} in {each.dtype or 'any data type'}" for each in self.networks))
        if {each.name for each in self.networks if each.dtype} & {
            each.name for each in self.networks if not each.dtype
        }:
            raise ValueError("networks of one model need a dtype each")
        _expect_distinct("device_classes", self.device_classes)
        _expect_distinct("founding", self.founding)
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Class letters, best first."""
        return (*self.borders, self.last_class)

    @property
    def references(self) -> dict[str, float]:
        """Reference energy in mJ of each network."""
        return {network.id: network.reference_mj for network in self.networks}

    def network_of(self, row: Mapping[Any, Any]) -> str | None:
        """Id of the network of the suite that a row of the level ran; None where it is none of them."""
        return self._ids.get((row[self.network_column], row["dtype"])) or self._ids.get(
            (row[self.network_column], None)
        )

    @cached_property
    def _ids(self) -> dict[tuple[Any, str | None], str]:
        return {(network.name, network.dtype): network.id for network in self.networks}

    def class_of(self, energy_index: float) -> str:
        """Class of an energy index; a border belongs to the better class."""
        for letter, border in self.borders.items():
            if energy_index <= border:
                return letter
        return self.last_class


def _expect_distinct(field: str, entries: Iterable[str]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry in seen:
            raise ValueError(f"{field} lists {entry} twice")
        seen.add(entry)


def read_edition(file: Traversable) -> Edition:
    """Edition of one file.

    Raises:
        ReleaseError: the file is not YAML, a field is not as declared, or the file is not named after the edition.
    """
    try:
        edition = Edition.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{file.name}: not YAML: {error}") from error
    except ValidationError as error:
        faults = [f"{file.name}: {_fault_text(fault)}" for fault in error.errors()]
        raise ReleaseError("\n".join(faults)) from error
    if file.name != f"{edition.edition}.yaml":
        raise ReleaseError(f"{file.name}: edition = {edition.edition}; expected the name of the file without .yaml.")
    return edition


def _fault_text(fault: ErrorDetails) -> str:
    where = ".".join(map(str, fault["loc"]))
    message = fault["msg"].removeprefix("Value error, ")
    if not where:
        return f"{message}."
    return f"{where}: {message}." if fault["type"] == "missing" else f"{where} = {fault['input']!r}; {message}."


@cache
def editions() -> tuple[Edition, ...]:
    """Every edition: those of applications first, each group by name."""
    folder = resources.files(__package__).joinpath("editions")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return tuple(
        sorted(map(read_edition, files), key=lambda edition: (edition.level != "applications", edition.edition))
    )


def edition_named(name: str) -> Edition:
    """Edition of that name.

    Raises:
        UsageError: there is no such edition; the message lists every edition.
    """
    for edition in editions():
        if edition.edition == name:
            return edition
    known = ", ".join(edition.edition for edition in editions())
    raise UsageError(f"edition {name!r} is not known; there are {known}")
