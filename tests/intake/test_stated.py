"""Intakes of power traces with facts that the caller states, and what is left to fill in."""

import pytest
import yaml

from harness.errors import DeepenError, UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.intake.stated import StatedFacts
from harness.validation import validate
from tests.intake.run_folders import run_mapping
from tests.intake.sources import contents
from tests.walkthroughs import write_plain_run

PI = {
    "model": "mobilenet-v2", "family": "MobileNetV2", "dtype": "int8", "delegate": "CPU4", "runtime": "LiteRT 2.0",
    "licence": "CC-BY-4.0", "contributors": ("Edge Lab",), "meter": "INA219 breakout", "meter_kind": "rail",
    "meter_gain_percent": 1.0, "device_name": "Raspberry Pi 5", "device_class": "single-board-computer",
}  # fmt: skip
"""Every fact that a plain trace of a Raspberry Pi does not state."""


def taken(tmp_path, source=None, mapping=None, **stated):
    source = write_plain_run(tmp_path / "runs") if source is None else source
    return take_in("plain", source, "pi5", "bench", out=tmp_path / "out", mapping=mapping, stated=StatedFacts(**stated))


def written(result):
    return (
        yaml.safe_load((result.folder.parent / "device.yaml").read_text()),
        yaml.safe_load((result.folder / "submission.yaml").read_text()),
    )


def open_fields(result):
    return {f"{fact.file} {fact.field}" for fact in result.open_facts} - {"submission.yaml boundary"}


def test_plain_trace_with_every_fact_stated_is_a_submission_with_nothing_left_to_fill_in(tmp_path):
    result = taken(tmp_path, **PI)
    device, manifest = written(result)
    assert device == {
        "name": "Raspberry Pi 5", "device_class": "single-board-computer", "delegates": {"CPU4": "cpu"},
    }  # fmt: skip
    assert (manifest["date"], manifest["contributors"]) == ("2026-05-28", ["Edge Lab"])
    assert manifest["source"]["citation"] == "Edge Lab, 2026: own measurement."
    assert (manifest["meter"]["name"], manifest["meter"]["kind"]) == ("INA219 breakout", "rail")
    assert manifest["meter"]["accuracy"]["gain_percent"] == 1
    assert open_fields(result) == set()
    validated = validate([tmp_path / "out"])
    assert not validated.report.n_errors
    (row,) = validated.campaigns[0].tables["models"].to_pylist()
    assert (row["model"], row["family"], row["dtype"], row["delegate"]) == (
        "mobilenet-v2", "MobileNetV2", "int8", "CPU4",
    )  # fmt: skip
    assert row["energy_mj"] == pytest.approx(5.0 * 1100 * 0.6, rel=0.01)


def test_what_nobody_states_is_listed_and_stands_in_the_files_as_comments(tmp_path):
    result = taken(tmp_path, meter="INA219 breakout", meter_kind="rail")
    assert open_fields(result) == {
        "device.yaml name", "device.yaml device_class", "device.yaml delegates", "submission.yaml contributors",
        "submission.yaml runtime", "submission.yaml licence", "models.csv family", "models.csv dtype",
        "submission.yaml meter.accuracy",
    }  # fmt: skip
    lines = (result.folder.parent / "device.yaml").read_text().splitlines()
    assert lines[:3] == [
        "# To fill in, because no file of the source states it:",
        "#   name: Name as its maker or the benchmark writes it.",
        "#   device_class: What kind of device it is.",
    ]
    assert "#   runtime: Inference runtime with its version." in (result.folder / "submission.yaml").read_text()
    assert not validate([tmp_path / "out"]).report.n_errors


def test_running_again_with_the_facts_fills_them_in(tmp_path):
    source = write_plain_run(tmp_path / "runs")
    taken(tmp_path, source, meter="INA219 breakout", meter_kind="rail")
    result = taken(tmp_path, source, **PI)
    assert written(result)[0]["name"] == "Raspberry Pi 5"
    assert "#" not in (result.folder.parent / "device.yaml").read_text()
    before = contents(tmp_path / "out")
    taken(tmp_path, source, **PI)
    assert contents(tmp_path / "out") == before
    fresh = taken(tmp_path / "fresh", source, **PI)
    assert contents(fresh.folder.parent) == before_below(before, "pi5/")


def before_below(files, prefix):
    return {name.removeprefix(prefix): data for name, data in files.items()}


def test_device_that_is_declared_already_is_not_renamed(tmp_path):
    source = write_plain_run(tmp_path / "runs")
    taken(tmp_path, source, **PI)
    with pytest.raises(UsageError, match=r"device\.yaml is there and states the name .Raspberry Pi 5."):
        taken(tmp_path, source, **PI | {"device_name": "Raspberry Pi 4"})


def test_options_go_before_the_mapping_and_the_mapping_before_nothing(tmp_path):
    source = write_plain_run(tmp_path / "runs")
    mapping = run_mapping(tmp_path / "m.yaml", runs={"mnv2": {"family": "MobileNetV2", "dtype": "fp32"}})
    result = taken(tmp_path, source, mapping, meter="Gauge", meter_kind="rail", dtype="int8", runtime="LiteRT 2.0")
    device, manifest = written(result)
    assert (device["name"], manifest["title"]) == ("Acme phone", "Kernels of a bench")
    assert (manifest["runtime"], manifest["meter"]["name"]) == ("LiteRT 2.0", "Gauge")
    (row,) = validate([result.folder]).campaigns[0].tables["models"].to_pylist()
    assert (row["family"], row["dtype"], row["delegate"]) == ("MobileNetV2", "int8", "CPU4")


def test_how_traces_are_read_is_bound_with_them(tmp_path):
    result = taken(tmp_path, **PI, timezone="+01:00", n_skipped=2, offset_s=0.0001)
    (binding,) = written(result)[1]["traces"]
    assert (binding["timezone"], binding["n_skipped"], binding["offset_s"]) == ("+01:00", 2, 0.0001)
    (row,) = validate([result.folder]).campaigns[0].tables["models"].to_pylist()
    assert row["n_runs"] == 18


@pytest.mark.parametrize(
    "stated", [{}, {"meter_gain_percent": 1.0}, {"meter": "INA219 breakout"}, {"meter_kind": "rail"}], ids=str
)
def test_meter_that_no_file_states_is_asked_for_with_its_kind(tmp_path, stated):
    """Its kind decides the tier, so that it is never taken to be an analyser."""
    with pytest.raises(UsageError, match="plain files do not state the meter; give --meter NAME"):
        taken(tmp_path, **stated)


def test_day_that_no_file_states_is_asked_for(tmp_path):
    source = write_plain_run(tmp_path / "runs", start_s=0)
    with pytest.raises(UsageError, match="the plain logs have no date; state when they were made with --date"):
        taken(tmp_path, source, **PI)
    assert written(taken(tmp_path, source, **PI, date="2026-11-20"))[1]["date"] == "2026-11-20"


def test_one_name_for_several_runs_is_refused(tmp_path):
    source = write_plain_run(write_plain_run(tmp_path / "runs"), "resnet")
    with pytest.raises(UsageError, match="--model names one run, and there are 2: mnv2, resnet; a mapping names each"):
        taken(tmp_path, source, **PI)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"delegate": "NNAPI"}, "delegate 'NNAPI' does not state its processor; write NNAPI=PROCESSOR with one of cpu"),
        ({"date": "yesterday"}, "the facts that are stated: submission.date = yesterday; expected YYYY-MM-DD"),
        ({"timezone": "Berlin"}, "time zone Berlin; expected a zone of the IANA database, or an offset"),
        ({"contributors": ("<b>",)}, "the facts that are stated: submission.contributors.0 = <b>"),
    ],
)
def test_fact_that_is_not_as_it_should_be_is_refused_in_words(tmp_path, stated, message):
    with pytest.raises(DeepenError) as error:
        taken(tmp_path, **PI | stated)
    assert str(error.value).startswith(message)
    assert not (tmp_path / "out").exists()


def test_delegate_may_state_its_processor(tmp_path):
    assert written(taken(tmp_path, **PI | {"delegate": "NNAPI=npu"}))[0]["delegates"] == {"NNAPI": "npu"}


def test_delegate_that_is_stated_goes_before_that_of_a_run_in_the_mapping(tmp_path):
    source = write_plain_run(tmp_path / "runs")
    mapping = run_mapping(tmp_path / "m.yaml", runs={"mnv2": {"family": "MobileNetV2", "delegate": "CPU4"}})
    result = taken(tmp_path, source, mapping, meter="Gauge", meter_kind="rail", delegate="GPU")
    (row,) = validate([result.folder]).campaigns[0].tables["models"].to_pylist()
    assert row["delegate"] == "GPU"
    assert written(result)[0]["delegates"] == {"CPU4": "cpu", "GPU": "gpu"}


def test_source_that_states_its_facts_itself_takes_none(tmp_path):
    with pytest.raises(UsageError, match="csv takes no facts such as model; its files or its mapping state them"):
        take_in("csv", tmp_path, "pi5", "bench", stated=StatedFacts(model="net"))


def test_inferences_of_another_name_are_named(tmp_path):
    source = write_plain_run(tmp_path / "runs")
    (source / "mnv2_power.csv").rename(source / "run_power.txt")
    (source / "mnv2_inference_time.csv").rename(source / "inf.csv")
    assert taken(tmp_path, source / "run_power.txt", **PI, inferences="inf.csv").n_accepted == 1


def test_file_without_units_is_named_before_its_day_is_asked_for(tmp_path):
    source = write_plain_run(tmp_path / "runs", start_s=0)
    for times in source.rglob("*_inference_time.csv"):
        times.write_bytes(b"start,end\n3.5,3.6\n")
    with pytest.raises(ForeignSourceError, match=r"inference_time\.csv:1: start,end; expected a header with start_us"):
        taken(tmp_path, source, **PI)


def test_rail_of_the_boundary_is_stated_with_it(tmp_path):
    result = taken(tmp_path, **PI, boundary="rail", rails=("VDD_MCU",))
    assert written(result)[1]["rails"] == ["VDD_MCU"]


def test_offset_between_the_start_of_a_trace_and_1970_is_bound(tmp_path):
    source = write_plain_run(tmp_path / "runs", start_s=0)
    for times in source.rglob("*_inference_time.csv"):
        header, *rows = times.read_text().splitlines()
        moved = [",".join(str(int(float(cell)) + 1_780_000_000_000_000) for cell in row.split(",")) for row in rows]
        times.write_text("\n".join([header, *moved, ""]))
    result = taken(tmp_path, source, **PI, is_aligned=True)
    (binding,) = written(result)[1]["traces"]
    assert binding["offset_s"] == pytest.approx(-1_780_000_000, abs=0.1)
