import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.leaks import leak_report
from harness.releases import assemble
from harness.schema.network_names import NAMES, settled_name
from harness.schema.vocabulary import LEVELS
from harness.split_statements import STATEMENTS, earlier_splits
from harness.splits import (
    CURRENT,
    GROUPS,
    HELD_OUT,
    HELD_OUT_BY_VERSION,
    TEST_FAMILIES,
    TEST_REFERENCE_MODELS,
    assign_splits,
    held_out_like,
    split_of,
)
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign, simulated_campaign
from tests.strategies import row_tables

FEW = settings(max_examples=20)


def release_table(level, *tables):
    return assemble(campaign(level, table, f"device-{n}") for n, table in enumerate(tables)).levels[level]


@pytest.mark.parametrize("level", LEVELS)
def test_split_keeps_one_group_on_one_side(level):
    @FEW
    @given(row_tables(level, ("CPU1",), max_rows=3), row_tables(level, ("CPU1",), max_rows=3))
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
    @given(row_tables(level, ("CPU1",), max_rows=3), row_tables(level, ("CPU1",), max_rows=3))
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
    # A name means its network at its level alone.
    assert split_of("models", "ESRGAN") == split_of("applications", "DS-CNN") == "train"


SPELLINGS = st.lists(st.sampled_from(["", "-", "_", " "]), min_size=30, max_size=30)


@pytest.mark.parametrize("level", ["models", "applications"])
def test_a_network_is_on_one_side_under_every_name(level):
    names = [(settled, name) for settled, others in NAMES[level].items() for name in (settled, *others)]

    @given(st.sampled_from(names), SPELLINGS, st.sampled_from([str.upper, str.lower, str.swapcase]))
    def check(pair, joints, of_letters):
        settled, name = pair
        spelt = of_letters("".join(letter + joint for letter, joint in zip(name, joints, strict=False)))
        assert settled_name(level, spelt) == settled
        assert split_of(level, spelt) == split_of(level, settled)

    check()


@pytest.mark.parametrize(
    ("level", "name"),
    [
        ("applications", "efficientnet"), ("applications", "EfficientNet-lite0"), ("applications", "ESRGAN-lite"),
        ("models", "Inception"), ("models", "InceptionV1"), ("models", "ShuffleNet"), ("models", "ShuffleNetV2x05"),
        ("models", "KWS"), ("models", "DSCNN"), ("models", "DS-CNN-L"), ("models", "InceptionV2"),
        ("models", "EfficientNet-Lite0"), ("models", "efficientnet lite 0"), ("models", "EfficientNetLite4-int8"),
        ("models", "MobileNetV3-Large"), ("models", "MobileNetV3 small minimalistic"),
        ("models", "mobilenet_v3_small"),
        ("models", "mobilenet-v3-large-minimalistic_224_1.0_uint8"), ("models", "MobileNet-Large-V3"),
        ("models", "tf_efficientnet_lite0"), ("models", "EfficientNet-B0-Lite"), ("models", "int8 EfficientNet (lite)"),
        ("models", "tfmobilenetv3large"), ("models", "mlperf-tiny-kws"), ("models", "timm/mobilenetv3_large_100"),
        ("models", "DeepLabv3-MobileNetV3"), ("models", "BN-Inception"), ("models", "1.0x ShuffleNet v2"),
        # These do not state which version they are.
        ("models", "MobileNet"), ("models", "mobilenet small minimalistic"),
    ],
)  # fmt: skip
def test_other_names_of_held_out_networks_and_names_that_begin_like_them_are_not_trained_on(level, name):
    assert split_of(level, name) == "test"


OWN_FAMILIES = ("InceptionV3", "Inception-ResNet-v2", "ShuffleNetV1", "EfficientNet", "EfficientNet-B0",
                "EfficientNetV2", "efficientnet_b0_tflite", "MobileNetV1", "MobileNetV2", "MobileNetV2-DeepLabv3",
                "MobileNetV4", "MnasNet", "CloudsCNN", "KWT", "ResNet50", "...")  # fmt: skip


@pytest.mark.parametrize("name", OWN_FAMILIES)
def test_families_of_their_own_are_trained_on(name):
    assert split_of("models", name) == "train"
    assert held_out_like("models", name) is None


LITE = st.builds(
    "{}{}{}".format,
    st.sampled_from(["EfficientNet", "EFFICIENTNET", "efficientnet", "Efficient-Net", "efficient net"]),
    st.sampled_from(["", "-", "_", " ", "-B0-", " ("]),
    st.builds("{}{}{}".format, st.sampled_from(["Lite", "lite", "LITE"]), st.sampled_from(["", "-", "_", " "]),
              st.sampled_from(["", *"01234", "0-int8", "4_uint8_224"])),
)  # fmt: skip
V3 = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["MobileNet", "mobilenet", "MOBILENET", "Mobile-Net", "mobile_net"]),
    st.sampled_from(["", "-", "_", " ", "-large-", "_small_"]),
    st.sampled_from(["v3", "V3", "v-3", "V 3"]),
    st.sampled_from(["", "-Large", "_small", " minimalistic", "L", "-0.75-224", "_large_100.in1k"]),
)
BEFORE = st.sampled_from(["", "tf_", "tf-", "timm/", "mlperf ", "int8-", "quantized"])


@given(BEFORE, st.one_of(LITE, V3))
def test_no_writing_of_a_measured_test_family_is_trained_on(before, name):
    assert split_of("models", before + name) == "test"
    assert split_of("models", before + name, version="2026.1") == "train"


OF_1 = ("AlexNet", "Autoencoder", "DS-CNN", "DenseNet", "GoogLeNet", "MobileNetV1", "MobileNetV2", "ProxylessNAS",
        "ResNet18", "ResNet8", "ShuffleNetV2", "SqueezeNet")  # fmt: skip


def test_the_sides_of_the_datasets_before_2_stay_available():
    # All families and reference networks of dataset version 1.4.0.
    of_test = [family for family in OF_1 if split_of("models", family, version="2026.1") == "test"]
    assert of_test == ["DS-CNN", "GoogLeNet", "ShuffleNetV2"]
    reference = (
        "MobileNetv2",
        "EfficientNet",
        "MobileNetv1",
        "Conv-Actions-Frozen",
        "MobileBERT",
        "ESRGAN",
        "DeepLabv3",
    )
    of_test = [name for name in reference if split_of("applications", name, version="2026.1") == "test"]
    assert of_test == ["EfficientNet", "ESRGAN"]
    ids = [f"{number:020x}" for number in range(200)]
    assert [split_of("kernels", each, "2026.1") for each in ids] == [split_of("kernels", each) for each in ids]


def test_rows_have_their_side_by_any_version():
    table = assemble([board_campaign()]).levels["models"]
    sides = {version: assign_splits(table, "models", version) for version in HELD_OUT_BY_VERSION}
    assert set(sides) == {"2026.1", CURRENT}
    # No measured family of the board changed its side.
    assert sides["2026.1"] == sides[CURRENT] == assign_splits(table, "models")


def test_a_version_that_there_is_not_is_refused():
    for level in LEVELS:
        with pytest.raises(
            UsageError, match=r"'2026\.3' is not a known version of the split; did you mean 2026\.[12]\?"
        ):
            split_of(level, "DS-CNN", "2026.3")


def test_another_version_never_holds_out_less():
    for level in LEVELS:
        assert HELD_OUT_BY_VERSION["2026.1"][level] <= HELD_OUT[level]


def test_both_sides_of_the_sample_campaigns_are_filled():
    release = assemble([kernel_campaign(), board_campaign(), phone_campaign("other-phone")])
    for level in LEVELS:
        assert set(assign_splits(release.levels[level], level)) == {"train", "test"}


def test_statements_name_what_is_held_out():
    assert all(family in STATEMENTS["models"] for family in TEST_FAMILIES)
    assert all(model in STATEMENTS["applications"] for model in TEST_REFERENCE_MODELS)
    assert "20% test" in STATEMENTS["kernels"]
    assert earlier_splits("applications") == ["Version 2026.1 has the same sides."]
    assert "test holds DS-CNN, GoogLeNet, ShuffleNetV2" in earlier_splits("models")[0]


def test_held_out_families_are_spelt_as_validation_settles_them():
    for held_out in HELD_OUT_BY_VERSION.values():
        assert all(set(NAMES[level]) >= names for level, names in held_out.items())


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
    assert families["test"] == {"GoogLeNet", "ShuffleNetV2", "DS-CNN"} <= TEST_FAMILIES
    assert families["train"] == {"ResNet18", "MobileNetV1", "ResNet8", "Autoencoder"}


def test_border_between_the_sides_is_at_a_fifth_of_the_hashes():
    # Their hashes are 0.199998 and 0.200004 of the whole range.
    assert (split_of("kernels", f"{0x12743:020x}"), split_of("kernels", f"{0x19F48:020x}")) == ("test", "train")
