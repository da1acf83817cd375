"""Croissant: what version 1.1 and the responsible-AI vocabulary ask for, licences, units and checksums."""

import hashlib
import json

import mlcroissant
import pytest

from harness.packaging.build import build_datasets
from harness.packaging.texts import ResponsibleField, read_texts
from harness.releases import assemble
from harness.schema.columns import flat_columns
from harness.schema.licences import licence_words
from harness.schema.records import RECORDS
from harness.schema.vocabulary import LEVELS
from tests.campaigns import kernel_campaign, phone_campaign, simulated_campaign
from tests.packaging.conftest import CARDS

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),  # rdflib, by mlcroissant
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),  # pandas, by mlcroissant
]
REQUIRED = ("@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished")
"""Properties that section "Required" of the Croissant Format Specification 1.1 lists."""


def described(folder):
    return json.loads((folder / "croissant.json").read_text())


@pytest.fixture(scope="module", params=LEVELS)
def level(request):
    return request.param


@pytest.fixture(scope="module")
def description(built, level):
    return described(built / "deepen" / level)


def test_everything_that_version_1_1_requires_is_stated(description, level):
    assert all(description[name] for name in REQUIRED)
    assert description["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert description["url"] == f"https://huggingface.co/datasets/deepen/{level}"
    assert description["creator"] == {"@type": "sc:Organization", "name": "The DeepEn contributors"}


def test_every_parquet_file_is_described_with_its_checksum_and_a_relative_path(description, built, level):
    folder = built / "deepen" / level
    files = {part["contentUrl"]: part for part in description["distribution"] if part["@type"] == "cr:FileObject"}
    assert set(files) == {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")}
    for path, part in files.items():
        content = (folder / path).read_bytes()
        assert (part["sha256"], part["contentSize"]) == (hashlib.sha256(content).hexdigest(), f"{len(content)} B")


def test_fields_have_units_as_annotations(description, level):
    (rows,) = [each for each in description["recordSet"] if each["@id"] in ("measured", "published")]
    fields = {}
    for field in rows["field"]:
        fields |= {field["name"]: field} | {f"{field['name']}.{sub['name']}": sub for sub in field.get("subField", [])}
    for name, column in flat_columns(RECORDS[level]):
        assert fields[name]["description"] == column.quantity.sentence
        unit = fields[name].get("annotation")
        if not column.quantity.unit:
            assert unit is None
            continue
        assert (unit["value"], unit["equivalentProperty"]) == (column.quantity.unit, "https://schema.org/unitText")


def test_simulated_rows_are_a_record_set_of_their_own(tmp_path):
    release = assemble([simulated_campaign(n_rows=40), kernel_campaign(n_configurations=40)])
    folder = build_datasets(release, CARDS, tmp_path)[0].folder
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    for name, tier in (("measured", b"analyser"), ("simulated", b"simulated")):
        assert {row[f"{name}/tier"] for row in dataset.records(name)} == {tier}


def test_licences_are_addresses_of_spdx_or_say_that_none_is_stated(cards, tmp_path):
    unknown = phone_campaign("beta-phone", manifest={"licence": "NOASSERTION"})
    folder = build_datasets(assemble([phone_campaign(), unknown]), cards, tmp_path)[2].folder
    stated, unstated = described(folder)["license"]
    assert stated == "https://spdx.org/licenses/CC-BY-4.0"
    assert (unstated["name"], unstated["description"]) == ("NOASSERTION", licence_words("NOASSERTION"))
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors


def test_statements_are_those_of_the_rows_that_a_dataset_has(tmp_path):
    outcomes = build_datasets(assemble([simulated_campaign(), phone_campaign()]), CARDS, tmp_path)
    kernels, applications = described(outcomes[0].folder), described(outcomes[2].folder)
    assert "estimator" in kernels["rai:dataCollection"]
    assert "copied from publications" not in kernels["rai:dataCollection"]
    assert "copied from publications" in applications["rai:dataCollection"]
    assert "estimator" not in applications["rai:dataCollection"]
    assert any("do not add up" in each for each in kernels["rai:dataLimitations"])
    assert not any("do not add up" in each for each in applications["rai:dataLimitations"])


def test_every_responsible_field_is_written(description):
    texts = read_texts(CARDS)
    assert set(texts.responsible) == set(ResponsibleField.__args__)
    written = {name for name in description if name.startswith("rai:")}
    assert len(written) == len(texts.responsible)
    assert {"rai:dataCollection", "rai:dataBiases", "rai:personalSensitiveInformation"} <= written
