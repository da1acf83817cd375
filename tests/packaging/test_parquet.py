"""Parquet files as they are written."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from harness.packaging.parquet import ROW_GROUP, write_parquet
from harness.packaging.plan import DataFile


def written(folder, table):
    write_parquet(DataFile("data/measured/train.parquet", "measured", "train", table), folder)
    return folder / "data/measured/train.parquet"


def test_row_groups_hold_a_fixed_number_of_rows(tmp_path):
    metadata = pq.read_metadata(written(tmp_path, pa.table({"n": range(2 * ROW_GROUP + 1)})))
    groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
    assert groups == [ROW_GROUP, ROW_GROUP, 1]


def test_a_filter_on_a_device_reads_the_groups_that_have_it(tmp_path):
    devices = [f"device-{n:03}" for n in range(64) for _ in range(1000)]
    path = written(tmp_path, pa.table({"device_id": devices, "n": range(len(devices))}))
    (fragment,) = ds.dataset(path, format="parquet").get_fragments()
    read = fragment.subset(filter=pc.field("device_id") == "device-030")
    assert (fragment.num_row_groups, read.num_row_groups) == (8, 1)
    assert fragment.to_table(filter=pc.field("device_id") == "device-030").num_rows == 1000


def test_groups_of_large_rows_have_fewer(tmp_path):
    text = ["x" * 100_000] * 400
    metadata = pq.read_metadata(written(tmp_path, pa.table({"text": text})))
    assert 150 < metadata.row_group(0).num_rows < 170
    assert metadata.num_rows == 400
