"""What one evaluation of a predictor on one device says, and what it rests on; it computes nothing."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q
from harness.schema import vocabulary
from harness.schema.vocabulary import Kernel

Track = vocabulary.Track
Status = Literal["ok", "failed", "skipped"]
Interval = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Seconds = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Subject(_Strict):
    """Rows that can stand in one table: same device, same way of running, same evidence, same quantity."""

    device_id: q.DeviceId
    delegate: q.Delegate
    dtype: q.DtypeName
    is_idle_subtracted: q.IsIdleSubtracted
    batch_size: q.BatchSize
    tier: q.TierName

    @property
    def key(self) -> str:
        """Name of its files.

        >>> Subject(device_id="acme", delegate="CPU1", dtype="fp32", is_idle_subtracted=False, batch_size=1,
        ...         tier="rail").key
        'acme--CPU1--fp32--rail'
        """
        parts = [self.device_id, self.delegate.replace(" ", "_"), self.dtype, self.tier]
        parts += ["idle-subtracted"] * self.is_idle_subtracted + [f"batch-{self.batch_size}"] * (self.batch_size > 1)
        return "--".join(parts)


class FitPins(_Strict):
    """Everything that a fitted predictor depends on; the same pins mean the same predictions.

    Attributes:
        data_sha256: content of all rows that the predictor was fitted on.
        split_version: version of the published split.
        harness_version: version of the program.
        predictor: key of the predictor.
        predictor_version: content of its code.
        packages: versions of the libraries that the figures rest on.
        seed: seed of the fit.
    """

    data_sha256: Sha256
    split_version: str
    harness_version: str
    predictor: str
    predictor_version: str
    packages: dict[str, str]
    seed: int


class Pins(FitPins):
    """Everything that a result depends on; the same pins mean the same result, except for its times.

    `data_sha256` covers the rows that the predictor was tested on too, and `seed` the folds and resamples.

    Attributes:
        evaluation_version: version of the rules by which rows are held out and scored.
    """

    evaluation_version: int


class Leaks(_Strict):
    """What the training side and the held-out side of a split share; of several folds, their mean.

    Attributes:
        n_train: rows to train on.
        n_test: rows held out.
        shared_configurations: configurations on both sides.
        shared_record_ids: records on both sides.
        near_duplicates: pairs of configurations, one of each side, that differ in one extent by at most 10 %.
        n_removed: rows that were taken out of training because their configuration is held out.
    """

    n_train: float
    n_test: float
    shared_configurations: float
    shared_record_ids: float
    near_duplicates: float
    n_removed: float = 0


class Score(_Strict):
    """Measures on the rows of one kernel type, or on all.

    Attributes:
        kernel: kernel type, or `all`.
        n: rows that the measures are over.
        n_test: rows that were held out.
        coverage: share of the held-out kernels that the predictor can speak for.
        coverage_flops: the same by FLOPs; null where they have none.
        within_5: share of rows that are off by at most 5 %; null, like all others, where there are no rows.
        within_10: the same for 10 %.
        within_15: the same for 15 %.
        mape: mean absolute error in percent of the measured energy.
        rmspe: root mean square error in percent of the measured energy.
        rmse_mj: root mean square error in mJ.
        spearman: rank correlation; null where a side does not vary.
        ci95: 95 % interval of each measure by its name; null where there are too few groups.
        interval_coverage: share of rows within the predictor's own intervals, by their nominal percentage.
        kernel_error: networks only: mean error in percent that the covered kernels make, if the others take what is
            estimated: what their type takes per byte moved, or their share of FLOPs where their type has no row.
        coverage_error: networks only: mean share in percent of the energy that the others take, on that condition.
    """

    kernel: Kernel | Literal["all"]
    n: int
    n_test: int
    coverage: Share | None = None
    coverage_flops: Share | None = None
    within_5: Share | None = None
    within_10: Share | None = None
    within_15: Share | None = None
    mape: float | None = None
    rmspe: float | None = None
    rmse_mj: float | None = None
    spearman: float | None = None
    ci95: dict[str, Interval | None] = {}
    interval_coverage: dict[str, Share] = {}
    kernel_error: float | None = None
    coverage_error: float | None = None


class SplitResult(_Strict):
    """One predictor on one split.

    Attributes:
        split: name of the split.
        status: `ok`; `failed`, if the predictor did; `skipped`, if there was nothing to try it on.
        reason: why it is not `ok`, in words.
        fit_s: mean time of a fit; null where none ended.
        predict_rows_per_s: kernels predicted per second; null where none was.
        leaks: what both sides share; null where it was skipped.
        scores: `all` first, then by kernel type; none unless it is `ok`.
    """

    split: str
    status: Status
    reason: str = ""
    fit_s: _Seconds | None = None
    predict_rows_per_s: _Seconds | None = None
    leaks: Leaks | None = None
    scores: list[Score] = []


class Result(_Strict):
    """One predictor on one subject in one track, as its file holds it.

    Attributes:
        schema_version: version of this layout.
        track: track.
        subject: rows that it was tried on.
        pins: what it depends on.
        rows_sha256: content of the file beside it, which holds the prediction of every row.
        splits: one entry a split.
    """

    schema_version: Literal[1]
    track: Track
    subject: Subject
    pins: Pins
    rows_sha256: Sha256
    splits: list[SplitResult]
