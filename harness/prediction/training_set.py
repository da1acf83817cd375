"""Rows that a predictor is fitted on for one device, chosen from a release; it fits nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import UsageError
from harness.issues import unknown
from harness.predictor.features import labelled_frame
from harness.predictor.protocol import KERNELS, PredictorInfo
from harness.predictor.subjects import by_subject, content_sha256
from harness.schema.results import Subject
from harness.schema.vocabulary import ENERGY_KIND_TITLES, TIER_TITLES, Kernel


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Kernel rows of one system, run in one way.

    Attributes:
        subject: system and way of running.
        table: its rows of the kernels level.
        runtime: fusion rules that the rows go with; None where they are unknown.
    """

    subject: Subject
    table: pa.Table
    runtime: str | None = None

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Columns `FEATURES` and `energy_mj`."""
        return labelled_frame(self.table)

    @cached_property
    def data_sha256(self) -> str:
        """Content of the rows."""
        return content_sha256([self.rows])

    def rows_for(self, info: PredictorInfo) -> pd.DataFrame:
        """Rows of the kernel types that a predictor supports.

        Raises:
            UsageError: there are none, or it supports no type.
        """
        if not info.kernel_types:
            raise UsageError(
                f"{info.key} supports no kernel type: it is fitted on energies of networks, not of kernels"
            )
        rows = self.rows[self.rows["kernel"].isin(info.kernel_types)].reset_index(drop=True)
        if rows.empty:
            types = _listed(info.kernel_types)
            raise UsageError(f"{self.subject.device_id} has no row of a kernel type that {info.key} supports ({types})")
        return rows


def types_of(rows: pd.DataFrame) -> tuple[Kernel, ...]:
    """Kernel types of rows, in the order of the vocabulary."""
    found = set(rows["kernel"])
    return tuple(kernel for kernel in KERNELS if kernel in found)


def training_set(
    kernels: pa.Table,
    device_id: str,
    dtype: str,
    delegate: str | None = None,
    *,
    runtime: str | None = None,
    system_id: str | None = None,
) -> TrainingSet:
    """Rows to fit on for one system of a device, delegate and data type.

    Where a system has several kinds of evidence or of energy, the best evidence is used, then the kind of energy with
    most rows, then the absolute one; they are never mixed.

    Args:
        kernels: rows of the kernels level of a release.
        device_id: device.
        dtype: data type that the network runs in.
        delegate: how it runs; may be left out where the device was measured in one way only.
        runtime: fusion rules that the rows go with; None where they are unknown.
        system_id: system of the device; may be left out where kernels of one were measured.

    Raises:
        UsageError: there are no such rows; the message lists those that there are.
    """
    subjects = _subjects_of(kernels, device_id)
    for field, wanted in (("system_id", system_id), ("delegate", delegate)):
        subjects = _narrowed(subjects, field, wanted)
    of_dtype = {subject: rows for subject, rows in subjects.items() if subject.dtype == dtype}
    if not of_dtype:
        there = sorted({subject.dtype for subject in subjects})
        raise UsageError(
            f"the network runs in {dtype}, and {device_id} was measured in {_listed(there)}; --dtype {there[0]} "
            "predicts it as if it ran in that"
        )
    for field, (verb, option) in _CHOSEN.items():
        there = sorted({getattr(subject, field) for subject in of_dtype})
        if len(there) > 1:
            raise UsageError(f"{device_id} was measured {verb} {_listed(there)}; choose one with {option}")
    best = min(of_dtype, key=lambda subject: _preference(subject, of_dtype[subject]))
    return TrainingSet(best, of_dtype[best], runtime)


_CHOSEN: Final = {"system_id": ("as", "--system"), "delegate": ("with", "--delegate")}
"""Fields of which one value has to be chosen, with how a message says so and the option that chooses."""


def _narrowed(subjects: Mapping[Subject, pa.Table], field: str, wanted: str | None) -> Mapping[Subject, pa.Table]:
    """Ways of running that have a wanted value in a field; all where none is wanted."""
    if wanted is None:
        return subjects
    there = sorted({getattr(subject, field) for subject in subjects})
    if wanted not in there:
        device_id = next(iter(subjects)).device_id
        raise unknown(f"{field.removesuffix('_id')} of {device_id}", wanted, there)
    return {subject: rows for subject, rows in subjects.items() if getattr(subject, field) == wanted}


def _subjects_of(kernels: pa.Table, device_id: str) -> Mapping[Subject, pa.Table]:
    """Rows of single inferences of a device, by way of running."""
    devices = sorted(set(kernels.column("device_id").to_pylist()))
    if device_id not in devices:
        raise unknown("device with kernel rows", device_id, devices)
    is_of_device = pc.equal(kernels.column("device_id"), device_id)
    subjects = by_subject(kernels.filter(is_of_device))
    single = {subject: rows for subject, rows in subjects.items() if subject.batch_size == 1}
    if not single:
        raise UsageError(f"{device_id} has kernel rows of larger batches only; expected rows of single inferences")
    return single


def _preference(subject: Subject, rows: pa.Table) -> tuple[int, int, int]:
    kinds = list(ENERGY_KIND_TITLES)
    return list(TIER_TITLES).index(subject.tier), -rows.num_rows, kinds.index(subject.energy_kind)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
