"""Writes tables as Parquet so that the same rows give the same bytes; it decides neither files nor order.

Rows are sorted by device, so that small groups of rows have few devices each: who asks for one reads its groups only.
"""

from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from harness.packaging.plan import DataFile

ROW_GROUP: Final = 1024
"""Most rows of a group. Fewer make files larger, since every group has its own dictionaries and statistics."""
WRITER_SETTINGS: Final[dict[str, Any]] = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 9,
    "row_group_size": ROW_GROUP,
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
    pq.write_table(file.table.combine_chunks(), path, **WRITER_SETTINGS)
