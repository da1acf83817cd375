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
    assign_splits,
    leak_report,
    split_of,
)
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign
from tests.strategies import row_tables

FEW = settings(deadline=None, derandomize=True, max_examples=20)


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
