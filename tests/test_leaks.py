import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.leaks import LeakReport, configurations_in, has_twin, leak_report
from harness.releases import assemble
from harness.schema.identity import canonical_configurations
from harness.schema.records import KEYS
from harness.schema.vocabulary import LEVELS
from harness.splits import assign_splits
from tests.campaigns import board_campaign, campaign
from tests.kernel_lists import CONV, DWCONV, FC, SOFTMAX, network


def table_of(record_ids, configurations, **extents):
    columns = {name: [None] * len(record_ids) for name in KEYS["kernels"]}
    columns |= {"record_id": record_ids, "configuration_id": configurations, "kernel": ["relu"] * len(record_ids)}
    table = pa.table(columns | extents)
    # A column of nothing but nulls has the type of an extent.
    whole = [field.with_type(pa.int64()) if pa.types.is_null(field.type) else field for field in table.schema]
    return table.cast(pa.schema(whole))


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
        {"delegate": "CPU1", "dtype": "fp32", "energy_kind": "absolute", "energy_mj": 1.0}
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
    row = {"delegate": "CPU1", "dtype": "fp32", "energy_kind": "absolute", "energy_mj": 1.0}
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


@pytest.mark.parametrize("extent", [name for name in KEYS["kernels"] if name != "kernel"])
def test_near_duplicates_may_differ_in_any_extent(extent):
    table = table_of(["r1", "r2"], ["c1", "c2"], **{extent: [100, 105]})
    assert leak_report(table, "kernels", ["train", "test"]).near_duplicates == 1


def test_a_network_in_families_of_both_sides_is_shared():
    rows = board_campaign(networks={}).tables["models"].to_pylist()
    twice = [row | {"model": "twin", "source_id": str(number)} for number, row in enumerate(rows[:2])]
    board = campaign("models", twice, "a", device={"delegates": {"CPU": "cpu"}})
    assert reports(board)["models"].shared_groups == ("twin",)


def test_networks_of_both_sides_with_one_kernel_list_are_shared_whatever_they_are_called():
    rows = board_campaign(networks={}).tables["models"].to_pylist()
    named = zip(rows[:2], ("kws-small", "spotter"), ("DS-CNN", "SpotterNet"), strict=True)
    two = [row | {"model": name, "family": family, "source_id": name} for row, name, family in named]
    device = {"delegates": {"CPU": "cpu"}}
    lists = {"kws-small": network("kws-small", CONV, FC), "spotter": network("spotter", CONV, FC)}
    assert reports(campaign("models", two, "a", device=device, networks=lists))["models"].shared_groups == (
        "kws-small = spotter",
    )
    lists["spotter"] = network("spotter", FC, CONV)
    assert reports(campaign("models", two, "a", device=device, networks=lists))["models"].shared_groups == ()


SQUARE = ("input", "kernel", "stride")


@pytest.mark.parametrize("side", SQUARE)
@pytest.mark.parametrize(("train", "test", "n_near"), [(100, 110, 1), (100, 112, 0), (7, 14, 0)])
def test_twins_are_one_extent_apart_by_whatever_amount_also_as_squares(side, train, test, n_near):
    extents = {f"{side}_h": [train, test], f"{side}_w": [train, test]}
    report = leak_report(table_of(["r1", "r2"], ["c1", "c2"], **extents), "kernels", ["train", "test"])
    assert (report.near_duplicates, report.twins, report.twin_share) == (n_near, 1, 1.0)


def test_heights_and_widths_that_are_no_squares_are_two_extents():
    table = table_of(["r1", "r2"], ["c1", "c2"], input_h=[10, 11], input_w=[20, 22])
    assert leak_report(table, "kernels", ["train", "test"]).twins == 0
    # A square beside what is none differs in its width alone.
    table = table_of(["r1", "r2"], ["c1", "c2"], input_h=[10, 10], input_w=[10, 22])
    assert leak_report(table, "kernels", ["train", "test"]).twins == 1


@given(st.lists(st.tuples(*[st.sampled_from([1, 7, 14, None])] * 4), min_size=2, max_size=12), st.data())
def test_twins_are_those_that_a_comparison_of_all_pairs_finds(rows, data):
    names = ("input_h", "input_w", "cin", "kernel_h")
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    ids = [str(number) for number in range(len(rows))]
    table = table_of(ids, ids, **columns)
    n_train = data.draw(st.integers(1, len(rows) - 1))
    fields = canonical_configurations(table).select(list(KEYS["kernels"])).to_pylist()

    def is_twin(one, other):
        differing = [name for name in one if one[name] != other[name]]
        is_numbers = all(None not in (one[name], other[name]) for name in differing)
        square = differing == ["input_h", "input_w"] and all(row["input_h"] == row["input_w"] for row in (one, other))
        return is_numbers and (len(differing) <= 1 or square)

    expected = [any(is_twin(row, other) for other in fields[:n_train]) for row in fields[n_train:]]
    assert has_twin(table.slice(0, n_train), table.slice(n_train)).tolist() == expected


def test_twins_count_rows_of_the_test_side_alone():
    table = table_of(["r1", "r2", "r3", "r4", "r5"], ["c1", "c2", "c2", "c3", "c4"], cin=[8, 16, 16, 24, None],
                     input_h=[7, 7, 7, 9, 9])  # fmt: skip
    report = leak_report(table, "kernels", ["train", "test", "test", "test", "test"])
    assert (report.n_test, report.twins, report.twin_share) == (4, 2, 0.5)
    assert leak_report(table, "kernels", ["train"] * 5).twins == 0


def two_networks(*lists, families=("DS-CNN", "SpotterNet")):
    rows = board_campaign(networks={}).tables["models"].to_pylist()
    named = zip(rows[:2], ("kws-small", "spotter"), families, strict=True)
    two = [row | {"model": name, "family": family, "source_id": name} for row, name, family in named]
    networks = {name: network(name, *kernels) for name, kernels in zip(("kws-small", "spotter"), lists, strict=True)}
    return reports(campaign("models", two, "a", device={"delegates": {"CPU": "cpu"}}, networks=networks))["models"]


def at(side, entries):
    return [{**entry, **{name: side for name in ("input_h", "input_w") if name in entry}} for entry in entries]


TEN = [{**CONV, "cout": 16 + n} for n in range(10)]
NEAR = ("kws-small (DS-CNN) ~ spotter (SpotterNet)",)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (TEN, NEAR),
        (TEN[::-1], NEAR),
        (at(64, TEN), NEAR),
        ([*TEN[:9], {**CONV, "cout": 999}], NEAR),
        ([*TEN[:8], {**CONV, "cout": 998}, {**CONV, "cout": 999}], ()),
        ([*TEN, FC, FC], NEAR),
        ([*TEN, FC, FC, FC], ()),
    ],
)
def test_nearly_the_same_kernels_under_two_families_are_found_whatever_order_and_input(other, found):
    of_test = at(32, TEN)
    report = two_networks(of_test, other)
    expected = tuple(" ~ ".join(reversed(pair.split(" ~ "))) for pair in found)
    assert report.near_networks == expected


def test_one_family_is_on_one_side_and_is_no_leak():
    assert two_networks(TEN, TEN, families=("DS-CNN", "DS-CNN")).near_networks == ()


def test_kernels_without_a_type_are_compared_by_their_operators():
    assert two_networks([SOFTMAX], [SOFTMAX]).shared_groups == ("kws-small = spotter",)
    assert two_networks([SOFTMAX], [{**SOFTMAX, "operator": "resize"}]).shared_groups == ()
