import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.releases import assemble
from harness.schema.columns import arrow_schema
from harness.schema.records import RECORDS
from harness.schema.vocabulary import LEVELS
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign
from tests.kernel_lists import CONV, DWCONV, FC, network
from tests.strategies import kernel_lists, row_tables

CAMPAIGNS = [kernel_campaign(), kernel_campaign("acme-tablet"), board_campaign(), phone_campaign("other-phone")]
FEW = settings(max_examples=15)


def as_one(release):
    return [*release.levels.values(), release.devices, release.submissions, release.errata]


def test_tables_do_not_depend_on_the_order_of_campaigns():
    shuffled = CAMPAIGNS.copy()
    random.Random(1).shuffle(shuffled)
    for one, other in zip(as_one(assemble(CAMPAIGNS)), as_one(assemble(shuffled)), strict=True):
        assert one.equals(other)


def test_rows_carry_the_provenance_of_their_campaign():
    release = assemble(CAMPAIGNS)
    row = release.levels["kernels"].to_pylist()[0]
    assert (row["device_id"], row["submission_id"]) == ("acme-phone", "acme-phone/kernels-2026")
    assert (row["method"], row["tier"], row["processor"]) == ("measured", "analyser", "cpu")
    delegates = {row["delegate"]: row["processor"] for row in release.levels["applications"].to_pylist()}
    assert delegates == {"CPU1": "cpu", "CPU4": "cpu", "GPU": "gpu"}


def repeated_campaign(*energies_mj):
    first = kernel_campaign(n_configurations=1).tables["kernels"].to_pylist()[0]
    rows = [first | {"energy_mj": energy, "source_id": f"K{n}"} for n, energy in enumerate(energies_mj)]
    rows.append(first | {"cin": 8, "source_id": "alone"})
    return campaign("kernels", rows, "acme-phone")


def test_repeatability_is_the_pooled_relative_deviation_of_repeats():
    submission = assemble([repeated_campaign(9.0, 11.0)]).submissions.to_pylist()[0]
    assert submission["repeatability_percent"] == pytest.approx(100 * 2**0.5 / 10)


def test_a_row_with_the_energy_of_its_repeat_is_a_pair_of_repeats():
    rows = board_campaign().tables["models"].to_pylist()
    rows[0] |= {"energy_mj": 90.0, "repeat_energy_mj": 110.0}
    repeated = campaign("models", rows, "a", device={"delegates": {"CPU": "cpu"}})
    (submission,) = assemble([repeated]).submissions.to_pylist()
    assert submission["repeatability_percent"] == pytest.approx(100 * (20 / 2**0.5) / 100)


def test_repeatability_is_unknown_where_nothing_was_repeated():
    assert assemble([kernel_campaign()]).submissions.to_pylist()[0]["repeatability_percent"] is None


def test_boundary_and_rails_of_a_campaign_are_those_of_its_rows():
    facts = {"boundary": "sum-of-rails", "rails": ["VDD_GPU", "VDD_CPU"]}
    release = assemble([kernel_campaign(manifest=facts)])
    for table in (release.levels["kernels"], release.submissions):
        row = table.to_pylist()[0]
        assert {name: row[name] for name in facts} == facts


def test_every_level_has_the_schema_of_its_records_even_when_empty():
    for release in (assemble([]), assemble(CAMPAIGNS)):
        for level in LEVELS:
            assert release.levels[level].schema.equals(arrow_schema(RECORDS[level]), check_metadata=True)
    assert all(table.num_rows == 0 for table in as_one(assemble([])))


@pytest.mark.parametrize("level", LEVELS)
def test_every_record_is_one_that_pydantic_admits(level):
    @FEW
    @given(row_tables(level, ("CPU1", "GPU")), st.data())
    def check(table, data):
        networks = data.draw(kernel_lists(table)) if level == "models" else {}
        for record in assemble([campaign(level, table, "acme-phone", networks=networks)]).levels[level].to_pylist():
            RECORDS[level].model_validate(record)

    check()


def test_release_of_one_level_holds_only_what_its_rows_belong_to():
    release = assemble(CAMPAIGNS)
    boards = release.only_of("models")
    assert boards.devices.column("device_id").to_pylist() == ["ACME-M4.rev_2"]
    assert boards.submissions.column("submission_id").to_pylist() == ["ACME-M4.rev_2/models-2026"]
    assert boards.errata.num_rows == 0
    assert set(boards.levels) == {"models"}
    assert release.only_of("applications").errata.num_rows == release.errata.num_rows == 2


def test_errata_keep_what_was_printed():
    release = assemble(CAMPAIGNS)
    device = next(row for row in release.devices.to_pylist() if row["device_id"] == "other-phone")
    assert (device["tdp_w"], device["tdp_printed_w"]) == (5, 50)
    fields = [(row["field"], row["where"], row["printed"], row["used"]) for row in release.errata.to_pylist()]
    assert sorted(fields) == [("energy_mj", "dnn DNN7", 0.0125, 12.5), ("tdp_w", None, 50, 5)]


def test_derived_costs_are_there_and_positive():
    table = assemble([kernel_campaign()]).levels["kernels"]
    for name in ("flops", "params", "bytes_moved"):
        assert table.column(name).null_count == 0
    assert all(flops > 0 for flops in table.column("flops").to_pylist())


def test_defaults_are_filled_and_absent_stays_absent():
    table = assemble([phone_campaign()]).levels["applications"]
    assert set(table.column("batch_size").to_pylist()) == {1}
    assert table.column("latency_ms").null_count == table.num_rows
    assert table.schema.field("latency_ms").type == pa.float64()


def models_of(**facts):
    return {row["model"]: row for row in assemble([board_campaign(**facts)]).levels["models"].to_pylist()}


def test_models_carry_their_kernel_list_and_its_runtime():
    rows = models_of()
    listed = rows["mlperf-tiny-ic"]
    assert [kernel["operator"] for kernel in listed["kernels"]] == ["conv+bn+relu", "fc", "softmax"]
    assert listed["kernels"][0].items() >= CONV.items()
    assert listed["kernels"][0]["groups"] is None
    assert listed["kernel_runtime"] == "tflite-cpu"


def test_kernels_of_a_list_have_the_id_that_the_kernels_dataset_has_for_their_configuration():
    in_rows = {name: CONV[name] for name in ("kernel", "input_h", "input_w", "cin", "cout", "kernel_h", "kernel_w")}
    row = in_rows | {"stride_h": 1, "stride_w": 1, "delegate": "CPU1", "dtype": "fp32", "energy_mj": 1.0}
    rows = campaign("kernels", [row | {"energy_kind": "absolute"}], "acme-phone")
    dwconv = {name: value for name, value in DWCONV.items() if name != "cout"}
    networks = {"mlperf-tiny-kws": network("mlperf-tiny-kws", CONV, DWCONV, dwconv)}
    release = assemble([rows, board_campaign(networks=networks)])
    found = {row["model"]: row["kernels"] for row in release.levels["models"].to_pylist()}
    ids = [kernel["configuration_id"] for kernel in found["mlperf-tiny-kws"]]
    assert ids[0] == release.levels["kernels"].column("configuration_id")[0].as_py()
    assert ids[1] == ids[2] != ids[0]
    assert ids[3] is None


def test_shared_kernel_list_is_in_the_data_type_of_each_row_and_goes_after_the_own_one():
    rows = [row | {"dtype": dtype, "flops": None, "params": None}
            for row in board_campaign().tables["models"].to_pylist()[:1] for dtype in ("fp32", "int8")]  # fmt: skip
    model = rows[0]["model"]
    shared = network(model)
    facts = {"device": {"delegates": {"CPU": "cpu"}}, "shared": {model: shared}}
    table = assemble([campaign("models", rows, "a", **facts), campaign("models", rows, "b", **facts)]).levels["models"]
    for row in table.to_pylist():
        assert {kernel["dtype"] for kernel in row["kernels"]} == {row["dtype"]}
        moved = sum(kernel.bytes_moved for kernel in shared.kernels)
        assert sum(kernel["bytes_moved"] for kernel in row["kernels"]) == moved * (4 if row["dtype"] == "fp32" else 1)
        assert row["flops"] == sum(kernel.flops for kernel in shared.kernels)
        assert row["kernel_runtime"] == shared.runtime
    own = shared.model_copy(update={"runtime": "own", "kernels": shared.kernels[:1]})
    (first, second) = (
        assemble([campaign("models", rows, "a", networks={model: own}, **facts)]).levels["models"].to_pylist()
    )
    assert first["kernels"] == second["kernels"]
    assert (len(first["kernels"]), first["kernel_runtime"]) == (1, "own")


def test_model_without_a_kernel_list_has_none_and_no_costs():
    unlisted = models_of()["mlperf-tiny-ad"]
    assert [unlisted[name] for name in ("kernels", "kernel_runtime", "flops", "params")] == [None] * 4


def test_flops_and_params_come_from_the_kernel_list_only_where_the_row_leaves_them_empty():
    rows = board_campaign().tables["models"].to_pylist()
    rows[1]["flops"] = 55_700
    table = assemble([campaign("models", rows, "a", networks={row["model"]: network(row["model"]) for row in rows},
                               device={"delegates": {"CPU": "cpu"}})]).levels["models"]  # fmt: skip
    found = {row["model"]: (row["flops"], row["params"]) for row in table.to_pylist()}
    total = CONV["flops"] + FC["flops"] + 10
    params = CONV["params"] + FC["params"]
    assert found == {
        "mlperf-tiny-ad": (total, params),
        "mlperf-tiny-ic": (55_700, params),
        "mlperf-tiny-kws": (total, params),
    }


def test_errata_of_another_submission_of_the_same_device_are_left_out():
    release = assemble([kernel_campaign("one-phone"), phone_campaign("one-phone")])
    assert set(release.errata.column("device_id").to_pylist()) == {"one-phone"}
    assert release.only_of("kernels").errata.num_rows == 0
    assert release.only_of("applications").errata.column("field").to_pylist() == ["energy_mj"]


def test_design_power_without_an_erratum_of_its_own_was_printed_as_it_is():
    errata = [{"field": "frequency_mhz", "printed": 24, "used": 2400, "why": "Printed in other units."}]
    facts = {"frequency_mhz": 2400, "tdp_w": 5, "errata": errata}
    (device,) = assemble([phone_campaign(device=facts)]).devices.to_pylist()
    assert (device["tdp_w"], device["tdp_printed_w"]) == (5, 5)
