"""Results on disk: one JSON file and one table of rows per predictor, track and subject, found again by their pins.

It computes no measure.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from harness.code_version import code_version
from harness.evaluation.plans import Plan
from harness.evaluation.result_layout import Pins, Result
from harness.files import write_file
from harness.predictor.pins import fit_pins
from harness.schema.results import Subject, Track

DECIDING_MODULES: Final = (
    "harness.evaluation.bootstrap", "harness.evaluation.device_track", "harness.evaluation.folds",
    "harness.evaluation.kernel_track", "harness.evaluation.metrics", "harness.evaluation.model_track",
    "harness.evaluation.plans", "harness.evaluation.runner", "harness.evaluation.scores", "harness.leaks",
    "harness.prediction.sum_interval", "harness.predictor.features", "harness.predictor.protocol",
    "harness.sandbox.jobs", "harness.sandbox.worker",
)  # fmt: skip
"""Modules whose code decides which rows are held out, predicted and scored, and how."""


@cache
def evaluation_version() -> str:
    """Version of the code that decides a result, so that none is stale."""
    return code_version(DECIDING_MODULES)


@dataclass(frozen=True)
class Evaluation:
    """A result and the rows that it is made of.

    Attributes:
        result: contents of the JSON file.
        rows: columns `harness.evaluation.plans.ROWS`, of the splits that are `ok`.
    """

    result: Result
    rows: pd.DataFrame

    @property
    def has_failed(self) -> bool:
        """Whether the predictor failed on a split."""
        return any(split.status == "failed" for split in self.result.splits)


def make_pins(data_sha256: str, predictor: str, predictor_version: str, seed: int) -> Pins:
    """Pins of a result of the code that is installed now.

    Args:
        data_sha256: content of all rows that the result depends on.
        predictor: key of the predictor.
        predictor_version: version of its code.
        seed: seed of folds and resamples.
    """
    of_fit = fit_pins(data_sha256, predictor, predictor_version, seed)
    return Pins(**of_fit.model_dump(), evaluation_version=evaluation_version())


def result_path(folder: Path, track: Track, predictor: str, subject: Subject) -> Path:
    """JSON file of a result; its rows lie beside it, with the ending `.parquet`."""
    return folder / track / predictor / f"{subject.key}.json"


def write_result(evaluation: Evaluation, folder: Path) -> None:
    """Write both files, the JSON last.

    Raises:
        UsageError: they cannot be written there.
    """
    result = evaluation.result
    path = result_path(folder, result.track, result.pins.predictor, result.subject)
    write_file(path.with_suffix(".parquet"), rows_bytes(evaluation.rows))
    write_file(path, f"{result.model_dump_json(indent=1)}\n")


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


def current_result(folder: Path, plan: Plan, predictor: str, predictor_version: str, seed: int) -> Evaluation | None:
    """Result of exactly these rows by the code that is installed now; None where there is none.

    Every version in the pins follows the content of code or data; the release of the program, which does not, is not
    compared.

    Args:
        folder: where results are kept.
        plan: rows and track.
        predictor: key of the predictor.
        predictor_version: version of its code.
        seed: seed of folds and resamples.
    """
    found = read_result(result_path(folder, plan.track, predictor, plan.subject))
    if found is None:
        return None
    expected = make_pins(plan.data_sha256, predictor, predictor_version, seed)
    same_release = {"harness_version": expected.harness_version}
    return found if found.result.pins.model_copy(update=same_release) == expected else None
