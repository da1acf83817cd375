import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.intake.stated import StatedFacts
from harness.intake.tiny_boards import TINY_BOARDS, tiny_board
from harness.traces.findings import NAME_THE_LOG
from harness.validation import validate
from tests.intake.run_folders import (
    DESCRIPTION,
    LOG,
    POWERS_MW,
    energy_bytes,
    marks_text,
    rebound,
    results_text,
    tiny_run,
    tiny_system,
)
from tests.intake.sources import contents, quarantine
from tests.traces.benchmark_logs import tiny_results

ROOT = Path(__file__).parents[2]
UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", ROOT / "../shared/data/upstream")) / "energyrunner"
OTHER_POWERS = tuple(power + 1 for power in POWERS_MW)
BESIDE = "Put the file beside the trace; without it the energy of an inference is unknown."


def taken(source, tmp_path, **options):
    return take_in("energyrunner", source, "ACME_ONE", "tiny-v1.2", out=tmp_path / "out", **options)


def reasons(result):
    """Why rows were not taken: the faults of the rows themselves, by row."""
    assert result.n_read == result.n_accepted + result.n_quarantined
    return {row.row.source_id: [str(issue) for issue in row.row.faults] for row in result.quarantined}


def test_results_from_v1_3_on_hold_trace_and_marks(tmp_path):
    system = tiny_system(tmp_path, ad={"trace": None, "marks": None, "results": results_text(throughput="none")})
    (system / "ad" / "energy" / "results.json").write_text(tiny_results())
    result = taken(system, tmp_path)
    assert (result.n_read, result.n_accepted) == (1, 1)
    (campaign,) = validate([tmp_path / "out"]).campaigns
    (row,) = campaign.tables["models"].to_pylist()
    assert row["energy_mj"] == pytest.approx(0.205, rel=1e-3)
    assert row["latency_ms"] == pytest.approx(10)
    assert campaign.manifest.traces[0].power == campaign.manifest.traces[0].inferences


def test_run_becomes_a_row_with_its_energy_from_the_trace(tmp_path):
    result = taken(tiny_system(tmp_path), tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (1, 1, 0)
    assert (result.folder / "models.csv").read_text() == (
        "model,family,input_shape,delegate,dtype,energy_kind,energy_mj,energy_u_mj,latency_ms,power_mw,supply_mv,"
        "n_runs,energy_std_mj,energy_min_mj,energy_max_mj,rounds,source_id\n"
        "mlperf-tiny-ad,Autoencoder,640,CPU,int8,absolute,0.205,0.0122132768,10,20.5,1800,5,"
        "0.00395284708,0.2,0.21,v1.2,closed/acme/results/ACME_ONE/ad/energy/trace1-energy.bin\n"
    )
    validated = validate([tmp_path / "out"])
    assert not validated.report.issues
    (campaign,) = validated.campaigns
    assert campaign.manifest.tier == "analyser"
    assert [path.relative_to(tmp_path / "out").as_posix() for path in result.files] == [
        "ACME_ONE/device.yaml",
        "ACME_ONE/tiny-v1.2/models.csv",
        "ACME_ONE/tiny-v1.2/submission.yaml",
        "ACME_ONE/tiny-v1.2/traces/ad-trace1-energy.bin",
        "ACME_ONE/tiny-v1.2/traces/ad-trace1-timestamps.json",
    ]


def test_description_and_log_become_facts(tmp_path):
    result = taken(tiny_system(tmp_path), tmp_path)
    assert yaml.safe_load((result.folder.parent / "device.yaml").read_text()) == {
        "name": "ACME_ONE",
        "device_class": "microcontroller",
        "processor_name": "A tiny core",
        "vendor": "Acme Labs",
        "board": "Acme One",
        "frequency_mhz": 80.0,
        "delegates": {"CPU": "cpu"},
    }
    submission = yaml.safe_load((result.folder / "submission.yaml").read_text())
    (trace,) = submission.pop("traces")
    assert {name: trace[name] for name in ("where", "format", "n_each")} == {
        "where": {"source_id": "closed/acme/results/ACME_ONE/ad/energy/trace1-energy.bin"},
        "format": "energyrunner",
        "n_each": 100,
    }
    assert submission == {
        "schema_version": 1,
        "title": "MLPerf Tiny v1.2, closed division, energy from traces",
        "contributors": ["Acme Labs"],
        "date": "2026-01-02",
        "method": "measured",
        "runtime": "Acme runtime 2.0",
        "system": {"stack": "Acme runtime 2.0", "submitter": "Acme Labs", "round": "v1.2", "clock_mhz": 80.0},
        "boundary": "rail",
        "rails": ["supply of the device under test"],
        "licence": "Apache-2.0",
        "source": {
            "citation": "MLCommons, MLPerf Tiny v1.2 results, closed division, submitted by Acme Labs for ACME_ONE.",
            "url": "https://github.com/mlcommons/tiny_results_v1.2",
            "attribution": "Traces from the results repository of MLCommons, MLPerf Tiny v1.2 (Apache-2.0). MLPerf is "
            "a trademark of MLCommons; figures derived from these results are not verified by MLCommons.",
        },
        "meter": {"name": "STMicroelectronics X-NUCLEO-LPM01A", "kind": "analyser", "sampling_hz": 1000.0},
        "notes": "Median energy per inference over the measurement windows, recomputed from the trace, with the lowest "
        "and highest window. Latency is that of the energy run as published: the reciprocal of the median throughput, "
        "or the median over the windows of elapsed time divided by inferences. Quantisation as submitted: TensorFlow "
        "Int8 Quantization.",
    }


def renamed_system(tmp_path, name, run=None, **changed):
    """System of the folder of another name, with changed lines of its description."""
    system = tiny_system(tmp_path, DESCRIPTION | changed, ad=run or {})
    (system.parents[1] / "systems/ACME_ONE.json").rename(system.parents[1] / "systems" / f"{name}.json")
    return system.rename(system.with_name(name))


@pytest.mark.parametrize(
    ("name", "board", "frequency", "clock_mhz"),
    [
        ("NUCLEO_U575ZI_Q", "NUCLEO-U575ZI-Q", "160 MHz", None),
        ("NUCLEO_U575ZI_Q_60MHz", "NUCLEO-U575ZI-Q", "60 MHz", 60),
        ("microtvm_native-NUCLEO_L4R5ZI", "NUCLEO-L4R5ZI", "120 MHz", None),
        ("NUCLEO_L4R5ZI-P_70MHz", "NUCLEO-L4R5ZI-P", "70 MHz", 70),
        ("gap9_800_370", "GAP9-EVK", "0.37 GHz", 370),
    ],
)
def test_system_of_a_known_board_is_under_its_board(tmp_path, name, board, frequency, clock_mhz):
    own = {} if board != "GAP9-EVK" else {"Accelerator": "NE16"}
    system = renamed_system(tmp_path, name, **{"Processor(s) Frequencies": frequency}, **own)
    result = take_in("energyrunner", system, out=tmp_path / "out")
    assert result.folder == tmp_path / "out" / board / f"mlperf-tiny-v1.2-closed-acme-{name}"
    assert result.n_accepted == 1
    declared = yaml.safe_load((result.folder / "submission.yaml").read_text())["system"]
    clock = {} if clock_mhz is None else {"clock_mhz": clock_mhz}
    assert declared == {"stack": "Acme runtime 2.0", "submitter": "Acme Labs", "round": "v1.2"} | clock
    device = yaml.safe_load((result.folder.parent / "device.yaml").read_text())
    assert device == yaml.safe_load((ROOT / "submissions" / board / "device.yaml").read_text())


def test_systems_of_one_board_are_told_apart(tmp_path):
    other = {"trace": energy_bytes(OTHER_POWERS), "results": results_text("215.000")}
    for name, clock, run in (("NUCLEO_U575ZI_Q", "160 MHz", {}), ("NUCLEO_U575ZI_Q_60MHz", "60 MHz", other)):
        system = renamed_system(tmp_path / name, name, run, **{"Processor(s) Frequencies": clock})
        take_in("energyrunner", system, out=tmp_path / "out")
    campaigns = validate([tmp_path / "out"]).campaigns
    assert {campaign.system_id for campaign in campaigns} == {
        "NUCLEO-U575ZI-Q--acme-runtime-2.0--60-mhz--acme-labs",
        "NUCLEO-U575ZI-Q--acme-runtime-2.0--acme-labs",
    }


def test_boards_that_the_intake_knows_are_those_of_the_submissions():
    for board in TINY_BOARDS:
        device = ROOT / "submissions" / board.device_id / "device.yaml"
        assert yaml.safe_load(device.read_text()) == board.device(), board.device_id


def test_former_folders_of_submissions_name_their_boards():
    found = [
        (former.split("/")[0], path.parts[-3])
        for path in sorted((ROOT / "submissions").glob("*/mlperf-tiny-*/submission.yaml"))
        if (former := yaml.safe_load(path.read_text()).get("formerly"))
    ]
    assert found
    assert {folder: tiny_board(folder).device_id for folder, _ in found} == dict(found)


def test_system_of_an_unknown_board_keeps_its_own_name(tmp_path):
    result = take_in("energyrunner", tiny_system(tmp_path), out=tmp_path / "out")
    assert result.folder == tmp_path / "out/ACME_ONE/mlperf-tiny-v1.2-closed-acme-ACME_ONE"


def test_what_no_file_states_is_no_part_of_the_system(tmp_path):
    changed = {"Inference Framework": "N/A", "Submitter": "", "Processor(s) Frequencies": "60 MHz, 80 MHz"}
    result = taken(tiny_system(tmp_path, DESCRIPTION | changed), tmp_path)
    declared = yaml.safe_load((result.folder / "submission.yaml").read_text())["system"]
    assert declared == {"submitter": "acme", "round": "v1.2"}
    (run,) = [tiny_run(tmp_path / "somewhere/ACME_TWO/ad/energy")]
    folder = tmp_path / "out/ACME_TWO"
    folder.mkdir()
    (folder / "device.yaml").write_text("name: Acme\ndevice_class: microcontroller\ndelegates: {CPU: cpu}\n")
    result = take_in("energyrunner", run, "ACME_TWO", "tiny", out=tmp_path / "out")
    assert "system" not in yaml.safe_load((result.folder / "submission.yaml").read_text())


def test_known_board_needs_no_description(tmp_path):
    run = tiny_run(tmp_path / "v1.1/open/acme/results/NUCLEO_L4R5ZI/ad/energy")
    result = take_in("energyrunner", run, out=tmp_path / "out")
    (campaign,) = validate([result.folder]).campaigns
    assert campaign.tables["models"].column("delegate").to_pylist() == ["CPU"]
    assert campaign.device.name == "NUCLEO-L4R5ZI"


def test_line_that_a_description_has_twice_is_as_it_is_stated(tmp_path):
    text = json.dumps(DESCRIPTION).removesuffix("}") + ', "Inference Framework": "", "Board Name": "N/A"}'
    result = taken(tiny_system(tmp_path, text.encode()), tmp_path)
    assert yaml.safe_load((result.folder / "submission.yaml").read_text())["runtime"] == "Acme runtime 2.0"
    assert yaml.safe_load((result.folder.parent / "device.yaml").read_text())["board"] == "Acme One"


def test_accelerator_is_the_delegate(tmp_path):
    description = DESCRIPTION | {"Accelerator": "Acme (NPU) 3", "Quantization Method": "own", "Submitter": "<b>"}
    result = taken(tiny_system(tmp_path, description), tmp_path)
    (campaign,) = validate([tmp_path / "out"]).campaigns
    assert campaign.device.delegates == {"Acme NPU 3": "npu"}
    assert campaign.manifest.contributors == ["acme"]
    (row,) = campaign.tables["models"].to_pylist()
    assert (row["delegate"], row["dtype"]) == ("Acme NPU 3", "unstated")
    assert result.n_accepted == 1


def test_log_and_script_may_be_absent(tmp_path):
    result = taken(tiny_system(tmp_path, ad={"log": None, "script": None}), tmp_path)
    (campaign,) = validate([result.folder]).campaigns
    assert (campaign.manifest.date, campaign.manifest.meter.name) == ("2024-04", "not stated")
    assert campaign.tables["models"].to_pylist()[0]["supply_mv"] is None


def test_supply_that_only_the_script_states_is_taken(tmp_path):
    result = taken(tiny_system(tmp_path, ad={"log": None}), tmp_path)
    assert validate([result.folder]).campaigns[0].tables["models"].to_pylist()[0]["supply_mv"] == 3000


def test_tasks_have_rows_of_their_own_by_folder_or_log(tmp_path):
    other = {"trace": energy_bytes(OTHER_POWERS), "results": results_text("215.000")}
    system = tiny_system(tmp_path, ad={}, keyword_spotting=other)
    tiny_run(system / "run-3/energy", trace=energy_bytes(POWERS_MW[::-1]), log=LOG.format(task="vww"))
    # Without a folder of its name, the system is the one that holds the run.
    result = taken(system, tmp_path)
    assert reasons(result) == {}
    assert [line.split(",")[0] for line in (result.folder / "models.csv").read_text().splitlines()[1:]] == [
        "mlperf-tiny-ad",
        "mlperf-tiny-kws",
        "mlperf-tiny-vww",
    ]


def test_run_of_no_task_is_told(tmp_path):
    system = tiny_system(tmp_path)
    tiny_run(system / "run-3/energy", trace=energy_bytes(OTHER_POWERS), log="")
    result = taken(system, tmp_path)
    assert result.n_accepted == 1
    (found,) = reasons(result)["closed/acme/results/ACME_ONE/run-3/energy/trace1-energy.bin"][:1]
    assert found == (
        "closed/acme/results/ACME_ONE/run-3/energy/trace1-energy.bin: an energy run in run-3/; expected a folder named "
        "after its task: ad, ic, kws, vww, sww, anomaly_detection, image_classification, keyword_spotting, "
        "visual_wake_words, person_detection. Keep the folders of the results tree. [foreign-file]"
    )


PLACE = "closed/acme/results/ACME_ONE/kws/energy"
FAULTS = {
    "published": (
        {"results": results_text("215.300")},
        "trace1-energy.bin: a median of 0.215 mJ from the trace; expected 0.2153 mJ within 0.1%, as the source "
        "publishes. Take the trace and the results of the same run. [published-mismatch]",
    ),
    "no marks": (
        {"marks": None},
        "trace1-energy.bin: no trace1-timestamps.json beside trace1-energy.bin; expected it beside the trace. "
        f"{BESIDE} {NAME_THE_LOG} [trace-no-inference]",
    ),
    "no results": (
        {"results": None},
        f"trace1-energy.bin: no results.txt beside trace1-energy.bin; expected it beside the trace. {BESIDE} "
        "[trace-no-inference]",
    ),
    "no trace": (
        {"trace": None},
        "results.txt: no trace beside results.txt; expected trace1-energy.bin with its marks. Ask for the trace of the "
        "run; without it the figure is a published one, not a measured one. [trace-missing]",
    ),
    "no median": (
        {"results": results_text("215.000").replace("Median energy", "Mean energy")},
        "results.txt: no median energy above 0, or several; expected Median energy cost is ... uJ/inf. Take the "
        "results of the energy run. [foreign-file]",
    ),
    "no windows": (
        {"marks": "[0.25]"},
        "trace1-timestamps.json: no inferences; expected at least one. Log start and end of every inference on the "
        f"clock of the trace. {NAME_THE_LOG} [trace-no-inference]",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faulty_run_is_quarantined_with_its_reason(tmp_path, case):
    files, message = FAULTS[case]
    kws = {"trace": energy_bytes(OTHER_POWERS), "results": results_text("215.000")} | files
    result = taken(tiny_system(tmp_path, ad={}, kws=kws), tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (2, 1, 1)
    name = "results.txt" if case == "no trace" else "trace1-energy.bin"
    found = reasons(result)[f"{PLACE}/{name}"]
    assert found == [f"{PLACE}/{message}"]
    assert not validate([tmp_path / "out"]).report.issues
    assert sorted(path.name for path in (result.folder / "traces").iterdir()) == [
        "ad-trace1-energy.bin",
        "ad-trace1-timestamps.json",
    ]


@pytest.mark.parametrize(
    ("median_uj", "is_right"), [("205.200", True), ("205.210", False), ("204.800", True), ("204.790", False)]
)
def test_published_energy_may_differ_by_a_thousandth(tmp_path, median_uj, is_right):
    result = taken(tiny_system(tmp_path, ad={"results": results_text(median_uj)}), tmp_path)
    assert result.n_accepted == is_right
    assert list(result.reasons) == ([] if is_right else ["published-mismatch"])


def test_run_with_windows_outside_its_trace_is_quarantined(tmp_path):
    result = taken(tiny_system(tmp_path, ad={"marks": marks_text(7)}), tmp_path)
    ((message,),) = reasons(result).values()
    place = "closed/acme/results/ACME_ONE/ad/energy/trace1-timestamps.json"
    assert message.startswith(f"{place}: 2 of 7 inferences")
    assert message.endswith("[trace-window]")


def test_quarantine_keeps_the_published_figure(tmp_path):
    result = taken(tiny_system(tmp_path, ad={}, kws={"trace": None, "results": results_text("99.500")}), tmp_path)
    (row,) = quarantine(result.folder)
    assert (row["rules"], row["printed.model"]) == ("trace-missing", "mlperf-tiny-kws")
    assert row["printed.Median energy cost (uJ/inf.)"] == "99.500"
    assert row["printed.Median throughput (inf./sec.)"] == "100.000"


def test_trace_of_two_runs_is_nobodys(tmp_path):
    result = taken(tiny_system(tmp_path, ad={}, kws={}), tmp_path)
    assert (result.n_accepted, result.folder) == (0, None)
    place = "closed/acme/results/ACME_ONE/ad/energy/trace1-energy.bin"
    assert reasons(result)[place] == [
        f"{place}: trace1-energy.bin, with the bytes of the trace of another run; expected a trace of its own. Give "
        "each run the trace it was measured with. [trace-shared]"
    ]


def test_row_that_validation_refuses_leaves_no_trace_behind(tmp_path):
    high = {"trace": energy_bytes((20_000.0,) * 5), "results": results_text("200000.000")}
    result = taken(tiny_system(tmp_path, ad={}, kws=high), tmp_path)
    assert [row.rules for row in result.quarantined] == [["power-limit"]]
    assert not validate([tmp_path / "out"]).report.issues
    assert not list((result.folder / "traces").glob("kws*"))


def test_throughput_of_another_run_is_found_against_the_trace(tmp_path):
    result = taken(tiny_system(tmp_path, ad={"results": results_text(throughput="120.000")}), tmp_path)
    assert result.reasons == {"energy-power-latency": 1}


def test_tree_with_several_systems_is_refused_with_their_names(tmp_path):
    tiny_system(tmp_path / "tree")
    tiny_run(tmp_path / "tree/v1.2/closed/acme/results/ACME_TWO/ad/energy")
    with pytest.raises(UsageError) as refused:
        taken(tmp_path / "tree", tmp_path)
    assert str(refused.value) == (
        "tree holds 2 systems, and one is read at a time; name the folder of one: "
        "v1.2/closed/acme/results/ACME_ONE, v1.2/closed/acme/results/ACME_TWO"
    )


def test_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UsageError) as refused:
        taken(ROOT / "harness/intake", tmp_path)
    assert str(refused.value) == ("intake holds no energy run: <task>/energy/ with trace1-energy.bin or results.txt")


def test_mapping_is_refused(tmp_path):
    with pytest.raises(UsageError, match="energyrunner takes no mapping; its files say what they are"):
        taken(tiny_system(tmp_path), tmp_path, mapping=tmp_path)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (
            b'{\n"Submitter": }',
            "systems/ACME_ONE.json:2: expecting value in column 14; expected a JSON object of lines. Take the "
            "description as it was submitted, or correct its JSON. [foreign-file]",
        ),
        (
            b"[]",
            "systems/ACME_ONE.json: no object; expected a JSON object of lines. Take the description as it was "
            "submitted, or correct its JSON. [foreign-file]",
        ),
        (
            b"\xff",
            "systems/ACME_ONE.json:1: byte 0xff; expected UTF-8. Save the file as UTF-8 (in a spreadsheet: CSV UTF-8). "
            "[text-encoding]",
        ),
    ],
)
def test_description_that_cannot_be_read_stops_the_intake(tmp_path, description, message):
    with pytest.raises(ForeignSourceError) as error:
        taken(tiny_system(tmp_path, description), tmp_path)
    assert str(error.value).splitlines()[0] == message
    assert not (tmp_path / "out").exists()


def test_system_without_description_needs_a_declared_device(tmp_path):
    run = tiny_run(tmp_path / "tree/v1.1/open/acme/results/ACME_ONE/ad/energy", log=None)
    with pytest.raises(UsageError, match=r"the source does not state what ACME_ONE is; write .*device.yaml first"):
        taken(run, tmp_path)
    declared = tmp_path / "out/ACME_ONE/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: microcontroller\ndelegates: {NPU: npu}\n")
    assert taken(run, tmp_path).n_accepted == 1
    (campaign,) = validate([tmp_path / "out"]).campaigns
    assert campaign.tables["models"].column("delegate").to_pylist() == ["NPU"]
    assert campaign.manifest.date == "2023-06"
    declared.write_text("name: Acme\ndevice_class: microcontroller\ndelegates: {NPU: npu, CPU: cpu}\n")
    with pytest.raises(UsageError, match="says which of NPU, CPU ran; state it with --delegate"):
        taken(run, tmp_path)
    stated = StatedFacts(delegate="CPU", dtype="int8", runtime="TFLM 1.0")
    assert taken(run, tmp_path, stated=stated).n_accepted == 1
    (campaign,) = validate([tmp_path / "out"]).campaigns
    (row,) = campaign.tables["models"].to_pylist()
    assert (row["delegate"], row["dtype"], campaign.manifest.runtime) == ("CPU", "int8", "TFLM 1.0")


def test_facts_that_the_description_states_are_contradicted_by_nobody(tmp_path):
    result = taken(tiny_system(tmp_path), tmp_path, stated=StatedFacts(delegate="Helium=dsp", dtype="fp16"))
    (campaign,) = validate([result.folder]).campaigns
    assert "Helium" in campaign.device.delegates
    assert {(row["delegate"], row["dtype"]) for row in campaign.tables["models"].to_pylist()} == {("Helium", "int8")}
    with pytest.raises(UsageError, match=r"the source states the runtime '?.*'?; leave --runtime out"):
        taken(tiny_system(tmp_path / "b"), tmp_path / "c", stated=StatedFacts(runtime="Another 1.0"))


def test_run_that_nobody_dates_is_refused(tmp_path):
    run = tiny_run(tmp_path / "somewhere/ACME_ONE/ad/energy", log=None)
    with pytest.raises(UsageError) as refused:
        taken(run, tmp_path)
    assert str(refused.value) == (
        "nothing states when ACME_ONE was measured; keep log.txt, or the round (v1.2) in the path"
    )


def test_running_again_gives_the_same_bytes_from_any_depth(tmp_path):
    system = tiny_system(tmp_path, ad={}, kws={"trace": None})
    taken(system, tmp_path)
    before = contents(tmp_path / "out")
    taken(system.parents[2], tmp_path)
    assert contents(tmp_path / "out") == before


def test_trace_that_is_exchanged_afterwards_is_found(tmp_path):
    folder = taken(tiny_system(tmp_path), tmp_path).folder
    trace = folder / "traces/ad-trace1-energy.bin"
    trace.write_bytes(energy_bytes(OTHER_POWERS))
    assert [issue.rule for issue in validate([folder]).report.issues] == ["trace-hash"]
    trace.write_bytes(energy_bytes())
    assert not validate([folder]).report.issues
    rebound(folder, trace.name, energy_bytes(OTHER_POWERS))
    found = {issue.rule for issue in validate([folder]).report.issues}
    assert found
    assert found <= {"trace-energy", "trace-power", "trace-spread"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_bytes_give_a_result_or_a_message(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("hostile")
    system = tiny_system(root)
    run = system / "ad/energy"
    description = system.parents[1] / "systems/ACME_ONE.json"
    path = data.draw(
        st.sampled_from([run / "results.txt", run / "trace1-timestamps.json", run / "log.txt", description])
    )
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from(
                [b"\x00", b"\xff", b'"\\ud800"', b"[" * 9, b"9" * 30, b"1e400", b"-", b"NaN", b"null", b"0"]
            )
        )
    path.write_bytes(bytes(content))
    try:
        result = taken(system, root)
    except (ForeignSourceError, UsageError):
        assert not (root / "out").exists()
    else:
        assert result.n_read == result.n_accepted + result.n_quarantined == 1
        assert result.folder is None or not validate([root / "out"]).report.n_errors


needs_upstream = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="needs the upstream files; set DEEPEN_UPSTREAM")


@needs_upstream
@pytest.mark.parametrize(
    ("system", "board", "median_uj", "supply_mv", "unmetered_ms"),
    [
        ("v1.0/closed/greenwaves-technologies/results/gap9_650_240", "GAP9-EVK", 5.252, 1800, None),
        ("v1.1/closed/STMicroelectronics/results/NUCLEO_H7A3ZI_Q", "NUCLEO-H7A3ZI-Q", 221.217, None, None),
        ("v1.2/closed/STMicroelectronics/results/NUCLEO_L4R5ZI", "NUCLEO-L4R5ZI", 203.368, 1800, 5.26078),
        ("v1.2/closed/STMicroelectronics/results/NUCLEO_U575ZI_Q", "NUCLEO-U575ZI-Q", 656.163, 1800, 29.0563),
        ("v1.2/closed/syntiant/results/syntiant_9120_1v1_98mhz", "NDP9120", 43.802, 1800, 1.48143),
    ],
)
def test_published_energy_follows_from_the_published_trace(tmp_path, system, board, median_uj, supply_mv, unmetered_ms):
    source = UPSTREAM / system
    device = tmp_path / board / "device.yaml"
    device.parent.mkdir()
    shutil.copyfile(ROOT / "submissions" / board / "device.yaml", device)
    result = take_in("energyrunner", source, board, "traces", out=tmp_path)
    assert (result.n_read, result.n_accepted) == (1, 1)
    validated = validate([tmp_path])
    assert not validated.report.issues
    (row,) = validated.campaigns[0].tables["models"].to_pylist()
    assert row["energy_mj"] == pytest.approx(median_uj / 1000, rel=0.001)
    assert (row["n_runs"], row["supply_mv"]) == (5, supply_mv)
    assert tiny_board(source.name).device_id == board
    assert row["latency_unmetered_ms"] == unmetered_ms


@needs_upstream
def test_upstream_tree_is_of_several_systems(tmp_path):
    with pytest.raises(UsageError, match="energyrunner holds 5 systems, and one is read at a time"):
        take_in("energyrunner", UPSTREAM, "all", "traces", out=tmp_path)
