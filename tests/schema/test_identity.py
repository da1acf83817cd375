import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.releases import assemble
from harness.schema.identity import canonical_configurations, configuration_ids, content_id, record_ids
from harness.schema.records import KEYS, ROWS, SHARED_KEY
from harness.schema.vocabulary import LEVELS
from tests.campaigns import campaign, kernel_campaign, row_table
from tests.strategies import row_tables

FEW = settings(max_examples=20)


@pytest.mark.parametrize("level", LEVELS)
def test_record_ids_depend_on_the_key_and_on_nothing_else(level):
    key = {*KEYS[level], *SHARED_KEY, "source_id"}

    @FEW
    @given(row_tables(level), st.randoms(use_true_random=False))
    def check(table, rng):
        ids = record_ids(table, level, "acme/2026")
        assert len(set(ids)) == table.num_rows
        names = list(table.column_names)
        rng.shuffle(names)
        assert record_ids(table.select(names), level, "acme/2026") == ids
        for name in names:
            if name not in key:
                without = table.drop_columns([name])
                assert record_ids(without, level, "acme/2026") == ids
        assert not set(record_ids(table, level, "acme/2027")) & set(ids)

    check()


@pytest.mark.parametrize("level", LEVELS)
def test_record_ids_change_with_every_field_of_the_key(level):
    @FEW
    @given(row_tables(level, max_rows=1))
    def check(table):
        ids = record_ids(table, level, "acme/2026")
        for name in (*KEYS[level], *SHARED_KEY, "source_id"):
            if table.column(name).null_count == 0:
                nulled = table.set_column(table.column_names.index(name), name, [[None]])
                assert record_ids(nulled, level, "acme/2026") != ids

    check()


def test_ids_of_absolute_and_idle_subtracted_energies_are_those_that_were_published():
    row = {"kernel": "relu", "input_h": 28, "input_w": 28, "cin": 64, "delegate": "CPU1", "dtype": "fp32"}
    kinds = ("absolute", "idle-subtracted", "dynamic-only")
    table = row_table("kernels", [row | {"energy_mj": 0.5, "energy_kind": kind} for kind in kinds])
    absolute, subtracted, dynamic = record_ids(table, "kernels", "acme-phone/2026-10")
    assert (absolute, subtracted) == ("49588ae9684de527e1c7", "1fa7ab78c9a7910e8c24")
    assert dynamic not in (absolute, subtracted)


def test_configuration_ids_are_the_same_for_every_device_delegate_and_data_type():
    rows = kernel_campaign().tables["kernels"].to_pylist()
    others = [row | {"delegate": "GPU", "dtype": "int8", "energy_mj": 9.0, "source_id": "x"} for row in rows]
    release = assemble([kernel_campaign(), campaign("kernels", others, "other-phone")])
    table = release.levels["kernels"]
    per_device = {}
    for device, configuration in zip(
        table.column("device_id").to_pylist(), table.column("configuration_id").to_pylist(), strict=True
    ):
        per_device.setdefault(device, set()).add(configuration)
    assert per_device["acme-phone"] == per_device["other-phone"]
    assert len(per_device["acme-phone"]) == len(rows)


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5) | st.booleans(), max_size=6)
)
def test_content_ids_do_not_depend_on_order_or_absent_values(content):
    items = list(content.items())
    random.Random(0).shuffle(items)
    assert content_id(dict(items)) == content_id(content)
    assert content_id({key: value for key, value in items if value is not None}) == content_id(content)
    assert len(content_id(content)) == 20


def test_content_ids_of_known_content_never_change():
    assert content_id({}) == "44136fa355b3678a1146"
    assert content_id({"kernel": "relu", "cin": 16}) == "ff991ca9eb9cabd85f0b"


def test_configuration_ids_ignore_every_other_column():
    table = kernel_campaign().tables["kernels"]
    assert configuration_ids(table) == configuration_ids(table.select(list(KEYS["kernels"])))
    assert set(KEYS["kernels"]) <= set(ROWS["kernels"].model_fields)


def test_content_ids_of_text_beyond_ascii_never_change():
    assert content_id({"name": "Zürich"}) == "e3238b463b30fddbacf3"


PLANE = {"input_h": 56, "input_w": 56, "cin": 64, "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1}
CONV, DWCONV = ({"kernel": f"{name}-bn-relu", **PLANE} for name in ("conv", "dwconv"))
FORMS = {
    "depthwise": [DWCONV, DWCONV | {"cout": 64}, CONV | {"cout": 64, "groups": 64}, DWCONV | {"dilation_h": 1}],
    "depthwise with a multiplier": [DWCONV | {"cout": 128}, CONV | {"cout": 128, "groups": 64}],
    "one group": [CONV | {"cout": 64}, CONV | {"cout": 64, "groups": 1}, CONV | {"cout": 64, "dilation_w": 1}],
    "two groups": [CONV | {"cout": 64, "groups": 2}, CONV | {"cout": 64, "groups": 2, "dilation_h": 1}],
    "dilation": [CONV | {"cout": 64, "dilation_h": 2}, CONV | {"cout": 64, "dilation_h": 2, "dilation_w": 1}],
    "one direction": [{"kernel": "lstm", "rows": 8, "cin": 4, "cout": 4, "directions": n} for n in (None, 1)],
    "one product of activations": [{"kernel": "matmul", "rows": 8, "cin": 4, "cout": 4, "batch": 1}],
    "a product with weights": [{"kernel": "matmul", "rows": 8, "cin": 4, "cout": 4}],
    "one channel": [CONV | {"cin": 1, "cout": 1}],
}


def kernels_of(rows):
    settings_of = {"delegate": "CPU1", "dtype": "fp32", "energy_kind": "absolute", "energy_mj": 1.0}
    return row_table("kernels", [settings_of | row for row in rows])


def test_one_kernel_has_one_configuration_id_and_different_kernels_have_different_ones():
    ids = {name: set(configuration_ids(kernels_of(forms))) for name, forms in FORMS.items()}
    assert {name: len(found) for name, found in ids.items()} == dict.fromkeys(FORMS, 1)
    assert len(set().union(*ids.values())) == len(FORMS)


def test_the_form_without_what_may_be_left_out_is_the_one_that_published_ids_are_of():
    for forms in FORMS.values():
        plain = {name: value for name, value in forms[0].items() if value is not None}
        assert configuration_ids(kernels_of(forms)) == [content_id(plain)] * len(forms)


@FEW
@given(row_tables("kernels"))
def test_canonical_configurations_change_only_the_form_of_a_configuration(table):
    once = canonical_configurations(table)
    assert canonical_configurations(once).equals(once)
    others = [name for name in table.column_names if name not in KEYS["kernels"]]
    assert once.select(others).equals(table.select(others))
    assert once.column_names == table.column_names
