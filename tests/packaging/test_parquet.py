"""Parquet files as they are written."""

import pyarrow as pa
import pyarrow.parquet as pq

from harness.packaging.parquet import write_parquet
from harness.packaging.plan import DataFile


def test_row_groups_hold_65536_rows(tmp_path):
    table = pa.table({"n": range(65536 + 1)})
    write_parquet(DataFile("data/train-a.parquet", "a", "train", table), tmp_path)
    written = pq.read_metadata(tmp_path / "data" / "train-a.parquet")
    assert [written.row_group(place).num_rows for place in range(written.num_row_groups)] == [65536, 1]
