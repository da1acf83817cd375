"""Results on disk: one JSON file and one table of rows per predictor, track and subject, found again by their pins.

A file is believed only where it is sealed by this user, its rows are those of the data, and its measures follow from
the rows. Any other is a fault in one line and no result.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

from harness.code_version import code_version
from harness.evaluation.plans import ROWS, Plan
from harness.evaluation.result_files import ResultFaultError, read_json, read_rows, write_files
from harness.evaluation.result_layout import Pins, Result
from harness.evaluation.scores import scores
from harness.predictor.pins import fit_pins
from harness.schema.results import Subject, Track

DECIDING_MODULES: Final = (
    "harness.evaluation.bootstrap", "harness.evaluation.device_track", "harness.evaluation.folds",
    "harness.evaluation.kernel_track", "harness.evaluation.label_files", "harness.evaluation.metrics",
    "harness.evaluation.model_track", "harness.evaluation.plans", "harness.evaluation.runner",
    "harness.evaluation.scores", "harness.leaks", "harness.prediction.sum_interval", "harness.predictor.features",
    "harness.predictor.figures", "harness.predictor.package_files", "harness.predictor.protocol",
    "harness.sandbox.answers", "harness.sandbox.confinement", "harness.sandbox.idle", "harness.sandbox.jobs",
    "harness.sandbox.landlock", "harness.sandbox.processes", "harness.sandbox.seccomp", "harness.sandbox.system_calls",
    "harness.sandbox.worker",
)  # fmt: skip
"""Modules whose code decides which rows are held out, predicted and scored, and how, and what a predictor may see."""

LAYOUT: Final = 6
"""`schema_version` of the results that are written and read."""
_TEXT: Final = frozenset({"split", "row", "kernel", "group"})
"""Columns of `ROWS` that are text; all others are numbers."""
_SAME: Final = 1e-9
"""Relative difference of two sums of the same terms."""


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
    write_files(result, evaluation.rows, result_path(folder, result.track, result.pins.predictor, result.subject))


def read_result(path: Path, *, is_sealed_here: bool = True) -> Evaluation | None:
    """Result of a file, as the harness wrote it; None where there is none of this layout.

    Args:
        path: JSON file.
        is_sealed_here: whether its seal has to be that of this user; otherwise it is not looked at.

    Raises:
        ResultFaultError: the file or the rows beside it are damaged or were edited.
        UsageError: the key of the seal cannot be read.
    """
    result = read_json(path, Result, LAYOUT, is_sealed_here=is_sealed_here)
    if result is None:
        return None
    return Evaluation(result.model_copy(update={"seal": ""}), read_rows(path, result, ROWS, _TEXT))


def _check_rows(evaluation: Evaluation, actual_mj: "pd.Series[float]") -> None:
    """Compare the rows with the data, and the measures with the rows.

    Raises:
        ResultFaultError: they differ.
    """
    result, rows = evaluation.result, evaluation.rows
    actual = pd.Series(rows["row"].map(actual_mj), dtype=float)
    if not actual.eq(rows["actual_mj"]).all():
        raise ResultFaultError("has energies in its rows that are not those of the data")
    for split in result.splits:
        if split.status != "ok":
            continue
        # Measures do not depend on the groups that rows are resampled in; with one group there is no resample.
        try:
            of_split = rows[rows["split"] == split.split].assign(group="")
            found = scores(of_split, result.track, result.pins.seed, split.resolution_mj)
        except ValueError as error:
            raise ResultFaultError(f"has rows of {split.split} that have no measures") from error
        same = len(found) == len(split.scores) and all(
            one.kernel == other.kernel and one.n == other.n and _are_equal(one.measures, other.measures)
            for one, other in zip(found, split.scores, strict=True)
        )
        if not same:
            raise ResultFaultError(f"has measures of {split.split} that do not follow from its rows")


def _are_equal(one: Mapping[str, float | None], other: Mapping[str, float | None]) -> bool:
    """Whether measures are equal, but for the order in which they were summed."""
    return one.keys() == other.keys() and all(
        (value is None) == (other[key] is None)
        and math.isclose(value or 0, other[key] or 0, rel_tol=_SAME, abs_tol=_SAME)
        for key, value in one.items()
    )


def current_result(
    folder: Path,
    plan: Plan,
    predictor: str,
    predictor_version: str,
    seed: int,
    *,
    is_unconfined_allowed: bool = False,
    on_fault: Callable[[str], None] = lambda _: None,
    is_sealed_here: bool = True,
) -> Evaluation | None:
    """Result of exactly these rows by the code that is installed now; None where there is none that can be believed.

    Every version in the pins follows the content of code or data; the release of the program, which does not, is not
    compared.

    Args:
        folder: where results are kept.
        plan: rows and track.
        predictor: key of the predictor.
        predictor_version: version of its code.
        seed: seed of folds and resamples.
        is_unconfined_allowed: whether a result counts whose predictor ran without a part of the confinement.
        on_fault: called with a sentence about a file that is damaged or was edited.
        is_sealed_here: whether its seal has to be that of this user; otherwise it is not looked at.

    Raises:
        UsageError: the key of the seal cannot be read.
    """
    path = result_path(folder, plan.track, predictor, plan.subject)
    try:
        found = read_result(path, is_sealed_here=is_sealed_here)
        if found is None or (found.result.is_unconfined and not is_unconfined_allowed):
            return None
        expected = make_pins(plan.data_sha256, predictor, predictor_version, seed)
        same_release = {"harness_version": expected.harness_version}
        if found.result.pins.model_copy(update=same_release) != expected:
            return None
        _check_rows(found, plan.actual_mj)
    except ResultFaultError as error:
        on_fault(f"{path.as_posix()} {error}; it counts for nothing, and `deepen evaluate` makes it anew")
        return None
    return found


class CheckedResults:
    """Results in a folder that nobody writes to meanwhile; each is read and checked once, however many ask for it.

    Args:
        folder: where results are kept; it may be absent.
        seed: seed of folds and resamples that they were made with.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.seed = seed
        self._found: dict[tuple[Path, str, str], tuple[Evaluation | None, list[str]]] = {}

    def of(
        self, plan: Plan, predictor: str, predictor_version: str, on_fault: Callable[[str], None] = lambda _: None
    ) -> Evaluation | None:
        """Result as `current_result` gives it, also one of a predictor that ran unconfined.

        Args:
            plan: rows and track.
            predictor: key of the predictor.
            predictor_version: version of its code.
            on_fault: called with a sentence about a file that is damaged or was edited.

        Raises:
            UsageError: the key of the seal cannot be read.
        """
        asked = result_path(self.folder, plan.track, predictor, plan.subject), plan.data_sha256, predictor_version
        if asked not in self._found:
            faults: list[str] = []
            found = current_result(
                self.folder, plan, predictor, predictor_version, self.seed,
                is_unconfined_allowed=True, on_fault=faults.append,
            )  # fmt: skip
            self._found[asked] = found, faults
        found, faults = self._found[asked]
        for fault in faults:
            on_fault(fault)
        return found
