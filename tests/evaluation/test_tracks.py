from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from harness.evaluation.device_track import N_DRAWS
from harness.evaluation.folds import MOST_FOLDS, N_FOLDS, N_REPEATS, UNSEEN
from harness.evaluation.kernel_track import CROSS_VALIDATION, LARGEST_FLOPS, PUBLISHED
from harness.evaluation.model_track import ALL_FAMILIES
from harness.evaluation.plans import ROWS, FoldPredictions
from harness.evaluation.tracks import TRACKS, plans_of
from harness.leaks import leak_report
from harness.predictor.features import FEATURES, LABEL, labelled_frame
from harness.releases import Release
from harness.schema.identity import configuration_ids
from harness.schema.records import KEYS
from harness.schema.vocabulary import EXTENTS
from harness.splits import assign_splits
from tests.campaigns import campaign
from tests.evaluation.releases import (
    FAMILIES,
    MEASURED,
    changed,
    configurations,
    constant,
    entry,
    info,
    kernel_device,
    kernel_rows,
    network_device,
    networks,
    release_of,
    true_energy,
    truth,
    untyped,
)

ANYONE = info("anyone")


def plan_of(track, *campaigns):
    """The only plan of a track."""
    (plan,) = plans_of(track, release_of(*campaigns), 0).plans
    return plan


def done(plan, function=truth, predictor=ANYONE):
    """Folds of a plan with what a function says where the predictor is asked."""
    found = []
    for fold in plan.folds(predictor):
        is_covered = fold.covered(predictor, plan.subject.dtype)
        energies = np.full(len(fold.test), np.nan)
        energies[is_covered] = function(fold.train, fold.test[is_covered])
        found.append((fold, FoldPredictions(energies, {})))
    return found


def rows_of(plan, split, function=truth, predictor=ANYONE):
    chosen = [pair for pair in done(plan, function, predictor) if split in pair[0].splits]
    return plan.rows(split, chosen)


def ids(frame):
    table = pa.Table.from_pandas(frame[list(KEYS["kernels"])], preserve_index=False)
    whole = [pa.field(name, pa.int64() if name in EXTENTS else pa.string()) for name in table.column_names]
    return set(configuration_ids(table.cast(pa.schema(whole))))


def test_other_flops_of_the_same_rows_are_other_data():
    release = release_of(kernel_device())
    (plan,) = plans_of("kernels", release, 0).plans
    rows = release.levels["kernels"]
    place = rows.column_names.index("flops")
    dearer = rows.set_column(place, rows.schema.field(place), pc.add(rows.column("flops"), 1))
    (other,) = plans_of("kernels", replace(release, levels=release.levels | {"kernels": dearer}), 0).plans
    assert other.data_sha256 != plan.data_sha256


EVERYTHING = (kernel_device(), kernel_device("other-phone", factor=2), network_device(networks()))


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("is_cross_device", [False, True])
def test_no_fold_holds_a_label_to_be_predicted(track, is_cross_device):
    plans = plans_of(track, release_of(*EVERYTHING), 0).plans
    assert plans
    for plan in plans:
        for fold in plan.folds(info("anyone", is_cross_device=is_cross_device)):
            assert tuple(fold.train.columns) == (*FEATURES, LABEL)
            assert tuple(fold.test.columns) == FEATURES
            assert fold.test.index.tolist() == list(range(len(fold.test)))
            assert fold.train.index.tolist() == list(range(len(fold.train)))


@pytest.mark.parametrize("track", TRACKS)
def test_rows_have_the_declared_columns_and_leaks_none_of_what_is_held_out(track):
    for plan in plans_of(track, release_of(*EVERYTHING), 0).plans:
        for split in plan.splits:
            assert tuple(rows_of(plan, split).columns) == ROWS
            leaks = plan.leaks(split)
            assert leaks.shared_configurations == leaks.shared_record_ids == 0
            assert leaks.n_train > 0
            assert leaks.n_test > 0


@pytest.mark.parametrize("split", [PUBLISHED, CROSS_VALIDATION, *UNSEEN])
def test_leaks_are_the_means_of_the_leak_reports_of_the_folds(split):
    plan = plan_of("kernels", kernel_device(n=120))
    table = plan.table
    records = np.array(table.column("record_id").to_pylist())
    reports = []
    rows = rows_of(plan, split)
    for fold in (fold for fold in plan.folds(ANYONE) if fold.splits == (split,) and fold.repeat == 0):
        energies = set(fold.train[LABEL])
        is_train = [energy in energies for energy in table.column(LABEL).to_pylist()]
        sides = ["train" if trained else "test" for trained in is_train]
        assert set(records[~np.array(is_train)]) <= set(rows["row"])
        reports.append(leak_report(table, "kernels", sides))
    found = plan.leaks(split)
    assert found.near_duplicates == np.mean([report.near_duplicates for report in reports])
    assert found.near_duplicates > 0 or split != CROSS_VALIDATION
    assert found.n_train == np.mean([report.n_train for report in reports])
    assert found.n_test == np.mean([report.n_test for report in reports])


# Kernels.


def test_published_split_holds_out_what_the_dataset_does():
    release = release_of(kernel_device())
    table = release.levels["kernels"]
    rows = rows_of(plan_of("kernels", kernel_device()), PUBLISHED)
    sides = assign_splits(table, "kernels")
    expected = {row for row, side in zip(table.column("record_id").to_pylist(), sides, strict=True) if side == "test"}
    assert set(rows["row"]) == expected


@pytest.mark.parametrize("split", [PUBLISHED, CROSS_VALIDATION, LARGEST_FLOPS, *UNSEEN])
def test_no_configuration_is_on_both_sides_of_a_fold(split):
    # Every configuration was run twice.
    rows = [row | {"source_id": source} for row in kernel_rows(60) for source in ("a", "b")]
    twice = campaign("kernels", rows, "acme-phone", manifest=MEASURED)
    plan = plan_of("kernels", twice)
    folds = [fold for fold in plan.folds(ANYONE) if fold.splits == (split,)]
    assert folds
    for fold in folds:
        assert not ids(fold.train) & ids(fold.test)


def test_cross_validation_predicts_every_row_once_in_every_repeat():
    rows = rows_of(plan_of("kernels", kernel_device(n=60)), CROSS_VALIDATION)
    assert len(rows) == N_REPEATS * 60
    assert (rows.groupby("row")["repeat"].nunique() == N_REPEATS).all()


def test_rows_carry_the_energies_of_their_own_kernels():
    rows = rows_of(plan_of("kernels", kernel_device()), CROSS_VALIDATION)
    assert np.allclose(rows["actual_mj"], rows["predicted_mj"])


def test_hard_splits_without_a_held_out_row_are_skipped_with_the_reason():
    plan = plan_of("kernels", kernel_device(n=9))
    assert plan.skipped[LARGEST_FLOPS] == "no row is held out"
    assert LARGEST_FLOPS not in plan.splits
    assert CROSS_VALIDATION in plan.splits


@pytest.mark.parametrize("split", UNSEEN)
def test_unseen_values_are_each_held_out_once_and_are_what_rows_are_resampled_with(split):
    plan = plan_of("kernels", kernel_device(n=60))
    rows = rows_of(plan, split)
    values = labelled_frame(plan.table)[list(UNSEEN[split])].fillna(0).astype(int).astype(str).agg("x".join, axis=1)
    of_record = dict(zip(plan.table.column("record_id").to_pylist(), values, strict=True))
    expected = {row: value for row, value in of_record.items() if set(value.split("x")) != {"0"}}
    assert dict(zip(rows["row"], rows["group"], strict=True)) == expected
    assert len(rows) == len(expected)
    folds = [fold for fold in plan.folds(ANYONE) if fold.splits == (split,)]
    n_values = len(set(expected.values()))
    assert len(folds) == (n_values if n_values <= MOST_FOLDS else N_FOLDS) > 1


@pytest.mark.parametrize(
    ("extents", "reason"),
    [
        ({}, "no row is held out"),
        ({"kernel_h": 3, "kernel_w": 3}, "there is one value of kernel_h, kernel_w; expected two or more"),
    ],
)
def test_split_by_unseen_values_takes_two_values(extents, reason):
    found = [row for row in kernel_rows(30) if row["kernel"] == ("conv-bn-relu" if extents else "relu")]
    rows = [row | extents for row in found]
    plan = plan_of("kernels", campaign("kernels", rows, "acme-phone", manifest=MEASURED))
    assert plan.skipped["unseen-kernel-size"] == reason
    assert "unseen-kernel-size" not in plan.splits


def test_quantities_and_ways_of_running_that_differ_are_never_in_one_table():
    idle = {"manifest": MEASURED | {"idle": {"power_mw": 300, "how": "Screen off."}}, "name": "idle"}
    campaigns = [
        kernel_device(n=20),
        kernel_device(n=20, facts=idle, energy_kind="idle-subtracted"),
        kernel_device(n=20, facts={"name": "dynamic"}, energy_kind="dynamic-only"),
        kernel_device(n=20, facts={"name": "batches"}, batch_size=8),
        kernel_device(n=20, facts={"name": "int8"}, dtype="int8"),
        kernel_device(n=20, facts={"name": "gpu"}, delegate="GPU"),
        kernel_device(n=20, facts={"name": "published", "manifest": {"method": "published"}}),
    ]
    plans = plans_of("kernels", release_of(*campaigns), 0).plans
    assert len({plan.subject.key for plan in plans}) == len(plans) == len(campaigns)
    assert all(len(rows_of(plan, CROSS_VALIDATION)) == N_REPEATS * 20 for plan in plans)


def test_content_of_a_subject_changes_with_its_energies_alone():
    def content(*campaigns):
        return plans_of("kernels", release_of(*campaigns), 0).plans[0].data_sha256

    assert content(kernel_device()) == content(kernel_device(), kernel_device("other-phone"))
    assert content(kernel_device()) != content(kernel_device(factor=1.001))


# Models.


def test_model_energy_is_the_sum_over_its_kernels():
    plan = plan_of("models", kernel_device(), network_device(networks()))
    rows = rows_of(plan, ALL_FAMILIES)
    assert len(rows) == 12
    assert np.allclose(rows["predicted_mj"], rows["actual_mj"])
    assert (rows["covered_kernels"] == 1).all()
    assert (rows["covered_flops"] == 1).all()
    assert set(rows["group"]) == set(FAMILIES)


def test_every_family_is_left_out_once_and_has_a_split_of_its_own():
    plan = plan_of("models", kernel_device(), network_device(networks()))
    assert plan.splits == [ALL_FAMILIES, *(f"without-{family}" for family in FAMILIES)]
    assert len(list(plan.folds(ANYONE))) == len(FAMILIES)
    rows = rows_of(plan, "without-ResNet18")
    assert len(rows) == 4
    assert set(rows["group"]) == {"ResNet18"}


def test_configurations_of_the_held_out_family_are_not_trained_on():
    plan = plan_of("models", kernel_device(), network_device(networks()))
    for fold in plan.folds(ANYONE):
        assert not ids(fold.train) & ids(fold.test)
        assert len(fold.train) < 60
    assert plan.leaks("without-ResNet18").n_removed == 60 - plan.leaks("without-ResNet18").n_train


def test_what_is_not_covered_lowers_coverage_and_is_not_counted_as_zero():
    kernels = [entry(found) for found in configurations(6)[:3]]
    flops = sum(kernel["flops"] for kernel in kernels)
    half = [*kernels, untyped(flops)]
    plan = plan_of("models", kernel_device(), network_device({"half": ("ResNet18", half)}))
    (row,) = rows_of(plan, ALL_FAMILIES).to_dict("records")
    assert row["covered_kernels"] == pytest.approx(3 / 4)
    assert row["covered_flops"] == pytest.approx(0.5)
    expected = sum(true_energy(kernel["flops"], kernel["bytes_moved"]) for kernel in kernels)
    assert row["predicted_mj"] == pytest.approx(float(expected))
    # There is no row of its type, so half of the FLOPs stands for half of the energy.
    assert row["missing_mj"] == pytest.approx(0.5 * row["actual_mj"])


def test_missing_kernel_is_estimated_by_what_its_type_takes_per_byte():
    plan = plan_of("models", kernel_device(), network_device(networks()))
    rows = rows_of(plan, ALL_FAMILIES, predictor=info("truth", kernels=("conv-bn-relu", "fc")))
    of_relu = labelled_frame(plan.kernels).query("kernel == 'relu'")
    per_byte = np.median(of_relu["energy_mj"] / of_relu["bytes_moved"])
    kernels = [kernel for entries in plan.models.column("kernels").to_pylist() for kernel in entries]
    total = sum(kernel["bytes_moved"] for kernel in kernels if kernel["kernel"] == "relu") * per_byte
    assert total > 0
    assert rows["missing_mj"].sum() == pytest.approx(total)


def test_energy_that_a_predictor_offers_for_a_network_takes_the_place_of_the_sum():
    plan = plan_of("models", kernel_device(), network_device(networks()))
    fold, predicted = next(pair for pair in done(plan) if "without-ResNet18" in pair[0].splits)
    better = FoldPredictions(predicted.energy_mj, {}, {1: 123.0})
    sums, offered = (plan.rows("without-ResNet18", [(fold, each)])["predicted_mj"] for each in (predicted, better))
    assert offered.tolist() == [sums[0], 123.0, *sums[2:]]


def with_intervals(plan, predictor=ANYONE):
    """Rows of all families where every kernel takes 1 mJ, and its interval is 0.3 below and 0.4 above."""
    found = []
    for fold in plan.folds(predictor):
        energies = np.where(fold.covered(predictor, plan.subject.dtype), 1.0, np.nan)
        bounds = np.column_stack([energies - 0.3, energies + 0.4])
        found.append((fold, FoldPredictions(energies, {90: bounds})))
    return plan.rows(ALL_FAMILIES, found)


def test_interval_of_a_network_is_made_of_those_of_its_kernels():
    one, other = (entry(found) for found in configurations(2))
    plan = plan_of("models", kernel_device(), network_device({"three": ("ResNet18", [one, other, one])}))
    (row,) = with_intervals(plan).to_dict("records")
    # The two kernels of one configuration err alike, the third for itself.
    below, above = np.hypot(0.6, 0.3), np.hypot(0.8, 0.4)
    assert (row["low_90"], row["high_90"]) == pytest.approx((3 - below, 3 + above))
    assert np.isnan(row["low_80"])


def test_network_that_lacks_a_kernel_has_no_interval():
    kernels = [entry(found) for found in configurations(6)]
    lacks = {"whole": ("ResNet18", kernels), "lacks": ("ResNet18", [*kernels, untyped(1)])}
    rows = with_intervals(plan_of("models", kernel_device(), network_device(lacks)))
    assert rows["low_90"].notna().tolist() == (rows["covered_kernels"] == 1).tolist()
    assert sorted(rows["covered_kernels"]) == pytest.approx([6 / 7, 1])
    assert rows["predicted_mj"].notna().all()


def test_kernel_of_another_data_type_is_not_covered():
    mixed = [entry(configurations(3)[0]), entry(configurations(3)[1], dtype="int8")]
    plan = plan_of("models", kernel_device(), network_device({"mixed": ("ResNet18", mixed)}))
    assert rows_of(plan, ALL_FAMILIES)["covered_kernels"].tolist() == [0.5]


def test_network_without_any_covered_kernel_has_no_energy():
    plan = plan_of("models", kernel_device(), network_device({"odd": ("ResNet18", [untyped(100)])}))
    assert rows_of(plan, ALL_FAMILIES)["predicted_mj"].isna().all()


def test_networks_that_nothing_can_be_taught_for_are_named():
    release = release_of(kernel_device(), network_device(networks(), device_id="lonely-board"))
    plans, notes = plans_of("models", release, 0)
    assert not plans
    assert list(notes) == ["no kernel row to train on for the networks of lonely-board"]


def test_models_without_a_kernel_list_are_counted():
    with_list = network_device(networks())
    bare = network_device({"bare": ("ResNet18", [untyped(1)])}, facts={"networks": {}, "name": "bare"})
    _, notes = plans_of("models", release_of(kernel_device(), with_list, bare), 0)
    assert list(notes) == ["1 of 13 model rows have no kernel list"]


# Devices.


TWO_PHONES = (kernel_device(n=120, factor=3), kernel_device("other-phone", n=120))
"""The first takes three times the energy of the second."""
CROSS_DEVICE = info("anyone", is_cross_device=True)


def device_plan(release: Release, device_id="acme-phone"):
    return next(plan for plan in plans_of("devices", release, 0).plans if plan.subject.device_id == device_id)


def test_one_factor_carries_a_predictor_to_a_device_that_only_differs_by_one():
    plan = device_plan(release_of(*TWO_PHONES))
    assert list(plan.splits) == ["k=0", "k=10", "k=10, own rows", "k=50", "k=50, own rows"]
    for split, factor in (("k=0", 3), ("k=10", 1), ("k=50", 1)):
        rows = rows_of(plan, split)
        assert np.allclose(rows["actual_mj"] / rows["predicted_mj"], factor)


def test_devices_and_configurations_are_both_unseen():
    plan = device_plan(release_of(*TWO_PHONES))
    (fold,) = (fold for fold in plan.folds(ANYONE) if "k=50" in fold.splits)
    assert set(fold.train["device_id"]) == {"other-phone"}
    rows = rows_of(plan, "k=50")
    assert not set(plan.table.filter(_is_in(plan, rows)).column("configuration_id").to_pylist()) & ids(fold.train)


def _is_in(plan, rows):
    return pc.is_in(plan.table.column("record_id"), value_set=pa.array(rows["row"]))


@pytest.mark.parametrize("predictor", [ANYONE, CROSS_DEVICE], ids=["one factor", "cross-device"])
def test_every_count_and_draw_of_calibration_rows_is_tested_on_the_same_rows(predictor):
    plan = device_plan(release_of(*TWO_PHONES))
    own = [] if predictor.is_cross_device else ["k=10, own rows", "k=50, own rows"]
    tested = {}
    for split in ("k=0", "k=10", "k=50", *own):
        for repeat, rows in rows_of(plan, split, constant, predictor).groupby("repeat"):
            tested[split, repeat] = sorted(rows["row"])
    assert sorted(tested) == sorted(
        (split, repeat) for split in ("k=0", "k=10", "k=50", *own) for repeat in range(1 if split == "k=0" else N_DRAWS)
    )
    assert len({tuple(rows) for rows in tested.values()}) == 1


def test_predictor_that_knows_devices_trains_on_the_calibration_rows_of_every_draw():
    plan = device_plan(release_of(*TWO_PHONES))
    folds = list(plan.folds(CROSS_DEVICE))
    assert [fold.splits for fold in folds] == [("k=0",), *[("k=10",)] * N_DRAWS, *[("k=50",)] * N_DRAWS]
    own = [fold.train[fold.train["device_id"] == "acme-phone"] for fold in folds]
    assert [len(rows) for rows in own] == [0, *[10] * N_DRAWS, *[50] * N_DRAWS]
    assert len({frozenset(rows["energy_mj"]) for rows in own}) == 1 + 2 * N_DRAWS
    # The first ten of a draw are ten of its fifty.
    for ten, fifty in zip(own[1 : 1 + N_DRAWS], own[1 + N_DRAWS :], strict=True):
        assert set(ten["energy_mj"]) < set(fifty["energy_mj"])
    rows = rows_of(plan, "k=10", predictor=CROSS_DEVICE)
    assert np.allclose(rows["actual_mj"] / rows["predicted_mj"], 3)


def test_own_rows_are_those_that_the_factor_is_taken_from():
    plan = device_plan(release_of(*TWO_PHONES))
    folds = {(fold.splits, fold.repeat): fold.train for fold in plan.folds(ANYONE)}
    transferred = {(fold.splits, fold.repeat): fold.train for fold in plan.folds(CROSS_DEVICE)}
    for (splits, repeat), train in transferred.items():
        if splits != ("k=0",):
            own = folds[(f"{splits[0]}, own rows",), repeat]
            assert set(own["device_id"]) == {"acme-phone"}
            assert set(own["energy_mj"]) == set(train["energy_mj"][train["device_id"] == "acme-phone"])


def test_each_draw_has_a_factor_of_its_own():
    plan = device_plan(release_of(*TWO_PHONES))
    rows = rows_of(plan, "k=10", constant)
    factors = rows.groupby("row")["predicted_mj"].nunique()
    assert (factors == N_DRAWS).all()


def test_own_rows_leave_out_cross_device_predictors_and_kernel_types_that_were_not_drawn():
    plan = device_plan(release_of(*TWO_PHONES))
    assert plan.unsuited(ANYONE) == {}
    reason = "anyone is cross-device, so it is fitted on rows of other devices too"
    assert plan.unsuited(CROSS_DEVICE) == dict.fromkeys(("k=10, own rows", "k=50, own rows"), reason)
    own = {fold.repeat: set(fold.train["kernel"]) for fold in plan.folds(ANYONE) if fold.splits == ("k=10, own rows",)}
    rows = rows_of(plan, "k=10, own rows")
    for repeat, of_draw in rows.groupby("repeat"):
        assert (of_draw["predicted_mj"].notna() == of_draw["kernel"].isin(own[repeat])).all()


def test_device_with_few_rows_skips_the_counts_that_it_does_not_have():
    plan = device_plan(release_of(kernel_device(n=30), kernel_device("other-phone", n=30)))
    n_train = plan.leaks("k=0").n_train
    assert list(plan.splits) == ["k=0", "k=10", "k=10, own rows"]
    reason = f"the device has {n_train:.0f} configurations to calibrate on"
    assert plan.skipped == {"k=50": reason, "k=50, own rows": reason}


def test_only_devices_of_one_tier_processor_and_data_type_teach_each_other():
    simulated = {"manifest": {"method": "simulated"}}
    release = release_of(
        kernel_device(),
        kernel_device("simulated-phone", facts=simulated),
        kernel_device("int8-phone", dtype="int8"),
        kernel_device("gpu-phone", delegate="GPU"),
    )
    plans, notes = plans_of("devices", release, 0)
    assert not plans
    assert "acme-phone (CPU1, fp32)" in notes[0]
    assert "simulated-phone (CPU1, fp32)" in notes[0]


@pytest.mark.parametrize("track", TRACKS)
def test_nothing_to_ask_is_said(track):
    empty = release_of()
    plans, notes = plans_of(track, empty, 0)
    assert not plans
    assert len(notes) == 1


def test_energies_play_no_part_in_what_is_held_out():
    release = release_of(kernel_device())
    table = release.levels["kernels"]
    shuffled = changed(table, LABEL, lambda energies: energies[::-1])
    other = Release({**release.levels, "kernels": shuffled}, release.devices, release.submissions, release.errata)
    (one,), (two,) = (plans_of("kernels", each, 0).plans for each in (release, other))
    for split in one.splits:
        assert rows_of(one, split)["row"].tolist() == rows_of(two, split)["row"].tolist()
