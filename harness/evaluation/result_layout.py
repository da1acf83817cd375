"""Layout of a result: the measures of one predictor on one subject in one track, and what they depend on.

It computes nothing and reads no file.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import Field, field_validator

from harness.evaluation.metrics import METRIC, RowsOf
from harness.sandbox.confinement import Confinement
from harness.schema.results import FitPins, Interval, Sha256, Strict, Subject, Track
from harness.schema.vocabulary import Kernel

Status = Literal["ok", "failed", "skipped"]
Share = Annotated[float, Field(ge=0, le=1)]
Measure = TypeVar("Measure", float | None, Interval | None)
_Seconds = Annotated[float, Field(ge=0)]


class Pins(FitPins):
    """Everything that a result depends on; the same pins mean the same result, except for its times.

    `data_sha256` covers the rows that the predictor was tested on too, and `seed` the folds and resamples.

    Attributes:
        evaluation_version: version of the code by which rows are held out and scored.
    """

    evaluation_version: str


class Leaks(Strict):
    """Counts of what the training side and the held-out side of a split share; of several folds, their mean.

    Attributes:
        n_train: rows to train on.
        n_test: rows held out.
        shared_configurations: configurations on both sides.
        shared_record_ids: records on both sides.
        near_duplicates: pairs of configurations, one of each side, that differ in one extent by at most 10 %.
        n_removed: rows that were removed from training because their configuration is held out.
    """

    n_train: float
    n_test: float
    shared_configurations: float
    shared_record_ids: float
    near_duplicates: float
    n_removed: float = 0


class Score(Strict):
    """Measures on the rows of one kernel type, or on all.

    Attributes:
        kernel: kernel type, or `all`.
        n: rows that the predictor covers in every repeat.
        n_test: rows that were held out.
        n_twin_free: of those, rows without a training row one extent apart, a mean over the repeats; null for networks.
        coverage: share of the held-out kernels that the predictor supports.
        coverage_flops: the same by FLOPs; null where they have none.
        measures: value of every metric by its key; null where it is not defined. Shares are over the held-out rows, of
            which one that is not covered is a miss; other measures over the rows that are covered.
        ci95: 95 % interval of each measure by its key; null where there are too few groups.
        interval_coverage: empirical coverage of the predictor's own intervals, by their nominal percentage.
        kernel_error: networks only: mean error in percent that the covered kernels make, if the others take what is
            estimated: what their type takes per byte moved, or their share of FLOPs where their type has no row.
        coverage_error: networks only: mean share in percent of the energy that the others take, on that condition.
    """

    kernel: Kernel | Literal["all"]
    n: int
    n_test: int
    n_twin_free: float | None = None
    coverage: Share | None = None
    coverage_flops: Share | None = None
    measures: dict[str, float | None] = Field(default_factory=dict)
    ci95: dict[str, Interval | None] = Field(default_factory=dict)
    interval_coverage: dict[str, Share] = Field(default_factory=dict)
    kernel_error: float | None = None
    coverage_error: float | None = None

    def n_of(self, rows: RowsOf) -> float | None:
        """Count of the rows that a metric is over; None where there is no such kind of rows."""
        return {"held-out": self.n_test, "twin-free": self.n_twin_free, "covered": self.n}[rows]

    @field_validator("measures", "ci95")
    @classmethod
    def _has_every_metric(cls, by_key: dict[str, Measure]) -> dict[str, Measure]:
        if by_key and by_key.keys() != METRIC.keys():
            wrong = ", ".join(sorted(by_key.keys() ^ METRIC.keys()))
            raise ValueError(f"{wrong}; expected every metric once and no other")
        return by_key

    @field_validator("measures")
    @classmethod
    def _has_shares(cls, measures: dict[str, float | None]) -> dict[str, float | None]:
        for key, value in measures.items():
            if METRIC[key].form in ("share", "mean-share") and value is not None and not 0 <= value <= 1:
                raise ValueError(f"{key} = {value}; expected a share between 0 and 1")
        return measures


class SplitResult(Strict):
    """One predictor on one split.

    Attributes:
        split: name of the split.
        status: `ok`; `failed`, if the predictor did; `skipped`, if there was nothing to test it on.
        reason: why it is not `ok`.
        fit_s: mean time of a fit; null where none ended.
        predict_rows_per_s: kernels predicted per second in one batch of 10,000, measured once for all splits; null
            where that would have taken too long, or no kernel was predicted.
        resolution_mj: unit of the last digit that the subject's energies are given to; 0 where they are exact.
        leaks: what both sides share; null where it was skipped.
        label_files: files of the predictor that hold energies of the subject's rows, each with how many distinct ones.
        scores: `all` first, then by kernel type; none unless it is `ok`.
    """

    split: str
    status: Status
    reason: str = ""
    fit_s: _Seconds | None = None
    predict_rows_per_s: _Seconds | None = None
    resolution_mj: Annotated[float, Field(ge=0)] = 0.0
    leaks: Leaks | None = None
    label_files: dict[str, int] = Field(default_factory=dict)
    scores: list[Score] = Field(default_factory=list)


class SealedResult(Strict):
    """What the file of every result holds.

    Attributes:
        schema_version: version of its layout.
        rows_sha256: content of the file beside it, which holds the prediction of every row.
        seal: seal of everything else (`harness.seal`); empty until it is written.
    """

    schema_version: int
    rows_sha256: Sha256
    seal: str = ""


class Result(SealedResult):
    """One predictor on one subject in one track, as its file holds it.

    Attributes:
        schema_version: version of this layout.
        track: track.
        subject: rows that it was tested on.
        pins: what it depends on.
        splits: one entry per split.
        confinement: what confined the predictor; null where it had nothing to predict.
    """

    schema_version: Literal[6]
    track: Track
    subject: Subject
    pins: Pins
    splits: list[SplitResult]
    confinement: Confinement | None = None

    @property
    def is_unconfined(self) -> bool:
        """Whether the predictor ran without a part of the confinement."""
        return self.confinement is not None and bool(self.confinement.missing)
