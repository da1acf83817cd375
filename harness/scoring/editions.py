"""Editions: a suite of networks with frozen references and class borders, read from the data files beside it.

An edition is data. It never changes; a new scale is a new file.
"""

from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import UsageError
from harness.schema.vocabulary import Level


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteNetwork(_Frozen):
    """One network of a suite, with the energy that counts as 100."""

    id: str
    title: str
    reference_mj: float = Field(gt=0)


class Edition(_Frozen):
    """One absolute scale: which networks, against which references, with which class borders.

    Attributes:
        level: record level whose rows are rated.
        network_column: column of that level that names the network.
        borders: class to its inclusive upper border of the energy index, best class first.
        last_class: class above the last border.
        has_pcs_and_iecs: whether the two scores of the paper are defined for the suite.
    """

    edition: str
    title: str
    device_noun: str
    suite: str
    source: str
    level: Level
    network_column: str
    min_networks: int = Field(ge=1)
    has_pcs_and_iecs: bool
    borders: dict[str, float]
    last_class: str
    networks: tuple[SuiteNetwork, ...]

    @model_validator(mode="after")
    def _borders_rise(self) -> "Edition":
        borders = list(self.borders.values())
        if borders != sorted(set(borders)):
            raise ValueError("class borders must rise")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Class letters, best first."""
        return (*self.borders, self.last_class)

    @property
    def references(self) -> dict[str, float]:
        """Reference energy in mJ of each network."""
        return {network.id: network.reference_mj for network in self.networks}

    def class_of(self, energy_index: float) -> str:
        """Class of an energy index; a border belongs to the better class."""
        for letter, border in self.borders.items():
            if energy_index <= border:
                return letter
        return self.last_class


@cache
def editions() -> tuple[Edition, ...]:
    """Every edition, newest suite last, phones first."""
    folder = resources.files(__package__).joinpath("editions")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    found = [Edition.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files]
    return tuple(sorted(found, key=lambda edition: (edition.level != "applications", edition.edition)))


def edition_named(name: str) -> Edition:
    """Edition of that name.

    Raises:
        UsageError: no edition has it; the message lists those there are.
    """
    for edition in editions():
        if edition.edition == name:
            return edition
    known = ", ".join(edition.edition for edition in editions())
    raise UsageError(f"edition {name!r} is not known; there are {known}")
