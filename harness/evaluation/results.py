"""Results on disk: one JSON file and one table of rows a predictor, track and subject; found again by their pins.

It computes nothing and decides nothing but whether a file may be used again.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from harness.errors import UsageError
from harness.predictor.pins import fit_pins
from harness.schema.results import Pins, Result, Subject, Track

EVALUATION_VERSION: Final = 5
"""Rises whenever a rule changes by which rows are held out, predicted or scored, so that no result is stale."""


@dataclass(frozen=True)
class Evaluation:
    """A result and the rows that it is made of.

    Attributes:
        result: contents of the JSON file.
        rows: columns `harness.evaluation.plans.ROWS`, of the splits that are `ok`.
    """

    result: Result
    rows: pd.DataFrame


def make_pins(data_sha256: str, predictor: str, predictor_version: str, seed: int) -> Pins:
    """Pins of a result that this program makes now."""
    of_fit = fit_pins(data_sha256, predictor, predictor_version, seed)
    return Pins(**of_fit.model_dump(), evaluation_version=EVALUATION_VERSION)


def result_path(folder: Path, track: Track, predictor: str, subject: Subject) -> Path:
    """JSON file of a result; its rows lie beside it, with the ending `.parquet`."""
    return folder / track / predictor / f"{subject.key}.json"


def write_result(evaluated: Evaluation, folder: Path) -> None:
    """Write both files, the JSON last.

    Raises:
        UsageError: they cannot be written there.
    """
    result = evaluated.result
    path = result_path(folder, result.track, result.pins.predictor, result.subject)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path.with_suffix(".parquet"), rows_bytes(evaluated.rows))
        _write(path, f"{result.model_dump_json(indent=1)}\n".encode())
    except OSError as error:
        raise UsageError(f"{path.as_posix()} cannot be written: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole at any moment."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def rows_bytes(rows: pd.DataFrame) -> bytes:
    """Table of rows as Parquet; the same rows give the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_result(path: Path) -> Evaluation | None:
    """Result of a file; None where there is none, or none that is whole."""
    try:
        result = Result.model_validate_json(path.read_bytes())
        content = path.with_suffix(".parquet").read_bytes()
    except (OSError, ValidationError):
        return None
    if hashlib.sha256(content).hexdigest() != result.rows_sha256:
        return None
    return Evaluation(result, pq.read_table(pa.BufferReader(content)).to_pandas())


def reusable(path: Path, pins: Pins) -> Evaluation | None:
    """Result of a file that holds what would come out now; one that failed is always tried again."""
    found = read_result(path)
    if found is None or found.result.pins != pins:
        return None
    is_failed = any(split.status == "failed" for split in found.result.splits)
    return None if is_failed else found
