"""Read-outs beside the rows of the models dataset."""

import pyarrow.parquet as pq
import pytest

from harness.packaging.build import build_datasets
from harness.packaging.manifest import row_sha256, verify_dataset
from harness.readouts.tables import read_out_tables
from harness.releases import Release
from harness.schema.readouts import READ_OUTS
from tests.campaigns import kernel_campaign
from tests.packaging.conftest import CARDS
from tests.pages.test_api import boards as boards_release


@pytest.fixture(scope="module")
def boards() -> Release:
    return boards_release(kernel_campaign())


@pytest.fixture(scope="module")
def folder(boards, tmp_path_factory):
    dist = tmp_path_factory.mktemp("read-outs")
    build_datasets(boards, CARDS, dist)
    return dist / "deepen" / "models"


@pytest.mark.parametrize("name", READ_OUTS)
def test_the_models_dataset_has_every_read_out_with_units(boards, folder, name):
    table, expected = pq.read_table(folder / "tables" / f"{name}.parquet"), read_out_tables(boards)[name]
    assert table.to_pylist() == expected.to_pylist() != []
    assert {field.name: field.metadata[b"description"] for field in table.schema} == {
        field.name: field.metadata[b"description"] for field in expected.schema
    }
    columns = pq.read_table(folder / "tables" / "columns.parquet").to_pylist()
    assert [row["column"] for row in columns if row["table"] == name] == table.column_names


def test_read_outs_are_no_rows_of_the_dataset(boards, folder):
    rows = verify_dataset(folder).rows
    assert rows == {row["record_id"]: row_sha256(row) for row in boards.levels["models"].to_pylist()}


def test_other_datasets_have_none(folder):
    kernels = {path.stem for path in (folder.parent / "kernels" / "tables").iterdir()}
    assert kernels & set(READ_OUTS) == set()
