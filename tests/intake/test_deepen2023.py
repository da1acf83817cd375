import copy
import json
from collections import Counter

import pytest

from harness.errors import UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.intake.stated import StatedFacts
from harness.validation import validate
from tests.intake.sources import CONV, RUN, SOUND, deepen2023, quarantine


def taken(tmp_path, kernels=SOUND, **options):
    source = deepen2023(tmp_path / "source", kernels)
    return take_in("deepen2023", source, "acme-phone", "deepen2023", out=tmp_path / "out", **{"stated": RUN} | options)


def with_entry(kernel, identifier, **changed):
    kernels = copy.deepcopy(SOUND)
    kernels[kernel][identifier] = {k: v for k, v in (kernels[kernel].get(identifier, {}) | changed).items() if v != ""}
    return kernels


def test_sound_source_becomes_a_campaign_that_validates(tmp_path):
    result = taken(tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (5, 5, 0)
    validated = validate([tmp_path / "out"])
    assert not validated.report.issues
    rows = validated.campaigns[0].tables["kernels"].to_pylist()
    assert Counter(row["kernel"] for row in rows) == {kernel: len(entries) for kernel, entries in SOUND.items()}
    assert {path.name for path in result.files} == {"device.yaml", "submission.yaml", "kernels.csv"}


def test_configuration_keys_become_columns_and_zero_channels_are_absent(tmp_path):
    result = taken(tmp_path)
    assert (result.folder / "kernels.csv").read_text().splitlines() == [
        "kernel,input_h,input_w,cin,cout,kernel_h,kernel_w,stride_h,stride_w,cin2,"
        "delegate,dtype,energy_kind,energy_mj,latency_ms,power_mw,source_id",
        "concat,14,14,4,,,,,,5,CPU,fp32,absolute,0.503,0.2515,2000.0,BBBBB1",
        "conv-bn-relu,28,28,8,16,3,3,2,2,,CPU,fp32,absolute,2.412,1.206,2000.0,AAAAA1",
        "conv-bn-relu,56,56,8,16,3,3,2,2,,CPU,fp32,absolute,3.618,1.809,2000.0,AAAAA2",
        "fc,,,256,64,,,,,,CPU,fp32,absolute,1.002,0.501,2000.0,DDDDD1",
        "maxpool,56,56,8,,2,2,2,2,,CPU,fp32,absolute,0.701,0.3505,2000.0,CCCCC1",
    ]


def test_keys_that_a_kernel_does_not_have_are_kept_in_quarantine(tmp_path):
    taken(tmp_path, with_entry("maxpool", "CCCCC1", power="900000"))
    (row,) = quarantine(tmp_path / "out" / "acme-phone" / "deepen2023")
    assert row["source_id"] == "CCCCC1"
    assert row["printed.POOL_STRIDES"] == "2"


def test_side_folders_may_be_absent(tmp_path):
    kernels = {"fc": {"DDDDD1": {"energy": 1.25}}}
    result = taken(tmp_path, kernels)
    assert (result.n_read, result.n_accepted, result.folder) == (1, 0, None)
    assert [path.name for path in result.files] == ["quarantine.csv"]
    assert result.quarantined[0].rules == ["configuration-missing"]


def test_every_reason_of_a_row_is_listed(tmp_path):
    kernels = with_entry("conv-bn-relu", "AAAAA3", energy="37.152", latency="0.019", power="1996.13")
    kernels["conv-bn-relu"]["AAAAA4"] = {"energy": "0.689", "latency": "0.000", "power": "1684.09"}
    result = taken(tmp_path, kernels)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (7, 5, 2)
    assert result.reasons == {"configuration-missing": 2, "unit-slip": 1, "latency-positive": 1}
    missing = (
        "input_h = nothing, as for input_w, cin, cout, kernel_h, kernel_w, stride_h, stride_w; expected input_h, "
        "input_w, cin, cout, kernel_h, kernel_w, stride_h, stride_w for conv-bn-relu. Fill in the configuration; "
        "a row without it is of no use to anyone. [configuration-missing]"
    )
    rows = {row["source_id"]: row for row in quarantine(result.folder)}
    assert rows["AAAAA3"]["rules"] == "unit-slip;configuration-missing"
    assert rows["AAAAA3"]["reasons"] == (
        "latency_ms = 0.019, a ratio of 979.6 between energy_mj and power_mw x latency_ms / 1000; expected a ratio of "
        "1. The value looks like seconds: multiply by 1000 if so; or energy_mj like microjoules: divide by 1000 then. "
        f"Find the unit in the raw file. [unit-slip] | {missing}"
    )
    assert rows["AAAAA4"]["rules"] == "latency-positive;configuration-missing"
    assert rows["AAAAA4"]["reasons"] == (
        "latency_ms = 0.000; expected > 0 and <= 100000000 ms. Give the latency in milliseconds with enough digits, "
        f"or leave it empty. [latency-positive] | {missing}"
    )
    assert (rows["AAAAA4"]["energy_mj"], rows["AAAAA4"]["latency_ms"]) == ("0.689", "0.000")


def test_slip_of_every_row_is_told_per_row(tmp_path):
    kernels = copy.deepcopy(SOUND)
    for entries in kernels.values():
        for entry in entries.values():
            entry["latency"] = str(float(entry["latency"]) / 1000)
    result = taken(tmp_path, kernels)
    assert [row.rules for row in result.quarantined] == [["unit-slip"]] * 5


def test_fix_corrects_slips_and_records_errata(tmp_path):
    kernels = with_entry("conv-bn-relu", "AAAAA1", latency="0.001206")
    kernels["conv-bn-relu"]["AAAAA3"] = {"energy": "37.152", "latency": "0.019", "power": "1996.13"}
    result = taken(tmp_path, kernels, fixes=["unit-slip", "unit-slip"])
    assert (result.n_accepted, result.n_quarantined, result.n_corrected) == (5, 1, 1)
    (campaign,) = validate([tmp_path / "out"]).campaigns
    (erratum,) = campaign.manifest.errata
    assert erratum.model_dump() == {
        "field": "latency_ms",
        "where": {"kernel": "conv-bn-relu", "source_id": "AAAAA1"},
        "printed": 0.001206,
        "used": 1.206,
        "why": "0.001206 looks like seconds (or energy_mj like microjoules): multiply by 1000, so that energy_mj 2.412 "
        "is power_mw 2000.0 x latency_ms 1.206 / 1000 within rounding.",
    }
    (row,) = quarantine(result.folder)
    assert row["latency_ms"] == "0.019"
    assert row["rules"] == "unit-slip;configuration-missing"
    assert row["reasons"].endswith(
        "The fix that was asked for would change latency_ms 0.019 to 19, which does not make the row usable."
    )


def test_fix_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError) as refused:
        taken(tmp_path, fixes=["unit-slp"])
    assert str(refused.value) == "'unit-slp' is not a known fix; did you mean unit-slip? Known: unit-slip"


def test_row_of_a_side_table_without_energy_is_a_row_that_cannot_be_used(tmp_path):
    result = taken(tmp_path, with_entry("fc", "DDDDD2", latency="0.5", config={"CIN": 2, "COUT": 2}))
    assert (result.n_read, result.n_accepted) == (6, 5)
    (row,) = quarantine(result.folder)
    assert (row["source_id"], row["rules"], row["energy_mj"]) == ("DDDDD2", "value-missing", "")


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"energy": float("nan")}, ["number-finite"]),
        ({"energy": "1,5"}, ["number-format"]),
        ({"energy": None}, ["foreign-file", "value-missing"]),
        ({"energy": True}, ["number-format"]),
        ({"energy": [1, 2]}, ["number-format"]),
        ({"energy": -1}, ["energy-positive"]),
        ({"energy": 10**400}, ["number-finite"]),
        ({"latency": "fast"}, ["number-format"]),
        ({"config": 3}, ["configuration-missing"]),
        ({"config": None}, ["foreign-file", "configuration-missing"]),
        ({"config": {"CIN": "256.5", "COUT": 64}}, ["number-format"]),
    ],
)
def test_value_of_a_wrong_type_is_a_reason(tmp_path, changed, rules):
    result = taken(tmp_path, with_entry("fc", "DDDDD1", **changed))
    assert (result.n_accepted, [set(row.rules) for row in result.quarantined]) == (4, [set(rules)])


def test_identifier_that_stands_twice_is_two_rows(tmp_path):
    source = deepen2023(tmp_path / "source")
    path = source / "Kernel_energy" / "fc_energy.json"
    path.write_text('{"fc": {"DDDDD1": {"energy": "1.002"}, "DDDDD1": {"energy": "9.000"}}}')
    result = take_in("deepen2023", source, "acme-phone", "deepen2023", out=tmp_path / "out", stated=RUN)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (6, 4, 2)
    assert [row.row.source_id for row in result.quarantined] == ["DDDDD1", "DDDDD1"]
    assert all("record-duplicate" in row.rules for row in result.quarantined)


def test_repeats_apart_are_kept_and_reported(tmp_path):
    result = taken(tmp_path, with_entry("conv-bn-relu", "AAAAA9", energy="4.020", config=CONV))
    assert result.n_quarantined == 0
    (issue,) = [issue for issue in result.report.issues if issue.rule == "repeat-spread"]
    assert issue.message == (
        "energy_mj = 4.020, 50.0% spread with line 3; expected repeats within 10%. Keep all of them, and state under "
        "conditions or notes what changed between the runs, where it is known. [repeat-spread]"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"fc": ',
            "Kernel_energy/fc_energy.json:1: expecting value in column 8; expected JSON. Download the file again; "
            "DeepEn2023 has {kernel: {id: {...}}} in each. [foreign-file]",
        ),
        (
            b"[]",
            "Kernel_energy/fc_energy.json: a list of 0; expected an object of kernels. Download the file again; "
            "DeepEn2023 has {kernel: {id: {...}}} in each. [foreign-file]",
        ),
        (
            b'{"fc": 3}',
            "Kernel_energy/fc_energy.json: 3; expected an object of ids under fc. Download the file again; "
            "DeepEn2023 has {kernel: {id: {...}}} in each. [foreign-file]",
        ),
        (
            b"[" * 100_000,
            "Kernel_energy/fc_energy.json: brackets nested beyond reading; expected JSON. Download the file again; "
            "DeepEn2023 has {kernel: {id: {...}}} in each. [foreign-file]",
        ),
        (
            b"\xff",
            "Kernel_energy/fc_energy.json:1: byte 0xff; expected UTF-8. Save the file as UTF-8 (in a spreadsheet: "
            "CSV UTF-8). [text-encoding]",
        ),
    ],
)
def test_file_that_cannot_be_read_stops_the_intake(tmp_path, content, message):
    source = deepen2023(tmp_path / "source")
    (source / "Kernel_energy" / "fc_energy.json").write_bytes(content)
    with pytest.raises(ForeignSourceError) as refused:
        take_in("deepen2023", source, "acme-phone", "deepen2023", out=tmp_path / "out", stated=RUN)
    assert str(refused.value) == f"{message}\n0 rows, 1 error, 0 warnings"
    assert not (tmp_path / "out").exists()


def test_folder_without_energies_is_refused(tmp_path):
    (tmp_path / "source").mkdir()
    with pytest.raises(UsageError) as refused:
        take_in("deepen2023", tmp_path / "source", "acme-phone", "deepen2023", out=tmp_path)
    assert str(refused.value) == f"{tmp_path}/source holds no folder Kernel_energy; name the folder that has it"


def test_order_of_the_files_does_not_matter(tmp_path):
    backwards = {kernel: dict(reversed(entries.items())) for kernel, entries in reversed(SOUND.items())}
    one = taken(tmp_path / "one").folder
    other = taken(tmp_path / "other", json.loads(json.dumps(backwards))).folder
    assert (one / "kernels.csv").read_bytes() == (other / "kernels.csv").read_bytes()


def test_slip_is_seen_through_the_rounding_of_the_printed_figure(tmp_path):
    kernels = with_entry("fc", "DDDDD1", energy="1.117", latency="0.001", power="1723.08")
    kernels["fc"]["DDDDD2"] = {"energy": "149.62", "latency": "0.104", "power": "497.97"} | {
        "config": {"CIN": 25_088, "COUT": 4096}
    }
    result = taken(tmp_path, kernels)
    assert {row.row.source_id: row.rules for row in result.quarantined} == {
        "DDDDD1": ["unit-slip"],
        "DDDDD2": ["energy-power-latency", "unit-slip"],
    }


@pytest.mark.parametrize("identifier", ["a\rb", "a\nb", 'a"b', "a,b", "\ud800", "\x00", "<b>", "x" * 201, "x" * 20_000])
def test_strange_identifier_harms_its_own_row_only(tmp_path, identifier):
    kernels = with_entry("fc", identifier, energy="1.002", config={"CIN": 300, "COUT": 64})
    result = taken(tmp_path, kernels)
    is_plain = identifier in ('a"b', "a,b", "\ud800")
    assert (result.n_read, result.n_accepted) == (6, 6 if is_plain else 5)
    assert {rule for row in result.quarantined for rule in row.rules} <= {"text-plain", "line-length"}
    assert len(quarantine(result.folder) if result.n_quarantined else [0]) == 1


def written(result):
    """Device, submission and rows as they were written."""
    (campaign,) = validate([result.folder]).campaigns
    return campaign.device, campaign.manifest, campaign.tables["kernels"].to_pylist()


@pytest.mark.parametrize(
    ("delegate", "processor"), [("GPU", "gpu"), ("CPU4", "cpu"), ("NNAPI=npu", "npu"), ("Hexagon=dsp", "dsp")]
)
def test_what_ran_is_as_it_is_stated(tmp_path, delegate, processor):
    stated = StatedFacts(delegate=delegate, dtype="int8", runtime="LiteRT 2.0", date="2026-11", licence="CC-BY-4.0")
    device, manifest, rows = written(taken(tmp_path, stated=stated))
    name = delegate.partition("=")[0]
    assert device.delegates == {name: processor}
    assert {(row["delegate"], row["dtype"]) for row in rows} == {(name, "int8")}
    assert (manifest.runtime, manifest.date, manifest.licence) == ("LiteRT 2.0", "2026-11", "CC-BY-4.0")
    assert device.device_class == "unstated"


def test_folder_measured_on_a_gpu_comes_in_as_gpu_for_a_device_without_a_cpu(tmp_path):
    declared = tmp_path / "out/acme-phone/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: phone\ndelegates: {GPU: gpu}\n")
    before = declared.read_bytes()
    result = taken(tmp_path, stated=StatedFacts(delegate="GPU", dtype="fp32", runtime="TensorFlow Lite"))
    assert (result.n_accepted, result.n_quarantined) == (5, 0)
    assert {row["delegate"] for row in written(result)[2]} == {"GPU"}
    assert declared.read_bytes() == before


@pytest.mark.parametrize("missing", ["delegate", "dtype", "runtime"])
def test_what_nobody_states_is_asked_for_by_its_option_and_never_assumed(tmp_path, missing):
    known = {"delegate": "GPU", "dtype": "fp32", "runtime": "TensorFlow Lite"}
    stated = StatedFacts(**{name: value for name, value in known.items() if name != missing})
    with pytest.raises(UsageError) as refused:
        taken(tmp_path, stated=stated)
    options = {f"--{name}" for name in known if f"--{name}" in str(refused.value)}
    assert options == {f"--{missing}"}
    assert not (tmp_path / "out").exists()


def test_all_that_is_missing_is_asked_for_at_once(tmp_path):
    with pytest.raises(UsageError) as refused:
        taken(tmp_path, stated=StatedFacts())
    assert str(refused.value) == (
        "files of DeepEn2023 do not state what was run; give --delegate NAME, such as CPU4, GPU or NNAPI=npu, and "
        "--dtype, such as fp32, and --runtime NAME, such as 'TensorFlow Lite 2.4'"
    )


@pytest.mark.parametrize(
    ("delegate", "message"),
    [
        ("NNAPI", "delegate 'NNAPI' does not state its processor; write NNAPI=PROCESSOR"),
        ("GPU=npu", "device.yaml declares that GPU runs on the gpu, and it is stated to have run on the npu"),
        ("CPU4", "device.yaml declares GPU, and not CPU4, which is stated to have run; add `CPU4: cpu`"),
    ],
)
def test_delegate_that_does_not_fit_the_device_is_refused(tmp_path, delegate, message):
    declared = tmp_path / "out/acme-phone/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: phone\ndelegates: {GPU: gpu}\n")
    with pytest.raises(UsageError) as refused:
        taken(tmp_path, stated=StatedFacts(delegate=delegate, dtype="fp32", runtime="TensorFlow Lite"))
    assert str(refused.value).startswith(message)
