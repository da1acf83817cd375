"""The two files of a result: sealed JSON, and beside it the table of rows that it was made of, as `.parquet`."""

import hashlib
import json
import stat
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.budget import MOST_RESULT_BYTES, MOST_RESULT_ROWS
from harness.evaluation.result_layout import SealedResult
from harness.files import write_file
from harness.files.faults import writing_errors
from harness.seal import is_sealed, seal_of

_Result = TypeVar("_Result", bound=SealedResult)


class ResultFaultError(Exception):
    """What is wrong with the files of a result, in words that follow their name."""


def write_files(result: SealedResult, rows: pd.DataFrame, path: Path) -> None:
    """Write both files, the JSON last.

    Args:
        result: contents of the JSON file, without its seal.
        rows: rows that `rows_sha256` is of.
        path: JSON file.

    Raises:
        UsageError: they cannot be written there.
    """
    for place in (path, path.with_suffix(".parquet")):
        _make_room(place)
    sealed = result.model_copy(update={"seal": seal_of(_unsealed(result))})
    write_file(path.with_suffix(".parquet"), rows_bytes(rows))
    write_file(path, f"{sealed.model_dump_json(indent=1)}\n")


def _make_room(path: Path) -> None:
    """Remove what is neither file nor folder from the place of a file, such as a pipe, at which a writer waits."""
    with writing_errors(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            path.unlink()


def rows_bytes(rows: pd.DataFrame) -> bytes:
    """Table of rows as Parquet; the same rows give the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def rows_sha256(rows: pd.DataFrame) -> str:
    """SHA-256 of `rows_bytes`."""
    return hashlib.sha256(rows_bytes(rows)).hexdigest()


def read_json(path: Path, model: type[_Result], layout: int, *, is_sealed_here: bool = True) -> _Result | None:
    """Contents of a JSON file, as the harness wrote it, with its seal; None where there is none of this layout.

    Args:
        path: JSON file.
        model: what it holds.
        layout: `schema_version` of that.
        is_sealed_here: whether its seal has to be that of this user; otherwise it is not looked at.

    Raises:
        ResultFaultError: the file is damaged or was edited.
        UsageError: the key of the seal cannot be read.
    """
    try:
        content = _content_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultFaultError(f"cannot be read ({error.strerror})") from error
    try:
        if json.loads(content).get("schema_version") != layout:
            return None
        result = model.model_validate_json(content)
    except (ValueError, AttributeError, RecursionError) as error:
        raise ResultFaultError("holds no result that can be read") from error
    if is_sealed_here and not is_sealed(_unsealed(result), result.seal):
        raise ResultFaultError("was not sealed here: it was edited, or brought from elsewhere")
    return result


def _content_of(path: Path) -> bytes:
    """Content of a file of a result.

    Raises:
        OSError: it cannot be read.
        ResultFaultError: it is no file, such as a pipe, which is not opened; or a very long one.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ResultFaultError(f"is no file, or has none beside it ({path.name})")
    with path.open("rb") as file:
        content = file.read(MOST_RESULT_BYTES + 1)
    if len(content) > MOST_RESULT_BYTES:
        raise ResultFaultError(f"is longer than a result, or has rows that are ({path.name})")
    return content


def _unsealed(result: SealedResult) -> bytes:
    """What the seal is over."""
    return result.model_copy(update={"seal": ""}).model_dump_json().encode()


def read_rows(json_path: Path, result: SealedResult, columns: Sequence[str], texts: Set[str]) -> pd.DataFrame:
    """Rows beside the JSON file of a result.

    Args:
        json_path: JSON file.
        result: its contents.
        columns: columns that the rows have, in order.
        texts: those of them that are text; all others are numbers.

    Raises:
        ResultFaultError: they are not those that it was written with, or no table.
    """
    path = json_path.with_suffix(".parquet")
    try:
        content = _content_of(path)
    except OSError as error:
        raise ResultFaultError(f"has no readable {path.name} beside it") from error
    if hashlib.sha256(content).hexdigest() != result.rows_sha256:
        raise ResultFaultError(f"has other rows beside it than those that it was made of ({path.name})")
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        is_small = file.metadata.num_rows <= MOST_RESULT_ROWS
        table = file.read().replace_schema_metadata() if is_small else None
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise ResultFaultError(f"has no table of rows beside it ({path.name})") from error
    if (
        table is None
        or tuple(table.column_names) != tuple(columns)
        or not all(_has_its_form(column, texts) for column in table.schema)
    ):
        raise ResultFaultError(f"has rows of another form beside it ({path.name})")
    rows: pd.DataFrame = table.to_pandas()
    return rows


def _has_its_form(column: pa.Field, texts: Set[str]) -> bool:
    """Whether a column of rows is text or numbers, as it has to be; one without rows is neither."""
    kind = column.type
    if column.name in texts:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))
