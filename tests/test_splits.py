import pyarrow as pa
import pytest
from hypothesis import given, settings

from harness.releases import assemble
from harness.schema.vocabulary import FAMILIES, LEVELS
from harness.splits import (
    GROUPS,
    STATEMENTS,
    TEST_FAMILIES,
    TEST_REFERENCE_MODELS,
    LeakReport,
    assign_splits,
    configurations_in,
    leak_report,
    split_of,
)
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign, simulated_campaign
from tests.kernel_lists import CONV, DWCONV, FC, network
from tests.strategies import row_tables

FEW = settings(max_examples=20)


def release_table(level, *tables):
    return assemble(campaign(level, table, f"device-{n}") for n, table in enumerate(tables)).levels[level]


def table_of(record_ids, configurations, **extents):
    columns = {name: [None] * len(record_ids) for name in ("input_h", "input_w", "cin", "cout", "kernel_h", "kernel_w")}
    columns |= {name: [None] * len(record_ids) for name in ("stride_h", "stride_w", "groups", "cin2", "cin3", "cin4")}
    columns |= {"record_id": record_ids, "configuration_id": configurations, "kernel": ["relu"] * len(record_ids)}
    return pa.table(columns | extents)


@pytest.mark.parametrize("level", LEVELS)
def test_split_keeps_one_group_on_one_side(level):
    @FEW
    @given(row_tables(level, ("CPU1",)), row_tables(level, ("CPU1",)))
    def check(one, other):
        # The same rows on a second device, and rows of its own.
        table = release_table(level, one, one, other)
        sides = {}
        for group, side in zip(table.column(GROUPS[level]).to_pylist(), assign_splits(table, level), strict=True):
            assert side in ("train", "test")
            assert sides.setdefault(group, side) == side
        report = leak_report(table, level, assign_splits(table, level))
        assert report.shared_groups == report.shared_record_ids == ()
        assert report.n_train + report.n_test == table.num_rows

    check()


@pytest.mark.parametrize("level", LEVELS)
def test_split_is_stable_under_growth(level):
    @FEW
    @given(row_tables(level, ("CPU1",)), row_tables(level, ("CPU1",)))
    def check(one, other):
        before, after = release_table(level, one), release_table(level, one, other)
        sides = dict(zip(after.column("record_id").to_pylist(), assign_splits(after, level), strict=True))
        for record, side in zip(before.column("record_id").to_pylist(), assign_splits(before, level), strict=True):
            assert sides[record] == side

    check()


def test_a_fifth_of_the_configurations_is_test():
    sides = [split_of("kernels", f"{number:020x}") for number in range(20_000)]
    assert sides.count("test") / len(sides) == pytest.approx(0.2, abs=0.01)


def test_sides_of_known_configurations_never_change():
    # A change here is a new split version.
    of_test = [number for number in range(20) if split_of("kernels", f"{number:020x}") == "test"]
    assert of_test == [5, 8, 11, 13, 16, 17]


def test_models_and_applications_are_split_by_fixed_lists():
    assert {split_of("models", family) for family in TEST_FAMILIES} == {"test"}
    assert {split_of("applications", model) for model in TEST_REFERENCE_MODELS} == {"test"}
    assert split_of("models", "ds-cnn") == split_of("applications", "DS-CNN") == "train"


def test_both_sides_of_the_sample_campaigns_are_filled():
    release = assemble([kernel_campaign(), board_campaign(), phone_campaign("other-phone")])
    for level in LEVELS:
        assert set(assign_splits(release.levels[level], level)) == {"train", "test"}


def test_statements_name_what_is_held_out():
    assert all(family in STATEMENTS["models"] for family in TEST_FAMILIES)
    assert all(model in STATEMENTS["applications"] for model in TEST_REFERENCE_MODELS)
    assert "20% test" in STATEMENTS["kernels"]


def test_leak_report_finds_what_is_on_both_sides():
    table = table_of(["r1", "r1", "r2"], ["c1", "c2", "c2"], input_h=[10, 20, 30])
    report = leak_report(table, "kernels", ["train", "test", "train"])
    assert (report.n_train, report.n_test) == (2, 1)
    assert report.shared_record_ids == ("r1",)
    assert report.shared_groups == ("c2",)


@pytest.mark.parametrize(("train", "test", "n_near"), [(100, 110, 1), (100, 112, 0), (110, 100, 1), (9, 10, 1)])
def test_near_duplicates_differ_in_one_extent_by_a_tenth(train, test, n_near):
    table = table_of(["r1", "r2"], ["c1", "c2"], cin=[train, test])
    assert leak_report(table, "kernels", ["train", "test"]).near_duplicates == n_near
    both_train = leak_report(table, "kernels", ["train", "train"])
    assert both_train.near_duplicates == 0


def test_configurations_that_differ_in_two_extents_are_not_near():
    table = table_of(["r1", "r2"], ["c1", "c2"], cin=[100, 101], input_h=[100, 101])
    assert leak_report(table, "kernels", ["train", "test"]).near_duplicates == 0


def test_held_out_families_are_spelt_as_validation_settles_them():
    assert set(FAMILIES) >= TEST_FAMILIES


def sides_by(table, level, column):
    sides = {}
    for value, side in zip(table.column(column).to_pylist(), assign_splits(table, level), strict=True):
        sides.setdefault(value, set()).add(side)
    return sides


@pytest.mark.parametrize("level", ["kernels", "models"])
def test_another_device_moves_no_old_row(level):
    devices = ["acme-npu", "beta-npu", "gamma-npu"]
    campaigns = [simulated_campaign(device, level, n_rows=40) for device in devices]
    before = sides_by(assemble(campaigns[:1]).levels[level], level, "record_id")
    after = sides_by(assemble(campaigns).levels[level], level, "record_id")
    assert len(before) == 40
    assert len(after) == 120
    assert {record: after[record] for record in before} == before


def test_no_configuration_is_on_both_sides_whatever_the_device():
    table = assemble([simulated_campaign("acme-npu"), simulated_campaign("beta-npu"), kernel_campaign()]).levels[
        "kernels"
    ]
    sides = sides_by(table, "kernels", "configuration_id")
    assert table.num_rows == 3 * len(sides) == 60
    assert {len(seen) for seen in sides.values()} == {1}
    assert set().union(*sides.values()) == {"train", "test"}


def test_test_families_are_absent_from_train():
    table = assemble([simulated_campaign(level="models", n_rows=40), board_campaign()]).levels["models"]
    families = {"train": set(), "test": set()}
    for family, side in zip(table.column("family").to_pylist(), assign_splits(table, "models"), strict=True):
        families[side].add(family)
    assert families["test"] == {"GoogLeNet", "ShuffleNetV2", "DS-CNN"} == TEST_FAMILIES
    assert families["train"] == {"ResNet18", "MobileNetV1", "ResNet8", "Autoencoder"}


def reports(*campaigns):
    release = assemble(campaigns)
    return {
        level: leak_report(release.levels[level], level, assign_splits(release.levels[level], level),
                           release.levels["models"])
        for level in LEVELS
    }  # fmt: skip


def test_configurations_in_networks_of_both_sides_are_counted():
    report = reports(board_campaign())["models"]
    # The keyword spotter, in test, has three kernels; the image classifier, in train, two of them; softmax has no type.
    assert (report.n_network_configurations, report.shared_configurations) == (3, 2)
    assert report.shared_share == pytest.approx(2 / 3)


def test_training_configurations_in_networks_of_test_families_are_counted():
    names = ("kernel", "input_h", "input_w", "cin", "cout", "kernel_h", "kernel_w", "stride_h", "stride_w")
    entries = [CONV, DWCONV, FC, *({**CONV, "cout": 20 + n} for n in range(40))]
    rows = [
        {"delegate": "CPU1", "dtype": "fp32", "is_idle_subtracted": False, "energy_mj": 1.0}
        | {name: entry[name] for name in names if name in entry}
        | ({"cout": 16} if entry is DWCONV else {})
        for entry in entries[:-1]
    ]
    kernels = campaign("kernels", rows, "acme-phone")
    networks = {"mlperf-tiny-kws": network("mlperf-tiny-kws", *entries), "mlperf-tiny-ic": network("mlperf-tiny-ic")}
    release = assemble([kernels, board_campaign(networks=networks)])
    sides = assign_splits(release.levels["kernels"], "kernels")
    report = reports(kernels, board_campaign(networks=networks))["kernels"]
    assert report.n_network_configurations == len(entries)
    assert report.shared_configurations == sides.count("train") < len(rows)
    # Without networks there is nothing to share.
    assert reports(kernels)["kernels"].shared_configurations == 0


def test_kernels_of_a_network_have_the_configuration_ids_of_the_same_kernel_rows():
    row = {"delegate": "CPU1", "dtype": "fp32", "is_idle_subtracted": False, "energy_mj": 1.0}
    row |= {"kernel": "fc", "cin": FC["cin"], "cout": FC["cout"]}
    release = assemble(
        [
            campaign("kernels", [row], "acme-phone"),
            board_campaign(networks={"mlperf-tiny-ic": network("mlperf-tiny-ic", FC)}),
        ]
    )
    assert configurations_in(release.levels["models"]) == set(
        release.levels["kernels"].column("configuration_id").to_pylist()
    )


def test_share_of_nothing_is_zero():
    assert LeakReport(0, 0, (), (), 0).shared_share == 0
