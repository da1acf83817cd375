"""Hand-written texts of the datasets, read from `dataset_cards/`: versions, names, descriptions and citations.

It renders nothing.
"""

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.errors import ReleaseError
from harness.schema.vocabulary import EVIDENCE_TIERS, LEVELS, Evidence, Level

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Sentence = Annotated[str, Field(min_length=1)]


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Version(_Text):
    """One version of all three datasets.

    Attributes:
        version: three numbers: major for a changed meaning, minor for new rows, patch for a correction.
        date: day of publication.
        summary: sentences of the changelog.
        content_sha256: content of every level that has rows, as `deepen build` prints it. A build with other content is
            not this version.
    """

    version: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}$")]
    date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    summary: Annotated[list[_Sentence], Field(min_length=1)]
    content_sha256: dict[Level, Sha256] = {}

    @property
    def date_text(self) -> str:
        """Day of publication in words."""
        return self.date


class DevVersion(Version):
    """Version of a build whose content is that of no version: `1.1.0+dev.` and eight digits of its content.

    SemVer and PEP 440 both admit it, and PEP 440 sorts it after 1.1.0.
    """

    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+\+dev\.[0-9a-f]{8}$")]

    @classmethod
    def after(cls, newest: Version, content_sha256: dict[Level, Sha256]) -> Self:
        """Development version of some content, after the newest version."""
        joined = "\n".join(f"{level} {content}" for level, content in sorted(content_sha256.items()))
        digits = hashlib.sha256(joined.encode()).hexdigest()[:8]
        return cls(
            version=f"{newest.version}+dev.{digits}",
            date=newest.date,
            summary=[f"Not released: the content is not that of version {newest.version}."],
            content_sha256=content_sha256,
        )

    @property
    def date_text(self) -> str:
        """That there is no day of publication; `date` is that of the version before."""
        return "not released"


class DatasetText(_Text):
    """Name, description and tags of one dataset."""

    pretty_name: _Sentence
    description: _Sentence
    tags: list[str]


class Statement(_Text):
    """How the data came about and what it is good for, under the names of the responsible-AI vocabulary of Croissant.

    Attributes:
        levels: datasets that it is true of.
        evidences: evidence of the rows that it is true of; it is left out where a dataset has none of them.
        says: the statement.
    """

    levels: list[Level] = list(LEVELS)
    evidences: list[Evidence] = list(EVIDENCE_TIERS)
    says: _Sentence


ResponsibleField = Literal[
    "data_collection",
    "data_collection_type",
    "data_collection_missing_data",
    "data_collection_raw_data",
    "data_preprocessing_protocol",
    "data_limitations",
    "data_biases",
    "data_use_cases",
    "data_social_impact",
    "personal_sensitive_information",
    "data_release_maintenance_plan",
]
"""Fields of the responsible-AI vocabulary that say something of measured energies, as mlcroissant spells them."""


class Publisher(_Text):
    """Who publishes the datasets.

    Attributes:
        name: an organisation.
        url: address below which each dataset has its page, under its name.
    """

    name: _Sentence
    url: Annotated[str, Field(pattern=r"^https://[^\s]+[^/]$")]


class Texts(_Text):
    """Every text of the dataset cards.

    Attributes:
        versions: newest first.
        datasets: one per level.
        citations: BibTeX of a source, by its address.
        publisher: who publishes them.
        responsible: statements of each field of the responsible-AI vocabulary.
    """

    versions: Annotated[list[Version], Field(min_length=1)]
    datasets: dict[Level, DatasetText]
    citations: dict[str, str]
    publisher: Publisher
    responsible: dict[ResponsibleField, Annotated[list[Statement], Field(min_length=1)]]

    @field_validator("datasets")
    @classmethod
    def _every_level_has_one(cls, datasets: dict[Level, DatasetText]) -> dict[Level, DatasetText]:
        if missing := [level for level in LEVELS if level not in datasets]:
            raise ValueError(f"no entry for {', '.join(missing)}")
        return datasets


def read_texts(cards: Path) -> Texts:
    """Texts of the folder of dataset cards.

    Raises:
        ReleaseError: a file is missing or not as declared, or the versions are not newest first.
    """
    contents = {name: _read_yaml(cards / f"{name}.yaml") for name in Texts.model_fields}
    try:
        texts = Texts(**contents)
    except ValidationError as error:
        fault = error.errors()[0]
        name, *where = fault["loc"]
        breadcrumb = ".".join(map(str, where)) or "content"
        raise ReleaseError(f"{cards / f'{name}.yaml'}: {breadcrumb} = {fault['input']!r}; {fault['msg']}.") from error
    for newer, older in pairwise(texts.versions):
        if _numbers(newer) <= _numbers(older):
            raise ReleaseError(
                f"{cards / 'versions.yaml'}: {newer.version} is above {older.version}; expected newest first."
            )
    return texts


def _numbers(version: Version) -> tuple[int, ...]:
    return tuple(int(part) for part in version.version.split("."))


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}; expected a file.") from error
    except yaml.YAMLError as error:
        raise ReleaseError(f"{path}: not YAML: {error}") from error
