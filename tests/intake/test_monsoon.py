import os
from pathlib import Path

import pytest
import yaml

from harness.errors import UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.traces import runs
from harness.traces.findings import NAME_THE_LOG
from harness.validation import validate
from tests.intake.run_folders import (
    RUN_MAPPING,
    monsoon_folder,
    monsoon_inferences,
    monsoon_power,
    rebound,
    run_mapping,
)
from tests.intake.sources import contents, quarantine

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream")) / "monsoon"


def taken(source, tmp_path, **changed):
    return take_in(
        "monsoon",
        source,
        "acme-phone",
        "bench",
        out=tmp_path / "out",
        mapping=run_mapping(tmp_path / "m.yaml", **changed),
    )


def reasons(result):
    assert result.n_read == result.n_accepted + result.n_quarantined
    return {row.row.source_id: [str(issue) for issue in row.row.faults] for row in result.quarantined}


def rows_of(folder):
    validated = validate([folder])
    # A Monsoon does not say what it supplies.
    assert {issue.rule for issue in validated.report.issues} == {"boundary-unstated", "family-unknown"}
    return validated.campaigns[0].tables["models"].to_pylist()


def test_every_trace_of_an_intake_is_reduced_once(tmp_path, monkeypatch):
    reduced = []

    def noted(function):
        def call(trace, *arguments):
            reduced.append(trace.source)
            return function(trace, *arguments)

        return call

    for name in ("reduce_trace", "idle_power"):
        monkeypatch.setattr(runs, name, noted(getattr(runs, name)))
    assert taken(monsoon_folder(tmp_path / "runs"), tmp_path).n_accepted == 2
    assert sorted(reduced) == ["baseline.csv", "net_a_power.csv", "net_b_power.csv"]


def test_runs_become_rows_with_energies_from_their_traces(tmp_path):
    result = taken(monsoon_folder(tmp_path / "runs"), tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (2, 2, 0)
    first, second = rows_of(result.folder)
    assert {name: first[name] for name in ("model", "family", "delegate", "dtype", "n_runs", "source_id")} == {
        "model": "net_a",
        "family": "unstated",
        "delegate": "CPU4",
        "dtype": "unstated",
        "n_runs": 10,
        "source_id": "net_a_power.csv",
    }
    assert first["energy_mj"] == pytest.approx(50, rel=0.01)
    assert second["energy_mj"] == pytest.approx(100, rel=0.01)
    assert (first["latency_ms"], second["n_runs"]) == (50, 8)
    assert first["power_mw"] == pytest.approx(1000, rel=0.01)
    assert first["energy_std_mj"] < 0.5
    assert (first["energy_min_mj"], first["energy_kind"]) == (None, "absolute")
    assert sorted(path.name for path in (result.folder / "traces").iterdir()) == [
        "baseline.csv",
        "net_a_inference_time.csv",
        "net_a_power.csv",
        "net_b_inference_time.csv",
        "net_b_power.csv",
    ]


def test_baseline_becomes_the_idle_power_and_is_not_subtracted(tmp_path):
    manifest = validate([taken(monsoon_folder(tmp_path / "runs"), tmp_path).folder]).campaigns[0].manifest
    assert manifest.idle is not None
    assert manifest.idle.power_mw == pytest.approx(100, rel=0.01)
    assert manifest.notes == (
        "Energies are absolute, each the mean over the inferences of its trace. The idle device draws 100 mW; nothing "
        "was subtracted for it."
    )
    assert (manifest.meter.name, manifest.meter.kind) == ("Monsoon power monitor", "analyser")
    assert manifest.meter.sampling_hz == 5000
    assert {trace.baseline.file for trace in manifest.traces} == {"baseline.csv"}
    without = taken(monsoon_folder(tmp_path / "bare", has_baseline=False), tmp_path / "bare")
    manifest = validate([without.folder]).campaigns[0].manifest
    assert (manifest.idle, manifest.notes) == (
        None,
        "Energies are absolute, each the mean over the inferences of its trace.",
    )


def test_rates_that_differ_are_noted(tmp_path):
    slow = monsoon_power(period_us=201)
    submission = RUN_MAPPING["submission"] | {"notes": "Screen off."}
    source = monsoon_folder(tmp_path / "runs", has_baseline=False, net_a_power=slow)
    manifest = validate([taken(source, tmp_path, submission=submission).folder]).campaigns[0].manifest
    assert manifest.meter.sampling_hz is None
    assert manifest.notes == (
        "Screen off. Energies are absolute, each the mean over the inferences of its trace. Traces were sampled at "
        "4975 to 5000 Hz."
    )


def test_mapping_says_what_runs_were(tmp_path):
    meter = {
        "name": "Monsoon HVPM, unit 7",
        "kind": "analyser",
        "accuracy": {"gain_percent": 1.0, "stated_by": "Data sheet"},
    }
    runs = {"net_a": {"model": "Net A", "family": "Nets", "variant": 0.5, "dtype": "int8", "input_shape": "8x8x3"}}
    result = taken(
        monsoon_folder(tmp_path / "runs"),
        tmp_path,
        runs=runs,
        submission=RUN_MAPPING["submission"] | {"meter": meter, "method": "measured"},
    )
    first = rows_of(result.folder)[0]
    names = ("model", "family", "variant", "dtype", "input_shape")
    assert [first[name] for name in names] == ["Net A", "Nets", "0.5", "int8", "8x8x3"]
    written = yaml.safe_load((result.folder / "submission.yaml").read_text())
    assert written["meter"] == meter | {"sampling_hz": 5000.0}


def test_one_power_file_is_one_run(tmp_path):
    source = monsoon_folder(tmp_path / "runs") / "net_b_power.csv"
    assert [row["model"] for row in rows_of(taken(source, tmp_path).folder)] == ["net_b"]


def test_runs_of_the_same_name_keep_their_own_traces(tmp_path):
    monsoon_folder(tmp_path / "runs/one", has_baseline=False)
    other = {"net_a_power": monsoon_power(251.0), "net_b_power": monsoon_power(501.0)}
    monsoon_folder(tmp_path / "runs/two", has_baseline=False, **other)
    result = taken(tmp_path / "runs", tmp_path)
    assert result.n_accepted == 4
    assert {issue.rule for issue in result.report.issues} == {"boundary-unstated", "family-unknown", "repeat"}
    # Inferences of both have the same bytes and are kept once.
    assert len(list((result.folder / "traces").iterdir())) == 6


CASES = {
    "no inferences": (
        {"net_b_inference_time": monsoon_inferences(0)},
        "net_b_inference_time.csv: no inferences; expected at least one. Log start and end of every inference on the "
        f"clock of the trace. {NAME_THE_LOG} [trace-no-inference]",
    ),
    "another format": (
        {"net_b_power": b"time,power\n1,2\n"},
        "net_b_power.csv:1: time,power; expected a header with Time(ms), Main(mA) and Main Voltage(V), or Time (s), "
        "Main Avg Current (mA) and Main Avg Voltage (V). Keep the header that PyMonsoon or PowerTool wrote. "
        "[trace-format]",
    ),
    "trace of another run": (
        {"net_b_power": monsoon_power(250.0), "net_b_inference_time": monsoon_inferences(9)},
        "net_b_power.csv: net_b_power.csv, with the bytes of the trace of another run; expected a trace of its own. "
        "Give each run the trace it was measured with. [trace-shared]",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_run_with_an_error_is_quarantined_with_its_reason(tmp_path, case):
    files, message = CASES[case]
    result = taken(monsoon_folder(tmp_path / "runs", **files), tmp_path)
    assert reasons(result)["net_b_power.csv"] == [message]
    if case == "trace of another run":
        assert set(reasons(result)) == {"net_a_power.csv", "net_b_power.csv"}
    else:
        (row,) = quarantine(result.folder)
        assert (row["source_id"], row["printed.model"]) == ("net_b_power.csv", "net_b")
        assert [row["model"] for row in rows_of(result.folder)] == ["net_a"]
        assert not list((result.folder / "traces").glob("net_b*"))


def test_run_without_a_file_of_inferences_is_quarantined(tmp_path):
    source = monsoon_folder(tmp_path / "runs")
    (source / "net_b_inference_time.csv").unlink()
    assert reasons(taken(source, tmp_path)) == {
        "net_b_power.csv": [
            "net_b_power.csv: no net_b_inference_time.csv beside net_b_power.csv; expected it beside the trace. Put "
            "the file beside the trace; without it the energy of an inference is unknown. "
            f"{NAME_THE_LOG} [trace-no-inference]"
        ]
    }


def test_faulty_lines_are_told_once_a_rule(tmp_path):
    log = monsoon_inferences(8).replace(b"\n0,17", b"\n0,x").replace(b"\n1,17", b"\n1,y")
    result = taken(monsoon_folder(tmp_path / "runs", net_b_inference_time=log), tmp_path)
    (message,) = reasons(result)["net_b_power.csv"]
    assert message.startswith("net_b_inference_time.csv:2: start_us = x")
    assert ", and 1 more; expected a time." in message


def test_inferences_in_another_file_are_named_by_the_mapping(tmp_path):
    source = monsoon_folder(tmp_path / "runs")
    (source / "net_b_inference_time.csv").rename(source / "windows.csv")
    assert taken(source, tmp_path, runs={"net_b": {"inferences": "windows.csv"}}).n_accepted == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"runs": {"net_c": {"family": "Nets"}}},
            "m.yaml:18: runs.net_c: no run of the source; expected one of net_a, net_b. Did you mean net_b? Write the "
            "name of the run as its trace has it, or remove the entry. [fact-unknown]",
        ),
        (
            {"submission": RUN_MAPPING["submission"] | {"meter": {"name": "Gauge", "kind": "rail"}}},
            "m.yaml:14: submission.meter.kind = rail; expected analyser. Write analyser, which is how monsoon "
            "measures, or name another format. [fact-value]",
        ),
        (
            {"runs": {"net_b": {"n_each": 0}}},
            "m.yaml:19: runs.net_b.n_each = 0; expected >= 1 and <= 1000000000. Give a whole number. [fact-value]",
        ),
    ],
)
def test_mapping_that_does_not_fit_is_told(tmp_path, monkeypatch, changed, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ForeignSourceError) as error:
        taken(monsoon_folder(tmp_path / "runs"), Path(), **changed)
    assert str(error.value).splitlines()[0] == message
    assert not (tmp_path / "out").exists()


def test_without_a_mapping_everything_unknown_is_named_so(tmp_path):
    result = take_in("monsoon", monsoon_folder(tmp_path / "runs"), "acme-phone", "bench", out=tmp_path / "out")
    assert (result.n_read, result.n_accepted) == (2, 2)
    manifest = yaml.safe_load((result.folder / "submission.yaml").read_text())
    assert {manifest["runtime"], *manifest["contributors"]} == {"not stated"}
    assert (manifest["licence"], manifest["method"]) == ("NOASSERTION", "measured")
    device = yaml.safe_load((result.folder.parent / "device.yaml").read_text())
    assert (device["device_class"], device["delegates"]) == ("unstated", {"unstated": "heterogeneous"})
    assert not validate([result.folder]).report.n_errors


def test_folder_without_runs_is_refused(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(UsageError, match=r"runs holds no run: NAME_power\.csv with NAME_inference_time\.csv"):
        taken(tmp_path / "runs", tmp_path)


def test_device_with_several_delegates_needs_one_for_each_run(tmp_path):
    device = RUN_MAPPING["device"] | {"delegates": {"CPU4": "cpu", "GPU": "gpu"}}
    source, runs = monsoon_folder(tmp_path / "runs"), {"net_b": {"delegate": "GPU"}}
    result = taken(source, tmp_path, device=device, runs=runs)
    assert [row.rules for row in result.quarantined] == [["value-missing", "family-unknown"]]
    assert [row["delegate"] for row in rows_of(result.folder)] == ["GPU"]


def test_names_that_no_trace_may_have_give_way_to_digests(tmp_path):
    source = monsoon_folder(tmp_path / "runs", has_baseline=False)
    for path in list(source.glob("net_b*")):
        path.rename(path.with_name(path.name.replace("net_b", "net b, again")))
    result = taken(source, tmp_path, runs={"net b, again": {"model": "net b"}})
    assert [row["model"] for row in rows_of(result.folder)] == ["net b", "net_a"]
    names = [path.name for path in (result.folder / "traces").iterdir()]
    assert len(names) == 4
    assert sum(len(name) == len("0123456789abcdef.csv") for name in names) == 2


def test_running_again_gives_the_same_bytes(tmp_path):
    source = monsoon_folder(tmp_path / "runs", net_b_inference_time=monsoon_inferences(0))
    taken(source, tmp_path)
    before = contents(tmp_path / "out")
    taken(source, tmp_path)
    assert contents(tmp_path / "out") == before


def test_trace_that_is_exchanged_afterwards_is_found(tmp_path):
    folder = taken(monsoon_folder(tmp_path / "runs"), tmp_path).folder
    trace = folder / "traces/net_a_power.csv"
    before = trace.read_bytes()
    trace.write_bytes(monsoon_power(300.0))
    assert [issue.rule for issue in validate([folder]).report.issues] == [
        "family-unknown",
        "boundary-unstated",
        "trace-hash",
    ]
    trace.write_bytes(before)
    rebound(folder, trace.name, monsoon_power(300.0))
    assert [issue.rule for issue in validate([folder]).report.issues] == [
        "family-unknown",
        "boundary-unstated",
        "trace-energy",
    ]


@pytest.mark.skipif(not UPSTREAM.is_dir(), reason="needs the upstream files; set DEEPEN_UPSTREAM")
def test_upstream_runs_are_taken_in_and_the_empty_one_is_not(tmp_path):
    result = taken(UPSTREAM, tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (3, 2, 1)
    (row,) = result.quarantined
    assert row.row.source_id == "empty_run_power.csv"
    assert str(row.issues[0]) == (
        "empty_run_inference_time.csv: no inferences; expected at least one. Log start and end of every inference on "
        f"the clock of the trace. {NAME_THE_LOG} [trace-no-inference]"
    )
    validated = validate([tmp_path / "out"])
    assert {issue.rule for issue in validated.report.issues} >= {"trace-gap"}
    (campaign,) = validated.campaigns
    rows = {row["model"]: row for row in campaign.tables["models"].to_pylist()}
    assert {name: row["n_runs"] for name, row in rows.items()} == {
        "EnergyNet_uid8723_cfg181_nhwc": 220,
        "mnv2_cifar10_fp32": 297,
    }
    assert rows["mnv2_cifar10_fp32"]["energy_mj"] == pytest.approx(5.869, rel=0.01)
    assert 4980 < campaign.manifest.meter.sampling_hz < 5000
    assert campaign.manifest.idle.power_mw == pytest.approx(205.117, abs=0.001)
