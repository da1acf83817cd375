"""Writes tables as Parquet so that the same rows give the same bytes; it decides neither files nor order.

Rows are sorted by device, so that small groups of rows have few devices each: who asks for one reads its groups only.
"""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from harness.packaging.plan import DataFile

ROW_GROUP: Final = 8192
"""Most rows of a group: whoever asks for one device reads a group or two, and all rows are still few groups.

Source:
    `python -m tests.bench loading`: 28,000 rows of 400 devices take 1.0 s in groups of 1,024 rows and 0.5 s in groups
    of 16,384, and one device of them 0.5 s in either.
"""
_GROUP_BYTES: Final = 16 << 20
"""Most bytes of a group in memory, where rows are large, as those with kernel lists."""
WRITER_SETTINGS: Final[dict[str, Any]] = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 9,
    "data_page_size": 1048576,
    "use_dictionary": True,
    "write_statistics": True,
    "store_schema": True,
}
"""Pinned, because defaults may change between releases of the library; it also stamps its own version into a file."""


def write_parquet(file: DataFile, folder: Path) -> None:
    """Write one file below a dataset folder; units and descriptions stay in the fields' metadata."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    table = file.table.combine_chunks()
    pq.write_table(table, path, row_group_size=rows_per_group(table), **WRITER_SETTINGS)


def rows_per_group(table: pa.Table) -> int:
    """Rows of a group: at most a fixed number, and fewer where these take more memory than a group may.

    >>> rows_per_group(pa.table({"n": [1, 2]}))
    8192
    """
    bytes_per_row: int = max(table.nbytes // max(table.num_rows, 1), 1)
    return min(ROW_GROUP, max(_GROUP_BYTES // bytes_per_row, 1))
