"""What `datasets`, pyarrow and mlcroissant read from a built dataset is what went in."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import mlcroissant
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.packaging.manifest import hash_rows, read_manifest
from harness.packaging.parquet import write_parquet
from harness.packaging.plan import DataFile
from harness.releases import assemble
from harness.schema.columns import arrow_schema, flat_columns
from harness.schema.records import RECORDS
from harness.schema.vocabulary import EVIDENCE_TIERS, LEVELS
from harness.splits import assign_splits
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign, simulated_campaign
from tests.kernel_lists import CONV, DWCONV, FC
from tests.packaging.conftest import CARDS, replace_datasets
from tests.strategies import kernel_lists, row_tables

ROOT = Path(__file__).parents[2]
LOADING = """
import contextlib, json, sys
import datasets, pandas
datasets.disable_progress_bars()
found = {}
for level in ("kernels", "models", "applications"):
    builder = datasets.load_dataset_builder(f"deepen/{level}")
    info = builder.info
    parts = {name: datasets.load_dataset(f"deepen/{level}", name) for name in builder.builder_configs}
    rows = datasets.load_dataset(f"deepen/{level}")
    device_id = rows["train"][0]["device_id"]
    found[level] = {
        "of_device": datasets.load_dataset(
            f"deepen/{level}", split="train", filters=[("device_id", "==", device_id)]
        ).to_list(),
        "columns": parts["columns"]["train"].to_list(),
        "info": [info.description, info.license, info.citation, str(info.version)],
        "features": {name: str(feature) for name, feature in info.features.items()},
        "sizes": {name: {side: part.num_rows for side, part in sides.items()} for name, sides in parts.items()},
        "rows": {side: part.to_list() for side, part in rows.items()},
    }
found["snippets"] = {}
for name, snippet in json.loads(sys.argv[2]).items():
    made = {}
    with contextlib.redirect_stdout(sys.stderr):
        exec(snippet, made)
    found["snippets"][name] = {key: getattr(value, "num_rows", len(value)) for key, value in made.items()
                               if isinstance(value, (datasets.DatasetDict, datasets.Dataset, pandas.DataFrame))}
found["released"] = str(datasets.load_dataset_builder(sys.argv[1]).info.version)
json.dump(found, sys.stdout)
"""


def built_version_1_2_3(folder):
    """Dataset of one phone whose content the version records."""
    release = assemble([phone_campaign()])
    cards = shutil.copytree(CARDS, folder / "cards")
    content = replace_datasets(release, cards, folder)[2].content_sha256
    version = {
        "version": "1.2.3",
        "date": "2026-01-02",
        "summary": ["One."],
        "content_sha256": {"applications": content},
    }
    (cards / "versions.yaml").write_text(yaml.safe_dump([version]))
    return replace_datasets(release, cards, folder)[2].folder


def snippets(built):
    """Python that the cards and README.md show, by where it stands."""
    found = {}
    for level in LEVELS:
        card = (built / "deepen" / level / "README.md").read_text()
        for place, snippet in enumerate(re.findall(r"```python\n(.+?)\n```", card, re.DOTALL)):
            found[f"{level} {place}"] = snippet
    python = re.findall(r"```python\n(.+?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    (shown,) = (snippet for snippet in python if "load_dataset" in snippet)
    lines = [line for line in shown.splitlines() if '"simulated"' not in line]
    return found | {"README": re.sub(r'"==", "[^"]+"', '"==", "acme-phone"', "\n".join(lines))}


@pytest.fixture(scope="module")
def loaded(built, tmp_path_factory):
    """What a fresh process without network reads from `dist`."""
    home = tmp_path_factory.mktemp("home")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "HF_DATASETS_OFFLINE": "1"}
    released = built_version_1_2_3(tmp_path_factory.mktemp("released"))
    command = [sys.executable, "-W", "error", "-c", LOADING, str(released), json.dumps(snippets(built))]
    ended = subprocess.run(command, cwd=built, env=os.environ | offline, check=True, capture_output=True, text=True)
    return json.loads(ended.stdout)


@pytest.mark.parametrize("level", LEVELS)
def test_load_dataset_returns_the_rows_of_the_release_by_split(loaded, release, level):
    table = release.levels[level]
    expected = {"train": [], "test": []}
    for row, side in zip(table.to_pylist(), assign_splits(table, level), strict=True):
        expected[side].append(row)
    found = {side: sorted(rows, key=lambda row: row["record_id"]) for side, rows in loaded[level]["rows"].items()}
    assert found == {side: sorted(rows, key=lambda row: row["record_id"]) for side, rows in expected.items()}


@pytest.mark.parametrize("level", LEVELS)
def test_load_dataset_shows_description_licence_citation_version_and_features(loaded, level):
    description, licence, citation, version = loaded[level]["info"]
    assert "edge devices" in description
    assert licence == {"models": "Apache-2.0"}.get(level, "CC-BY-4.0")
    assert citation.startswith("@")
    # `datasets` knows no development versions.
    assert version == "0.0.0"
    names = {"double": "float64", "int64": "int64", "bool": "bool", "string": "string"}
    for field in arrow_schema(RECORDS[level]):
        value = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(value):
            assert all(repr(inner.name) in loaded[level]["features"][field.name] for inner in value)
            continue
        assert names[str(value)] in loaded[level]["features"][field.name]


def test_load_dataset_shows_the_version_of_recorded_content(loaded):
    assert loaded["released"] == "1.2.3"


def test_load_dataset_gives_the_kernel_list_of_a_model_as_a_list_of_mappings(loaded):
    rows = {row["model"]: row for row in loaded["models"]["rows"]["train"] + loaded["models"]["rows"]["test"]}
    kernels = rows["mlperf-tiny-kws"]["kernels"]
    assert [kernel["operator"] for kernel in kernels] == ["conv+bn+relu", "dwconv+bn+relu", "fc", "softmax"]
    ids = [kernel.pop("configuration_id") for kernel in kernels]
    assert kernels[0] == dict.fromkeys(kernels[0]) | CONV
    assert ids[3] is kernels[3]["kernel"] is None
    assert len(set(ids[:3])) == 3
    assert rows["mlperf-tiny-ad"]["kernels"] is None


def test_each_evidence_and_table_is_a_configuration(loaded):
    sizes = loaded["applications"]["sizes"]
    assert sizes.pop("columns")["train"] == len(loaded["applications"]["columns"])
    assert sizes == {
        "default": {"train": 6, "test": 2},
        "published": {"train": 6, "test": 2},
        "devices": {"train": 2},
        "submissions": {"train": 2},
        "errata": {"train": 4},
    }
    assert "errata" not in loaded["models"]["sizes"]
    assert loaded["kernels"]["sizes"]["measured"] == loaded["kernels"]["sizes"]["default"]


@pytest.mark.parametrize("level", LEVELS)
def test_load_dataset_filters_by_device(loaded, level):
    """A card that stated the sizes of splits would have `datasets` refuse the part."""
    rows = loaded[level]["rows"]["train"]
    own = [row for row in rows if row["device_id"] == rows[0]["device_id"]]
    assert loaded[level]["of_device"] == own
    assert level == "models" or len(own) < len(rows)


@pytest.mark.parametrize("level", LEVELS)
def test_units_are_rows_of_the_table_of_columns(loaded, level):
    found = {(row["table"], row["column"]): row for row in loaded[level]["columns"]}
    assert [column for table, column in found if table == "rows"] == [name for name, _ in flat_columns(RECORDS[level])]
    for name, column in flat_columns(RECORDS[level]):
        row = found["rows", name]
        assert (row["unit"] or "", row["meaning"]) == (column.quantity.unit, column.quantity.sentence)
    assert found["devices", "tdp_w"]["unit"] == "W"
    assert ("errata", "printed") in found or level != "applications"


def test_snippets_of_the_cards_and_the_readme_run(loaded):
    found = loaded["snippets"]
    assert set(found) == {"kernels 0", "models 0", "models 1", "applications 0", "README"}
    assert found["applications 0"]["rows"] == {"train": 6, "test": 2}
    assert found["applications 0"]["one"] == 3
    assert found["README"]["one_phone"] == 3
    assert all(rows for made in found.values() for rows in made.values())


def test_device_of_the_readme_is_one_of_the_submissions():
    (device,) = re.findall(r'"device_id", "==", "([^"]+)"', (ROOT / "README.md").read_text())
    assert (ROOT / "submissions" / device / "device.yaml").is_file()


def test_default_has_no_simulated_rows_where_others_are(tmp_path):
    campaigns = [simulated_campaign("npu", "models"), board_campaign(), kernel_campaign(), simulated_campaign("other")]
    outcomes = replace_datasets(assemble(campaigns), CARDS, tmp_path)
    for outcome in outcomes[:2]:
        files = read_manifest(outcome.folder).configs
        assert set(files) >= {"default", "simulated"}
        assert not any("simulated" in path for paths in files["default"].values() for path in paths)
        assert all("simulated" in path for paths in files["simulated"].values() for path in paths)


def test_default_is_the_simulated_rows_where_there_are_no_others_and_the_card_says_so(tmp_path):
    (kernels, *_) = replace_datasets(assemble([simulated_campaign()]), CARDS, tmp_path)
    manifest = read_manifest(kernels.folder)
    assert manifest.configs["default"] == manifest.configs["simulated"]
    assert "`default` is `simulated`" in (kernels.folder / "README.md").read_text()


@pytest.mark.parametrize("level", LEVELS)
def test_units_and_descriptions_stay_in_the_parquet_files(built, level):
    paths = list((built / "deepen" / level / "data").rglob("*.parquet"))
    assert paths
    for path in paths:
        schema = pq.read_schema(path)
        assert schema.equals(arrow_schema(RECORDS[level]))
        if level == "models":
            assert schema.field("kernels").type.value_type.field("bytes_moved").metadata[b"unit"] == b"B"
        for field in arrow_schema(RECORDS[level]):
            assert field.metadata.items() <= schema.field(field.name).metadata.items()
        assert schema.field("energy_mj").metadata[b"unit"] == b"mJ"


@pytest.mark.parametrize("level", LEVELS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_parquet_round_trip_is_identity(level, data):
    rows = data.draw(row_tables(level))
    networks = data.draw(kernel_lists(rows)) if level == "models" else {}
    table = assemble([campaign(level, rows, "acme-phone", networks=networks)]).levels[level]
    with tempfile.TemporaryDirectory() as folder:
        file = DataFile("data/published/train.parquet", "published", "train", table)
        write_parquet(file, Path(folder))
        found = pq.read_table(Path(folder) / file.path, partitioning=None)
    assert found.equals(table)
    assert hash_rows({file.path: found}) == hash_rows({file.path: table})


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib, called by mlcroissant
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # pandas, called by mlcroissant
@pytest.mark.parametrize("level", LEVELS)
def test_croissant_validates_and_reads_every_record_without_network(built, release, level, monkeypatch):
    def refuse(*_args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    dataset = mlcroissant.Dataset(str(built / "deepen" / level / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    table = release.levels[level]
    sides = dict(zip(table.column("record_id").to_pylist(), assign_splits(table, level), strict=True))
    evidences = {name for name in EVIDENCE_TIERS if name in {each.name for each in dataset.metadata.record_sets}}
    found = {
        row[f"{name}/record_id"].decode(): row[f"{name}/split"].decode()
        for name in evidences
        for row in dataset.records(name)
    }
    assert found == sides
    assert len(list(dataset.records("submissions"))) == release.only_of(level).submissions.num_rows


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_croissant_reads_kernel_lists_entry_by_entry(built):
    dataset = mlcroissant.Dataset(str(built / "deepen" / "models" / "croissant.json"))
    found = {row["published/model"].decode(): row["published/kernels"] for row in dataset.records("published")}
    kernels = found["mlperf-tiny-kws"]
    assert [kernel["published/kernels/flops"] for kernel in kernels] == [
        CONV["flops"],
        DWCONV["flops"],
        FC["flops"],
        10,
    ]
    assert kernels[2]["published/kernels/kernel"] == b"fc"
    assert kernels[3]["published/kernels/kernel"] is kernels[3]["published/kernels/cin"] is None
    # What mlcroissant makes of a null list: one entry of which nothing is known.
    assert {value for kernel in found["mlperf-tiny-ad"] for value in kernel.values()} == {None}
