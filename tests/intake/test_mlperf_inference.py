"""Results of MLPerf Inference with power become submissions; the figures of real runs are those that are published."""

import csv
import json
import os
from pathlib import Path

import pytest
import yaml

from harness.errors import UsageError
from harness.graphs.families.named import NAMED
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.intake.mlperf_networks import NETWORKS
from harness.intake.mlperf_systems import EdgeSystem
from harness.intake.stated import StatedFacts
from harness.intake.tiny_systems import System
from harness.releases import assemble
from harness.schema.network_names import FAMILIES
from harness.validation import validate
from tests.intake.mlperf_trees import DESCRIPTION, SYSTEM, results_tree, run_log
from tests.traces.benchmark_logs import spl

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream"))
PUBLISHED = UPSTREAM.parent / "published" / "mlperf_edge"
SCENARIO = "open/Acme/results/rpi4-tflite-v9.9-ruy/mobilenet-v2-0.5-96-quantized/singlestream"
POWER = f"{SCENARIO}/performance/run_1/spl.txt"
LOG = "performance/run_1/mlperf_log_detail.txt"
needs_upstream = pytest.mark.skipif(
    not (UPSTREAM / "mlperf_inference").is_dir() or not PUBLISHED.is_dir(),
    reason="needs the upstream and published files; set DEEPEN_UPSTREAM",
)


def taken(source, tmp_path, *names, **stated):
    return take_in("mlperf-inference", source, *names, out=tmp_path / "out", **stated)


def row_of(result):
    (campaign,) = validate([result.folder]).campaigns
    (row,) = campaign.tables["models"].to_pylist()
    return row


def reason(result):
    (row,) = result.quarantined
    return [str(issue) for issue in row.issues]


def test_run_becomes_a_row_with_everything_that_its_files_state(tmp_path):
    result = taken(results_tree(tmp_path), tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (1, 1, 0)
    row = row_of(result)
    # Samples of 11 to 30 s lie inside; that of 11 s is half idle, and the ripple of 20 samples has a mean of 0.01 W.
    power_mw, repeat_mw = (5.5 + 19 * 8) / 20 * 1e3 + 10, (6 + 19 * 9) / 20 * 1e3 + 10
    expected = {
        "model": "MobileNetV2-alpha-0.5-96",
        "family": "MobileNetV2",
        "variant": "alpha-0.5-96",
        "input_shape": "96x96x3",
        "dtype": "int8",
        "delegate": "CPU",
        "energy_kind": "absolute",
        "energy_mj": power_mw * 20 / 40,
        "latency_ms": 499.0,
        "latency_p90_ms": 510.0,
        "power_mw": power_mw,
        "accuracy_percent": 57.875,
        "accuracy_dataset": "ImageNet-1k",
        "auc": None,
        "idle_before_mw": 3010.0,
        "idle_after_mw": 3010.0,
        "repeat_energy_mj": repeat_mw * 20 / 50,
        "repeat_latency_ms": 400.0,
        "rounds": ["v2.1"],
        "source_id": POWER,
    }
    numbers = {name for name, value in expected.items() if isinstance(value, float)}
    assert {name: row[name] for name in expected.keys() - numbers} == {
        name: expected[name] for name in expected.keys() - numbers
    }
    assert {name: row[name] for name in numbers} == pytest.approx({name: expected[name] for name in numbers}, rel=2e-4)


def test_description_becomes_device_and_submission_under_names_of_their_own(tmp_path):
    result = taken(results_tree(tmp_path), tmp_path)
    campaign = "mlperf-inference-v2.1-open-Acme-rpi4-tflite-v9.9-ruy"
    assert result.folder == tmp_path / "out" / "raspberry-pi-4" / campaign
    assert yaml.safe_load((result.folder.parent / "device.yaml").read_text()) == {
        "name": "Raspberry Pi 4",
        "device_class": "single-board-computer",
        "soc": "Broadcom BCM2711",
        "processor_name": "4 x Arm Cortex-A72",
        "vendor": "Raspberry Pi",
        "delegates": {"CPU": "cpu", "GPU": "gpu"},
    }
    submission = yaml.safe_load((result.folder / "submission.yaml").read_text())
    stated = "processor: Arm Cortex-A72 MP4, clock: 1500 MHz, cooling: fan on."
    assert f"System rpi4-tflite-v9.9-ruy, {stated}" in submission.pop("notes")
    assert submission == {
        "schema_version": 1,
        "title": "MLPerf Inference v2.1, open division, single stream with power, TFLite v9.9 (ruy)",
        "contributors": ["Acme Labs"],
        "date": "2026-07-13",
        "method": "measured",
        "runtime": "TFLite v9.9 (ruy)",
        "boundary": "wall",
        "licence": "Apache-2.0",
        "source": {
            "citation": "MLCommons, MLPerf Inference v2.1 results, open division, submitted by Acme Labs for Raspberry "
            "Pi 4.",
            "url": "https://github.com/mlcommons/inference_results_v2.1",
            "attribution": "Figures from the results repository of MLCommons, MLPerf Inference v2.1 (Apache-2.0). "
            "MLPerf is a trademark of MLCommons; figures derived from these results are not verified by MLCommons.",
        },
        "system": {"stack": "TFLite 9.9 ruy", "submitter": "Acme Labs", "round": "v2.1"},
        "kernel_lists": "tflite-cpu",
        "meter": {"name": "Acme WT1", "kind": "analyser", "sampling_hz": 1.0},
        "untraced": "The power logs are kept in the source repository, at the path that is the source id of each row.",
    }
    (campaign,) = validate([result.folder]).campaigns
    assert campaign.manifest.tier == "analyser"


def test_kernel_lists_are_those_that_the_submissions_beside_share(tmp_path):
    tree = results_tree(tmp_path)
    assert [issue.rule for issue in taken(tree, tmp_path).report.issues] == ["network-shared"]
    lists = Path(__file__).parents[2] / "submissions" / "_graphs"
    (tmp_path / "out" / "_graphs").symlink_to(lists)
    result = taken(tree, tmp_path)
    assert not result.report.issues
    (campaign,) = validate([result.folder]).campaigns
    assert [network.params for network in campaign.shared_networks.values()] == [None]
    (row,) = assemble([campaign]).levels["models"].to_pylist()
    assert row["params"] == pytest.approx(1.95e6, rel=0.02)


@pytest.mark.parametrize(
    ("framework", "lists"),
    [("ArmNN v22.11 (OpenCL)", "tflite-cpu"), ("Onnxruntime v1.12.1 (cpp)", "onnxruntime-cpu"),
     ("JetPack 4.6, TensorRT 8.0.1", None)],
)  # fmt: skip
def test_stack_whose_fusion_nobody_documents_takes_no_kernel_lists(framework, lists):
    described = System("rpi4", {"system_name": "Raspberry Pi 4", "framework": framework})
    assert EdgeSystem(described, "v2.0").kernel_lists == lists


@pytest.mark.parametrize(
    ("folder", "framework", "settings"),
    [
        ("rpi4coral-fan.on-tflite-v2.4.1-ruy", "TFLite v2.4.1 (ruy)", {"stack": "TFLite 2.4.1 ruy", "fan": "on"}),
        ("xavier-power.0-fan.cool-armnn-v21.02-neon", "ArmNN v21.02 (Neon)",
         {"stack": "Arm NN 21.02 Neon", "power_mode": "0", "fan": "cool"}),
        ("xavier_nx_TRT_MaxQ", "JetPack 4.6, TensorRT 8.0.1, CUDA 10.2",
         {"stack": "TensorRT 8.0.1", "power_mode": "MaxQ"}),
        ("aedk_15w-qaic-v1.3.14-aic100", "Qualcomm Cloud AI SDK v1.3.14",
         {"stack": "Qualcomm Cloud AI SDK 1.3.14", "power_mode": "15w"}),
        ("nvidia_orin-tflite_cpp-cpu-tflite-vmaster-default_config", "TFLite vmaster (xnnpack)",
         {"stack": "TFLite master XNNPACK"}),
        ("x", "SiMa SDK Version 0.7", {"stack": "SiMa SDK 0.7"}),
        ("x", "SinianML-RKNN", {"stack": "SinianML-RKNN"}),
    ],
)  # fmt: skip
def test_stack_and_settings_are_those_of_framework_and_folder(folder, framework, settings):
    names = "Raspberry Pi 4, AGX Xavier, Xavier NX, Orin, AI Development Kit"
    described = System(folder, {"system_name": names, "framework": framework})
    assert EdgeSystem(described, None).settings() == settings


def test_names_and_commit_that_the_caller_states_are_used(tmp_path):
    source = results_tree(tmp_path)
    result = taken(source, tmp_path, "mine", "again", stated=StatedFacts(identifier="0a1b2c3d"))
    assert result.folder == tmp_path / "out" / "mine" / "again"
    assert yaml.safe_load((result.folder / "submission.yaml").read_text())["source"]["identifier"] == "0a1b2c3d"
    with pytest.raises(UsageError, match="mlperf-inference takes no facts such as model"):
        taken(source, tmp_path, stated=StatedFacts(model="Net"))


def test_long_names_of_campaigns_stay_different(tmp_path):
    words = "rpi4-power.0-fan.cool-armnn-v21.05-and-more-"
    first, second = (
        taken(results_tree(tmp_path / each, system=f"{words}{each}"), tmp_path) for each in ("neon", "opencl")
    )
    assert first.folder.name != second.folder.name
    assert len(first.folder.name) == len(second.folder.name) <= 64


def test_before_queries_were_counted_energy_is_power_times_mean_latency(tmp_path):
    files = {LOG: run_log(result_query_count=None)}
    row = row_of(taken(results_tree(tmp_path, round_name="v1.0", files=files), tmp_path))
    assert row["energy_mj"] == pytest.approx(row["power_mw"] * 0.499, rel=1e-8)


def test_optional_files_that_are_missing_leave_their_cells_empty_and_a_broken_repeat_is_noted(tmp_path):
    files = {"accuracy/accuracy.txt": None, "performance/ranging/spl.txt": None}
    result = taken(results_tree(tmp_path, files=files), tmp_path)
    row = row_of(result)
    assert [row[name] for name in ("accuracy_percent", "repeat_energy_mj", "repeat_latency_ms")] == [None] * 3
    notes = yaml.safe_load((result.folder / "submission.yaml").read_text())["notes"]
    assert "The ranging run gives no energy for mobilenet-v2-0.5-96-quantized." in notes


def missing(text, *seconds):
    """Power log in which the meter missed samples."""
    lines = text.splitlines(keepends=True)
    return "".join(
        line.replace(line.split(",")[3], "-1.000000") if number in seconds else line
        for number, line in enumerate(lines)
    )


def test_missed_samples_outside_of_the_window_are_no_power(tmp_path):
    row = row_of(taken(results_tree(tmp_path, files={"performance/run_1/spl.txt": missing(spl(), 2, 40)}), tmp_path))
    assert row["idle_before_mw"] == row["idle_after_mw"] == pytest.approx(3010)


def test_repeat_may_miss_some_samples_and_not_most(tmp_path):
    for seconds, is_used in ((range(12, 18), True), (range(12, 30), False)):
        files = {"performance/ranging/spl.txt": missing(spl(), *seconds)}
        row = row_of(taken(results_tree(tmp_path / str(is_used), files=files), tmp_path))
        assert (row["repeat_energy_mj"] is not None) == is_used
    assert row["repeat_energy_mj"] is None


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (
            {"performance/run_1/spl.txt": None},
            "spl.txt: no spl.txt in run_1/; expected spl.txt and mlperf_log_detail.txt",
        ),
        ({LOG: None}, "mlperf_log_detail.txt: no mlperf_log_detail.txt in run_1/; expected spl.txt and"),
        ({LOG: "nothing\n"}, "nothing; expected a log of LoadGen"),
        (
            {"accuracy/accuracy.txt": "accuracy=nan%, good=1, total=2\n"},
            "accuracy.txt: accuracy=nan%; expected accuracy= with a number and %",
        ),
        (
            {LOG: run_log(result_validity="INVALID")},
            "mlperf_log_detail.txt: result_validity INVALID; expected result_validity VALID",
        ),
        (
            {LOG: run_log(effective_scenario="Offline")},
            "effective_scenario Offline; expected effective_scenario SingleS",
        ),
        ({LOG: run_log(result_mean_latency_ns=0)}, "no result_mean_latency_ns; expected"),
        (
            {LOG: run_log(result_query_count=30)},
            "666.667 ms, the window over 30 queries; expected 499 ms within 2.0%, as result_mean_latency_ns states",
        ),
        (
            {LOG: run_log(power_begin="07-13-2026 12:00:10.500", power_end="07-13-2026 12:00:30.500")},
            "spl.txt: a window from 2026-07-13 12:00:10.500 to 2026-07-13 12:00:30.500; expected one inside the power "
            "log, 2026-07-13 11:00:00.000 to 2026-07-13 11:00:59.000",
        ),
        (
            {"performance/run_1/spl.txt": missing(spl(), 20)},
            "spl.txt: 1 samples of -1 W inside the window, and at most 2 s between two others; expected a "
            "sample every 1 s",
        ),
        (
            {"performance/run_1/spl.txt": "".join(spl().splitlines(keepends=True)[:15] + spl().splitlines(True)[25:])},
            "spl.txt: 0 samples of -1 W inside the window, and at most 11 s between two others",
        ),
        (
            {"performance/run_1/spl.txt": "".join(reversed(spl().splitlines(keepends=True)))},
            "spl.txt: sample 2 is not after the one before it; expected stamps that rise",
        ),
        ({"performance/run_1/spl.txt": spl() + "Time,soon\n"}, "spl.txt:61: Time,soon; expected Time,MM-DD-YYYY"),
        ({"performance/run_1/spl.txt": "Power\n"}, "spl.txt:1: Power; expected Time,MM-DD-YYYY"),
        (
            {"performance/power/ptd_logs.txt": None},
            "no meter beside the run; expected power/ptd_logs.txt or power/server",
        ),
    ],
)
def test_run_that_gives_no_energy_is_kept_with_its_reason(tmp_path, files, text):
    result = taken(results_tree(tmp_path, files=files), tmp_path)
    assert (result.n_accepted, result.n_quarantined) == (0, 1)
    (line,) = reason(result)
    assert line.startswith(f"{SCENARIO}/performance/run_1/")
    assert text in line


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({LOG: run_log(result_validity="INVALID")}, "run-invalid"),
        ({LOG: run_log(result_query_count=30)}, "latency-count"),
        ({"performance/run_1/spl.txt": missing(spl(), 20)}, "power-missed"),
        ({"performance/run_1/spl.txt": None}, "trace-missing"),
    ],
)
def test_rules_of_benchmark_runs(tmp_path, changed, rule):
    assert list(taken(results_tree(tmp_path, files=changed), tmp_path).reasons) == [rule]


def test_meter_that_no_log_names_is_the_one_that_answered(tmp_path):
    answers = {"ptd_messages": [{"cmd": "Hello", "reply": "Hello"}, {"cmd": "Identify", "reply": "AcmeWT1,1000,1"}]}
    files = {"performance/power/ptd_logs.txt": None, "performance/power/server.json": json.dumps(answers)}
    result = taken(results_tree(tmp_path, files=files), tmp_path)
    assert yaml.safe_load((result.folder / "submission.yaml").read_text())["meter"]["name"] == "AcmeWT1"


def test_benchmark_of_an_unknown_network_is_kept_with_its_reason(tmp_path):
    result = taken(results_tree(tmp_path, benchmark="mobilenet-v9"), tmp_path)
    assert reason(result)[0].endswith(
        "benchmark mobilenet-v9; expected a benchmark whose network is known. Add the benchmark to NETWORKS of "
        "harness/intake/mlperf_networks.py, with its family. [foreign-file]"
    )


@pytest.mark.parametrize(
    ("description", "rule", "text"),
    [
        (None, "foreign-file", "no description; expected a JSON object with system_name"),
        ({"framework": "TFLite"}, "foreign-file", "no system_name; expected a JSON object with system_name"),
        (
            DESCRIPTION | {"system_name": "NVIDIA Jetson AGX Xavier"},
            "system-mismatch",
            "system_name NVIDIA Jetson AGX Xavier; expected Raspberry Pi 4. Find out which board was measured",
        ),
    ],
)
def test_system_that_is_not_known_is_refused(tmp_path, description, rule, text):
    with pytest.raises(ForeignSourceError) as error:
        taken(results_tree(tmp_path, description=description), tmp_path)
    (issue,) = error.value.report.issues
    assert (issue.rule, issue.file) == (rule, f"systems/{SYSTEM}.json")
    assert text in str(issue)
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").rglob("*.csv"))


def test_known_defect_of_a_round_gives_the_board_of_the_folder_and_no_fact_of_the_other(tmp_path):
    other = DESCRIPTION | {"system_name": "NVIDIA Jetson AGX Xavier", "host_processor_model_name": "NVIDIA Carmel"}
    tree = results_tree(tmp_path, system="odroid-tflite-v2.7.1-ruy", round_name="v2.0", description=other)
    result = taken(tree, tmp_path)
    assert yaml.safe_load((result.folder.parent / "device.yaml").read_text()) == {
        "name": "Odroid N2+",
        "device_class": "single-board-computer",
        "soc": "Amlogic S922X",
        "processor_name": "4 x Arm Cortex-A73, 2 x Arm Cortex-A53",
        "vendor": "Hardkernel",
        "delegates": {"CPU": "cpu", "GPU": "gpu"},
    }
    notes = yaml.safe_load((result.folder / "submission.yaml").read_text())["notes"]
    assert "Its description names NVIDIA Jetson AGX Xavier" in notes
    with pytest.raises(ForeignSourceError, match="system-mismatch"):
        taken(results_tree(tmp_path / "b", system="odroid-x", round_name="v2.1", description=other), tmp_path)


def test_delegate_that_is_stated_goes_before_that_of_the_description(tmp_path):
    stated = StatedFacts(delegate="EdgeTPU=npu", dtype="fp16")
    result = taken(results_tree(tmp_path), tmp_path, stated=stated)
    row = row_of(result)
    # The name of the benchmark states the data type.
    assert (row["delegate"], row["dtype"]) == ("EdgeTPU", "int8")
    device = yaml.safe_load((result.folder.parent / "device.yaml").read_text())
    assert device["delegates"]["EdgeTPU"] == "npu"
    with pytest.raises(UsageError, match="leave --runtime out"):
        taken(results_tree(tmp_path / "b"), tmp_path / "b", stated=StatedFacts(runtime="Another 1.0"))


@pytest.mark.parametrize(
    ("framework", "accelerator", "delegate"),
    [
        ("ArmNN v22.11 (OpenCL)", "ARM Mali G52", ("GPU", "gpu")),
        ("ArmNN v22.11 (Neon)", "N/A", ("CPU", "cpu")),
        ("TFLite vmaster (xnnpack)", "NVIDIA Jetson", ("CPU", "cpu")),
        ("JetPack 4.6, TensorRT 8.0.1", "NVIDIA Xavier NX", ("TensorRT", "heterogeneous")),
        ("Acme Cloud SDK v1", "Acme AI 100 (DM.2e)", ("Acme AI 100 DM.2e", "npu")),
        ("Onnxruntime v1.12.1 (cpp)", "-", ("CPU", "cpu")),
    ],
)
def test_delegate_follows_from_framework_and_accelerator(tmp_path, framework, accelerator, delegate):
    described = DESCRIPTION | {"system_name": "Acme Box (small)", "framework": framework,
                               "accelerator_model_name": accelerator}  # fmt: skip
    result = taken(results_tree(tmp_path, system="acme_box", description=described), tmp_path)
    device = yaml.safe_load((result.folder.parent / "device.yaml").read_text())
    assert (result.folder.parent.name, device["name"], device["device_class"]) == (
        "acme-box-small", "Acme Box (small)", "unstated",
    )  # fmt: skip
    assert device["delegates"] == dict([delegate])
    assert row_of(result)["delegate"] == delegate[0]


def test_source_with_no_run_or_several_systems_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty holds no run of MLPerf Inference"):
        taken(tmp_path / "empty", tmp_path)
    results_tree(tmp_path)
    results = results_tree(tmp_path, system="vim4-tflite").parent
    with pytest.raises(UsageError, match=r"results holds 2 systems, .*: rpi4-tflite-v9\.9-ruy, vim4-tflite"):
        taken(results, tmp_path)
    with pytest.raises(UsageError, match="takes no mapping"):
        taken(results / SYSTEM, tmp_path, mapping=tmp_path / "mapping.yaml")


def test_date_is_what_all_runs_have_in_common(tmp_path):
    tree = results_tree(tmp_path)
    other = results_tree(tmp_path, benchmark="efficientnet-lite3-quantized") / "efficientnet-lite3-quantized"
    for path in other.rglob("*.txt"):
        path.write_text(path.read_text().replace("07-13-2026", "07-14-2026"))
    result = taken(tree, tmp_path)
    assert result.n_accepted == 2
    assert yaml.safe_load((result.folder / "submission.yaml").read_text())["date"] == "2026-07"


def test_run_without_any_that_is_usable_is_dated_by_its_round(tmp_path):
    tree = results_tree(tmp_path, round_name="v9.9", files={LOG: None})
    with pytest.raises(UsageError, match="nothing states when the runs were made"):
        taken(tree, tmp_path)


def test_format_without_names_asks_for_them(tmp_path):
    with pytest.raises(UsageError, match="deepen2023 does not name its device and campaign"):
        take_in("deepen2023", results_tree(tmp_path), out=tmp_path / "out")


def test_networks_by_width_and_image_are_those_that_the_harness_builds():
    for benchmark, network in NETWORKS.items():
        if benchmark.startswith(("mobilenet", "efficientnet", "resnet50")):
            assert (network.family, network.variant) in NAMED, benchmark
            assert network.family in FAMILIES
    sides = {(network.family, network.variant): network.side for network in NETWORKS.values()}
    assert (sides["MobileNetV2", "alpha-0.35-160"], sides["EfficientNet-Lite", "lite4"]) == (160, 300)
    assert (
        NETWORKS["mobilenet-v3-precision_uint8-large-minimalistic-224"]
        == (NETWORKS["mobilenet-v3-large-minimalistic_224_1.0_uint8"])
    )


@needs_upstream
def test_every_published_benchmark_has_its_network():
    with (PUBLISHED / "singlestream.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["benchmark"] for row in rows} <= NETWORKS.keys()
    for row in rows:
        dtype = NETWORKS[row["benchmark"]].dtype
        words = {"fp32": ("non-quantized", "float", "fp32"), "int8": ("quantized", "uint8", "int8"), "unstated": ("",)}
        assert any(word in row["benchmark"] for word in words[dtype])
        assert ("non-quantized" in row["benchmark"]) <= (dtype == "fp32")


@needs_upstream
def test_real_runs_give_the_published_figures(tmp_path):
    published = {}
    for name in ("singlestream", "idle_and_repeat"):
        with (PUBLISHED / f"{name}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                published.setdefault((row["round"], row["source_path"]), {}).update(row)
    found = {}
    for round_folder in sorted((UPSTREAM / "mlperf_inference").iterdir()):
        if not round_folder.is_dir():
            continue
        result = taken(round_folder, tmp_path)
        assert result.n_quarantined == 0
        (campaign,) = validate([result.folder]).campaigns
        meter = campaign.manifest.meter
        for row in campaign.tables["models"].to_pylist():
            found[round_folder.name, row["source_id"]] = row | {
                "meter": meter.name,
                "runtime": campaign.manifest.runtime,
            }
    assert len(found) == 6
    for key, row in found.items():
        printed = published[key]
        assert (row["meter"], row["runtime"]) == (printed["meter"], printed["framework"])
        for column, name, factor in (
            ("energy_mj", "energy_mj", 1),
            ("latency_ms", "latency_mean_ms", 1),
            ("latency_p90_ms", "latency_p90_ms", 1),
            ("power_mw", "power_mw", 1),
            ("accuracy_percent", "accuracy", 1),
            ("idle_before_mw", "pre_median_w", 1000),
            ("idle_after_mw", "post_median_w", 1000),
            ("repeat_energy_mj", "ranging_energy_mj", 1),
            ("repeat_latency_ms", "ranging_latency_ms", 1),
        ):
            decimals = len(printed[name].partition(".")[2])
            expected = float(printed[name]) * factor
            assert row[column] == pytest.approx(expected, rel=5e-9, abs=0.5 * factor * 10**-decimals), (key, column)
