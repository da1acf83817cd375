"""Splits tables of a release into subjects, each of which has a table of results; it draws no folds."""

import hashlib
from collections.abc import Iterable
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.results import Subject

FIELDS: Final = tuple(Subject.model_fields)


def by_subject(table: pa.Table) -> dict[Subject, pa.Table]:
    """Rows of each subject, in order of the subjects' fields.

    Args:
        table: rows of one level of a release.
    """
    found = table.group_by(list(FIELDS)).aggregate([]).sort_by([(name, "ascending") for name in FIELDS])
    subjects = [Subject.model_validate(row) for row in found.select(list(FIELDS)).to_pylist()]
    return {subject: rows_of(table, subject) for subject in subjects}


def rows_of(table: pa.Table, subject: Subject) -> pa.Table:
    """Rows of one subject."""
    for name, value in subject:
        table = table.filter(pc.equal(table.column(name), value))
    return table.combine_chunks()


def content_sha256(frames: Iterable[pd.DataFrame]) -> str:
    """SHA-256 of the content of frames; the same rows in the same order have the same."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.to_csv(index=False).encode())
    return digest.hexdigest()
