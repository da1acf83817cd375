"""The three tracks, and the plans of a release in each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, get_args

import pyarrow as pa
import pyarrow.compute as pc

from harness.evaluation.device_track import DevicePlan
from harness.evaluation.kernel_track import KernelPlan
from harness.evaluation.model_track import ModelPlan
from harness.evaluation.plans import Plan
from harness.predictor.subjects import by_subject
from harness.releases import Release
from harness.schema.results import Subject, Track

TRACKS: Final[tuple[Track, ...]] = get_args(Track)
_SAME: Final = ("dtype", "energy_kind", "batch_size", "tier", "boundary")
"""Fields that devices share with the device that they are fitted for, besides the kind of processor."""


class TrackPlans(NamedTuple):
    """Plans of a track.

    Attributes:
        plans: one per subject that can be evaluated.
        notes: sentences about the rows that cannot.
    """

    plans: Sequence[Plan]
    notes: Sequence[str]


def plans_of(track: Track, release: Release, seed: int) -> TrackPlans:
    """Plans of one track over all subjects of a release.

    Args:
        track: track.
        release: tables to evaluate on.
        seed: seed of folds and calibration rows.
    """
    return _PLANNERS[track](release, seed)


def _kernel_plans(release: Release, seed: int) -> TrackPlans:
    plans = [KernelPlan(subject, rows, seed) for subject, rows in by_subject(release.levels["kernels"]).items()]
    return TrackPlans(plans, [] if plans else ["there are no kernel rows"])


def _model_plans(release: Release, seed: int) -> TrackPlans:  # noqa: ARG001 - no draws
    models = release.levels["models"]
    with_list = by_subject(models.filter(pc.is_valid(models.column("kernels"))))
    kernels = by_subject(release.levels["kernels"])
    plans = [ModelPlan(subject, kernels[subject], rows) for subject, rows in with_list.items() if subject in kernels]
    notes = []
    n_lists = sum(rows.num_rows for rows in with_list.values())
    if n_lists < models.num_rows:
        notes.append(f"{models.num_rows - n_lists} of {models.num_rows} model rows have no kernel list")
    unfitted = [subject for subject in with_list if subject not in kernels]
    if unfitted:
        devices = sorted({subject.device_id for subject in unfitted})
        notes.append(f"no kernel row to train on for the networks of {', '.join(devices)}")
    return TrackPlans(plans, notes or ([] if plans else ["there are no model rows"]))


def _device_plans(release: Release, seed: int) -> TrackPlans:
    table = release.levels["kernels"]
    subjects = by_subject(table)
    plans, alone = [], []
    for subject, rows in subjects.items():
        others = rows_of_others(table, subject, rows.column("processor")[0])
        if others.num_rows:
            plans.append(DevicePlan(subject, rows, others, seed))
        else:
            alone.append(f"{subject.system_id} ({subject.delegate}, {subject.dtype})")
    without = "none of the same tier, boundary, processor and data type"
    notes = [f"no other device to fit on for {', '.join(alone)}: {without}"]
    return TrackPlans(plans, notes if alone else ([] if plans else ["there are no kernel rows"]))


def rows_of_others(table: pa.Table, subject: Subject, processor: pa.Scalar) -> pa.Table:
    """Rows of other devices, measured as a subject is, on the same kind of processor."""
    chosen = pc.and_(
        pc.not_equal(table.column("device_id"), subject.device_id), pc.equal(table.column("processor"), processor)
    )
    for name in _SAME:
        chosen = pc.and_(chosen, pc.equal(table.column(name), getattr(subject, name)))
    return table.filter(chosen).combine_chunks()


_PLANNERS: Final[Mapping[Track, Callable[[Release, int], TrackPlans]]] = {
    "kernels": _kernel_plans,
    "models": _model_plans,
    "devices": _device_plans,
}
