"""Every form of the schema comes from one declaration."""

from typing import Annotated, get_args

import numpy as np
import pyarrow as pa
import pytest
from pydantic import BaseModel, ValidationError, create_model

from harness.schema.columns import arrow_schema, columns_of, flat_columns
from harness.schema.cost import kernel_cost
from harness.schema.facts import Device, DeviceRecord, Erratum, ErratumRecord, Manifest, SubmissionRecord
from harness.schema.networks import PublishedKernel
from harness.schema.quantity import Display, Quantity
from harness.schema.records import KEYS, RECORDS, ROWS, SHARED_KEY, KernelRow, ModelRecord, require_complete
from harness.schema.systems import System
from harness.schema.vocabulary import (
    CONFIGURATION_FIELDS,
    DTYPE_SYNONYMS,
    DTYPES,
    EXTENTS,
    KERNEL_ALLOWS,
    KERNEL_REQUIRES,
    LEVELS,
    StoredDtype,
    plain_word,
    same_word,
    tier_of,
)
from harness.validation import RULES
from tests.campaigns import row_table

MODELS = [*ROWS.values(), *RECORDS.values(), PublishedKernel, DeviceRecord, SubmissionRecord, ErratumRecord]
DERIVED = "derived"
"""Rule of columns that nobody submits."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_quantity_breaks_a_rule_that_is_declared(model):
    for column in columns_of(model).values():
        for quantity in (column.quantity, column.element):
            assert quantity is None or quantity.rule in RULES or quantity.rule == DERIVED
            assert quantity is None or quantity.sentence.endswith(".")


@pytest.mark.parametrize("level", LEVELS)
def test_no_column_of_a_row_is_derived(level):
    assert DERIVED not in {column.quantity.rule for column in columns_of(ROWS[level]).values()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_arrow_fields_carry_description_and_unit(model):
    for field, column in zip(arrow_schema(model), columns_of(model).values(), strict=True):
        assert field.name == column.name
        assert field.metadata[b"description"].decode() == column.quantity.sentence
        assert field.metadata.get(b"unit", b"").decode() == column.quantity.unit
        assert field.nullable == (not column.is_required and column.default is None)


def test_fields_of_a_nested_record_carry_description_and_unit():
    entry = arrow_schema(RECORDS["models"]).field("kernels").type.value_type
    assert entry.equals(pa.struct(list(arrow_schema(PublishedKernel))), check_metadata=True)
    names = [name for name, _ in flat_columns(RECORDS["models"]) if name.startswith("kernels.")]
    assert names == [f"kernels.{field.name}" for field in entry]
    assert entry.field("flops").metadata[b"unit"] == b"FLOP"


def test_names_end_in_their_unit_and_one_name_has_one_unit():
    suffixes = {"mJ": "_mj", "ms": "_ms", "mW": "_mw", "mV": "_mv", "W": "_w", "MHz": "_mhz", "Hz": "_hz"}
    units = {}
    for model in MODELS:
        for column in columns_of(model).values():
            assert units.setdefault(column.name, column.quantity.unit) == column.quantity.unit
            assert column.name.endswith(suffixes.get(column.quantity.unit, ""))


def test_field_that_is_not_declared_as_a_quantity_is_a_programmer_fault():
    class Bare(BaseModel):
        value: float

    with pytest.raises(TypeError, match=r"Bare\.value is not declared as a quantity"):
        columns_of(Bare)


UNDECLARED = {
    "display": Quantity("", "Words.", "text-plain", "", group="result"),
    "group": Quantity("", "Words.", "text-plain", "", display=Display("Words")),
    "unknown group": Quantity("", "Words.", "text-plain", "", group="figure", display=Display("Words")),
}


@pytest.mark.parametrize("quantity", UNDECLARED.values(), ids=UNDECLARED)
def test_column_of_a_record_that_no_page_can_show_is_a_programmer_fault(quantity):
    record = create_model("Record", __base__=ModelRecord, words=(Annotated[str, quantity] | None, None))
    with pytest.raises(TypeError, match=r"Record\.words: declare its display, and its group as one of workload, "):
        require_complete(record)


def test_setting_by_which_no_release_sorts_is_a_programmer_fault():
    quantity = Quantity("", "Words.", "text-plain", "", group="setting", display=Display("Words"))
    record = create_model("Record", __base__=ModelRecord, words=(Annotated[str, quantity] | None, None))
    with pytest.raises(TypeError, match="Record: its settings are not those of SHARED_KEY"):
        require_complete(record)


def test_identity_of_a_measurement_is_its_workload_and_its_settings():
    for level in LEVELS:
        groups = {name: column.quantity.group for name, column in columns_of(ROWS[level]).items()}
        assert {*KEYS[level], *SHARED_KEY} == {name for name in groups if groups[name] in ("workload", "setting")}


def test_keys_are_columns_of_their_rows():
    for level in LEVELS:
        assert {*KEYS[level], *SHARED_KEY} <= set(columns_of(ROWS[level]))
    assert set(KEYS["kernels"]) == {"kernel", *CONFIGURATION_FIELDS}


def test_every_kernel_type_says_what_it_needs():
    assert set(KERNEL_REQUIRES) == set(columns_of(KernelRow)["kernel"].choices)
    for kernel, fields in KERNEL_REQUIRES.items():
        assert set(fields) | set(KERNEL_ALLOWS.get(kernel, ())) <= set(CONFIGURATION_FIELDS)


def test_expected_values_read_as_words():
    columns = columns_of(KernelRow)
    assert columns["energy_mj"].expected == "> 0 and <= 1000000000 mJ"
    assert columns["energy_kind"].expected == "one of absolute, idle-subtracted, dynamic-only"
    assert columns["dtype"].expected.startswith("one of fp32, fp16")
    assert columns["rounds"].expected == "rounds such as v1.2"
    assert Quantity("", "", "", "", max_length=5, form="x").expected == "x, at most 5 characters"


def cost_of(**configuration):
    row = {"delegate": "CPU1", "energy_kind": "absolute", "energy_mj": 1.0, "dtype": "fp32"} | configuration
    return [int(part[0]) for part in kernel_cost(row_table("kernels", [row]))]


WINDOW = {"kernel_h": 3, "kernel_w": 3, "stride_h": 2, "stride_w": 2}


@pytest.mark.parametrize(
    ("configuration", "flops", "params"),
    [
        ({"kernel": "fc", "cin": 10, "cout": 4}, 80, 44),
        ({"kernel": "relu", "input_h": 2, "input_w": 3, "cin": 4}, 24, 0),
        ({"kernel": "bn", "input_h": 2, "input_w": 3, "cin": 4}, 48, 8),
        ({"kernel": "concat", "input_h": 2, "input_w": 3, "cin": 4, "cin2": 5}, 0, 0),
        ({"kernel": "maxpool", "input_h": 5, "input_w": 5, "cin": 2, **WINDOW}, 162, 0),
        ({"kernel": "conv-bn-relu", "input_h": 5, "input_w": 5, "cin": 4, "cout": 6, **WINDOW}, 2 * 9 * 216, 222),
        (
            {"kernel": "conv-bn-relu", "input_h": 5, "input_w": 5, "cin": 4, "cout": 6, "groups": 2, **WINDOW},
            2 * 9 * 108,
            114,
        ),
        ({"kernel": "dwconv-bn-relu", "input_h": 5, "input_w": 5, "cin": 4, **WINDOW}, 2 * 9 * 36, 40),
        ({"kernel": "global-avgpool", "input_h": 2, "input_w": 3, "cin": 4}, 24, 0),
        ({"kernel": "se", "input_h": 2, "input_w": 3, "cin": 8}, 2 * 48 + 4 * 8 * 2, 2 * 8 * 2 + 10),
    ],
)
def test_cost_of_a_kernel_is_its_arithmetic(configuration, flops, params):
    assert cost_of(**configuration)[:2] == [flops, params]


def test_bytes_follow_the_data_type():
    configuration = {"kernel": "fc", "cin": 10, "cout": 4}
    assert cost_of(**configuration)[2] == 4 * (14 + 44)
    assert cost_of(**configuration, dtype="int8")[2] == 14 + 44
    assert cost_of(**configuration, dtype="int4")[2] == (14 + 44) // 2


def test_absurd_extents_cost_much_and_do_not_overflow():
    extents = dict.fromkeys(("input_h", "input_w", "cin", "cout", "kernel_h", "kernel_w"), 10**6)
    assert cost_of(kernel="conv-bn-relu", stride_h=1, stride_w=1, **extents) == [10**18] * 3


def test_every_kernel_type_has_a_cost():
    for kernel, fields in KERNEL_REQUIRES.items():
        flops, params, bytes_moved = cost_of(kernel=kernel, **dict.fromkeys(set(fields) & set(EXTENTS), 8))
        assert bytes_moved > 0
        assert np.all(np.array([flops, params]) >= 0)


def test_tiers_come_from_method_and_meter():
    assert tier_of("published", None) == "published"
    assert tier_of("estimated", "analyser") == "simulated"
    assert tier_of("measured", "rail") == "rail"
    assert tier_of("measured", "battery-gauge") == "counter"
    with pytest.raises(ValueError, match="a measured figure needs a meter kind"):
        tier_of("measured", None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_facts_are_finite(value):
    with pytest.raises(ValidationError, match="finite number"):
        Erratum(field="energy_mj", printed=value, used=1, why="x")


@pytest.mark.parametrize("text", ["a\u2028b", "a\u202eb", "a<b", "a\x00b", "a\x85b", "\ufeffa", "", "a\nb", "a" * 201])
def test_lines_break_no_page_and_turn_no_text(text):
    with pytest.raises(ValidationError):
        Device(name=text, device_class="phone", delegates={"CPU1": "cpu"})


@pytest.mark.parametrize("text", ["a\ufffe", "a\uffff", "a\ud800"])
def test_text_holds_only_characters_of_xml(text):
    """A chart is drawn as SVG, and its library ends the process at any other."""
    with pytest.raises(ValidationError):
        Device(name=text, device_class="phone", delegates={"CPU1": "cpu"})
    with pytest.raises(ValidationError):
        System(stack=text)


@pytest.mark.parametrize("text", ["Ünï 手机", "a & b (c) 'd' \"e\"", "50 % | x * y"])
def test_lines_hold_any_language(text):
    assert Device(name=text, device_class="phone", delegates={"CPU1": "cpu"}).name == text


def test_longer_texts_may_have_lines_but_no_markup():
    facts = {"schema_version": 1, "title": "t", "contributors": ["a"], "date": "2026", "method": "published"}
    facts |= {"runtime": "r", "licence": "CC0-1.0", "source": {"citation": "c"}}
    assert Manifest(**facts, notes="one\ntwo\tthree").notes
    for notes in ("<b>", "a\x0bb", "a\u2029b"):
        with pytest.raises(ValidationError):
            Manifest(**facts, notes=notes)


def test_one_group_is_left_empty_so_that_a_configuration_has_one_form():
    cost = {"flops": 2304, "params": 72, "bytes_moved": 2336}
    entry = {"operator": "conv", "kernel": "conv-bn-relu", "dtype": "fp32", **cost}
    assert PublishedKernel(**entry, groups=2).groups == 2
    with pytest.raises(ValidationError, match="groups"):
        PublishedKernel(**entry, groups=1)


def test_a_mean_over_the_plane_moves_its_input_and_one_number_a_channel():
    row = {"kernel": "global-avgpool", "input_h": 7, "input_w": 5, "cin": 3, "delegate": "CPU1", "dtype": "fp16"}
    cost = kernel_cost(row_table("kernels", [row | {"energy_kind": "absolute", "energy_mj": 1.0}]))
    assert [int(values[0]) for values in cost] == [7 * 5 * 3, 0, 2 * (7 * 5 * 3 + 3)]


def test_synonyms_are_of_data_types_and_none_of_them_itself():
    stored = get_args(StoredDtype)
    assert set(DTYPE_SYNONYMS.values()) <= set(stored)
    assert all(plain_word(name) == name for name in DTYPE_SYNONYMS)
    assert not set(DTYPE_SYNONYMS) & {plain_word(name) for name in stored}


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("FP32", "fp32"), ("float32", "fp32"), ("Float", "fp32"), ("f16", "fp16"), ("half", "fp16"),
        ("bfloat16", "bf16"), ("int8_t", "int8"), ("INT-8", "int8"), ("i4", "int4"),
        # Another meaning, or more than one: these are asked about by whoever wrote them.
        ("uint8", None), ("double", None), ("tf32", None), ("int", None), ("w8a8", None),
    ],
)  # fmt: skip
def test_a_data_type_by_another_well_known_name_is_recognised(word, same):
    assert same_word(word, DTYPES) == same
