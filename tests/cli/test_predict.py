"""`deepen predict`: the energy of a model file in every form, what it refuses, and where its predictor comes from."""

import json
import re
from xml.etree import ElementTree

import jsonschema
import numpy as np
import onnx
import pytest

from harness.api import device_rows
from harness.cli import main
from harness.prediction import fitted_predictor
from harness.prediction.extrapolation import ranges_of
from harness.prediction.fitted_predictor import MODEL_FILE, RANGES_FILE, make_stamp
from harness.prediction.training_set import training_set
from harness.predictor.loading import load_model
from harness.predictor.persistence import saved_bytes
from harness.releases import assemble
from harness.sandbox.jobs import Outcome
from harness.schema.export import json_schemas
from tests.evaluation.releases import MEASURED, kernel_device, true_energy
from tests.graphs.random_models import ModelMaker
from tests.prediction.test_network_energy import INTERVALS
from tests.predictor.packages import made_package, model_source

ALIKE = 1e-6


@pytest.fixture
def package(tmp_path):
    yield from made_package(tmp_path)


@pytest.fixture
def mine(package):
    """Package with one predictor."""
    package.add("mine", model=model_source(rest=INTERVALS))
    return package


@pytest.fixture
def run(tmp_path, monkeypatch, capfd, mine):
    """Run a command line in an empty folder, and give exit code, output and error output.

    There is one device with kernel rows, and its predictor knows the true energies.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submissions" / "acme-phone" / "kernels-2026").mkdir(parents=True)
    (tmp_path / "submissions" / "acme-phone" / "kernels-2026" / "submission.yaml").write_text("")
    (tmp_path / "submissions" / "acme-phone" / "kernels-2026" / "kernels.csv").write_text("")
    (tmp_path / "submissions" / "acme-phone" / "device.yaml").write_text("")
    monkeypatch.setattr(device_rows, "read_release", lambda paths, on_step: assemble([kernel_device()]))

    def run_jobs(key, jobs, **settings):
        for job in jobs:
            energies = true_energy(job.test["flops"], job.test["bytes_moved"])
            bounds = {each: np.column_stack([energies * 0.9, energies * (1 + each)]) for each in job.coverages}
            yield Outcome("ok", "", energies, bounds)

    monkeypatch.setattr(fitted_predictor, "run_jobs", run_jobs)

    def command(*arguments):
        options = ("--predictors", mine.name, "--predictor", "mine")
        monkeypatch.setattr("sys.argv", ["deepen", "predict", *map(str, arguments), *options])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


@pytest.fixture
def model(tmp_path):
    """Convolutions and fully connected, which the device has measured, then log-softmax, which has no type.

    The first convolution reads fewer channels than any row, and the fully connected layer more.
    """
    maker = ModelMaker()
    x = maker.add("Relu", [maker.bn(maker.conv("image", 16, [3, 3], 1, 1, has_bias=False))], (1, 16, 12, 10))
    x = maker.conv(maker.conv(x, 64, [5, 5], 1, 1, has_bias=True), 16, [3, 3], 1, 1, has_bias=True)
    flat = maker.add("Flatten", [x], (1, 1920))
    x = maker.add("Gemm", [flat, maker.weight(1920, 10), maker.weight(10)], (1, 10))
    onnx.save(maker.model([maker.add("LogSoftmax", [x], (1, 10), axis=1)]), tmp_path / "net.onnx")
    return "net.onnx"


@pytest.fixture
def odd(tmp_path):
    """Network most of which has no kernel type."""
    maker = ModelMaker()
    x = maker.add("LogSoftmax", ["image"], maker.images["image"], axis=1)
    onnx.save(maker.model([maker.add("Relu", [x], maker.images["image"])]), tmp_path / "odd.onnx")
    return "odd.onnx"


def test_table_shows_kernels_energy_coverage_and_what_is_missing(run, model):
    code, out, err = run(model, "--device", "acme-phone")
    assert (code, err) == (0, "")
    assert "net.onnx on acme-phone, CPU1, fp32" in out
    assert "90 % interval" in out
    assert "12x10x4>16 3x3" in out
    assert re.search(
        r"^energy of one inference: at least 1\.\d+ mJ \(90 % interval [01]\.\d+ to [12]\.\d+ mJ, of the "
        r"covered kernels alone\), without 1",
        out,
        re.M,
    )
    assert "without 1 log-softmax" in out
    assert "coverage: 4 of 5 kernels, > 99.9 % of FLOPs, > 99.9 % of bytes" in out
    assert "not in this energy: 1 log-softmax, < 0.1 % of FLOPs, < 0.1 % of bytes: has no kernel type" in out
    assert "kernels as in TensorFlow Lite on the CPU" in out
    assert "by mine (fitted now), from 60 kernels measured with a power analyser" in out
    assert "warning: fc with cin 1920, fitted on 14 to " in out
    assert "extrapolated" not in out


def test_json_has_every_figure(run, model):
    code, out, _ = run(model, "--device", "acme-phone", "--format", "json", "--coverage", "0.5")
    found = json.loads(out)
    assert code == 0
    energies = [kernel["energy_mj"] for kernel in found["kernels"]]
    costs = [float(true_energy(kernel["flops"], kernel["bytes_moved"])) for kernel in found["kernels"][:4]]
    assert energies == [*map(pytest.approx, costs), None]
    assert found["energy_mj"] == pytest.approx(sum(costs))
    known_mj = (1 - found["extrapolated_share"]) * found["energy_mj"]
    assert 0.9 * known_mj - ALIKE < found["low_mj"] < known_mj
    assert found["energy_mj"] < found["high_mj"] <= 1.5 * found["energy_mj"] + ALIKE
    assert [kernel["low_mj"] is None for kernel in found["kernels"]] == [True, False, False, True, True]
    assert 0.05 < found["extrapolated_share"] < 0.2
    assert (found["is_extrapolated"], found["why_no_interval"], found["notes"]) == (False, "", [])
    assert (found["schema_version"], found["runtime"], found["rows_runtime"]) == (1, "tflite-cpu", "tflite-cpu")
    assert (found["interval_coverage"], found["is_complete"]) == (0.5, False)
    assert sum(kernel["share"] or 0 for kernel in found["kernels"]) == pytest.approx(1)
    assert found["coverage"]["kernels"] == pytest.approx(4 / 5)
    assert found["coverage"]["bytes"] > 0.999
    jsonschema.validate(found, json_schemas()["prediction-output.schema.json"])
    assert [(item["operator"], item["n"]) for item in found["missing"]] == [("log-softmax", 1)]
    assert {(each["kernel"], each["field"]) for each in found["warnings"]} >= {("fc", "cin")}
    assert (found["device_id"], found["delegate"], found["dtype"], found["tier"]) == (
        "acme-phone", "CPU1", "fp32", "analyser",
    )  # fmt: skip
    assert found["fitted"]["file"] is None
    assert found["fitted"]["n_rows"] == 60


def test_too_little_coverage_ends_with_1_and_lists_unsupported_kernels(run, odd):
    code, out, err = run(odd, "--device", "acme-phone")
    assert (code, out) == (1, "")
    assert "deepen: mine supports " in err
    assert "1 log-softmax, " in err
    assert "has no kernel type" in err
    code, out, _ = run(odd, "--device", "acme-phone", "--at-least", "0.1", "--extrapolate")
    assert code == 0
    assert "at least" in out
    assert "without 1 log-softmax" in out


def test_another_data_type_is_as_if_the_network_ran_in_it(run, model):
    code, _, err = run(model, "--device", "acme-phone", "--dtype", "int8")
    assert code == 2
    assert "the network runs in int8, and acme-phone was measured in fp32" in err


def test_plot_is_an_svg(run, model, tmp_path):
    code, _, _ = run(model, "--device", "acme-phone", "--plot", "energy.svg")
    assert code == 0
    assert ElementTree.parse(tmp_path / "energy.svg").getroot().tag.endswith("svg")


@pytest.fixture
def file(mine, tmp_path):
    chosen = training_set(assemble([kernel_device()]).levels["kernels"], "acme-phone", "fp32")
    stamp = make_stamp(chosen, "mine", "1.2.0", mine.name)
    path = tmp_path / "saved" / MODEL_FILE
    path.parent.mkdir()
    path.write_bytes(saved_bytes(load_model("mine", mine.name)().fit(chosen.rows), stamp, mine.name))
    path.with_name(RANGES_FILE).write_text(ranges_of(chosen.rows).model_dump_json())
    return path


def test_a_saved_predictor_needs_no_data(run, model, file, monkeypatch):
    monkeypatch.setattr(device_rows, "read_release", None)
    code, out, err = run(model, "--model", file)
    assert (code, err) == (0, "")
    assert f"by mine ({file.as_posix()})" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--device", "acme-fone"), "'acme-fone' is not a known device; did you mean acme-phone?"),
        (
            ("--device", "acme-phone", "--delegate", "CPU2"),
            "'CPU2' is not a known delegate of acme-phone; did you mean CPU1?",
        ),
        ((), "a device is needed (--device ID)"),
        (("--device", "acme-phone", "--runtime", "tflight-cpu"), "'tflight-cpu' is not a known runtime"),
        (("--device", "acme-phone", "--coverage", "1"), "Invalid value for '--coverage'"),
        (("--device", "acme-phone", "--input", "image"), "image"),
        (("--model", "nowhere.skops"), "nowhere.skops cannot be read"),
        (("--device", "other-phone", "--model", "saved/model.skops"), "is of --device acme-phone, and other-phone is"),
        (("--delegate", "GPU", "--model", "saved/model.skops"), "is of --delegate CPU1, and GPU is asked for"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_clear_line(run, model, file, arguments, said):
    code, out, err = run(model, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_fusion_rules_are_those_of_the_devices_rows_whatever_the_file(run, tmp_path):
    maker = ModelMaker()
    x = maker.conv("image", 16, [3, 3], 1, 1, has_bias=True)
    onnx.save(maker.model([maker.add("Sigmoid", [x], (1, 16, 12, 10))]), tmp_path / "net.onnx")
    options = ("net.onnx", "--device", "acme-phone", "--format", "json", "--at-least", "0.1", "--extrapolate")
    own, other = (json.loads(run(*options, *more)[1]) for more in ((), ("--runtime", "onnxruntime-cpu")))
    assert [kernel["operator"] for kernel in own["kernels"]] == ["conv", "sigmoid"]
    assert (own["runtime"], own["rows_runtime"], own["notes"]) == ("tflite-cpu", "tflite-cpu", [])
    assert [kernel["operator"] for kernel in other["kernels"]] == ["conv+sigmoid"]
    assert other["notes"] == ["warning: kernels as in onnxruntime-cpu, but the rows of acme-phone go with tflite-cpu"]
    assert other["notes"][0] in run(*options[:3], *options[5:], "--runtime", "onnxruntime-cpu")[1]


def test_rows_of_a_runtime_without_fusion_rules_are_told_of(run, model, monkeypatch):
    device = kernel_device(facts={"manifest": MEASURED | {"runtime": "Engine 3"}})
    monkeypatch.setattr(device_rows, "read_release", lambda paths, on_step: assemble([device]))
    found = json.loads(run(model, "--device", "acme-phone", "--format", "json")[1])
    assert (found["runtime"], found["rows_runtime"]) == ("onnxruntime-cpu", None)
    assert found["notes"] == [
        "no fusion rules are known for the runtime of acme-phone's rows (Engine 3); kernels are as in ONNX Runtime on "
        "the CPU"
    ]


@pytest.fixture
def others(run, tmp_path):
    """A phone with applications and networks only, and one with a blank submission."""
    for name, files in {"other-phone": ["applications.csv", "models.csv"], "new-phone": []}.items():
        campaign = tmp_path / "submissions" / name / "c"
        campaign.mkdir(parents=True)
        for file in ("submission.yaml", "../device.yaml", *files):
            (campaign / file).write_text("")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (
            "other-phone",
            "has no kernel rows, from which a prediction is made; it has energies of whole networks and app",
        ),
        ("new-phone", "has no kernel rows, from which a prediction is made; it has no rows at all"),
        ("acme-fone", "'acme-fone' is not a known device; did you mean acme-phone?"),
        ("zzz", "'zzz' is not a known device."),
    ],
)
def test_a_device_without_kernel_rows_is_answered_with_those_that_have_some(run, model, others, device, said):
    code, out, err = run(model, "--device", device)
    assert (code, out) == (2, "")
    assert said in err
    assert "Devices that can be predicted: acme-phone; deepen predict --list shows how" in err


def test_what_can_be_predicted_is_listed(run, others):
    code, out, err = run("--list")
    assert (code, err) == (0, "")
    for word in ("acme-phone", "CPU1", "cpu", "fp32", "tflite-cpu", "60", "conv-bn-relu 20", "relu 20", "fc 20"):
        assert word in out
    assert "without kernel rows, with models and applications: other-phone" in out
    assert "without kernel rows, with no rows: new-phone" in out


def test_what_can_be_predicted_is_listed_as_json(run, others):
    code, out, _ = run("--list", "--format", "json")
    found = json.loads(out)
    assert code == 0
    jsonschema.validate(found, json_schemas()["predictable-output.schema.json"])
    (one,) = found["predictable"]
    assert (one["device_id"], one["delegate"], one["processor"], one["dtype"]) == ("acme-phone", "CPU1", "cpu", "fp32")
    assert (one["runtime"], one["stated_runtime"], one["n_rows"]) == ("tflite-cpu", "TensorFlow Lite", 60)
    assert {of["kernel"]: of["n_rows"] for of in one["kernels"]} == {"conv-bn-relu": 20, "relu": 20, "fc": 20}
    assert found["others"] == [
        {"device_id": "new-phone", "levels": []},
        {"device_id": "other-phone", "levels": ["models", "applications"]},
    ]


def test_without_any_kernel_rows_nothing_is_listed(run, tmp_path):
    (tmp_path / "submissions" / "acme-phone" / "kernels-2026" / "kernels.csv").unlink()
    found = json.loads(run("--list", "--format", "json")[1])
    assert (found["predictable"], len(found["others"])) == ([], 1)
    code, _, err = run("net.onnx", "--device", "acme-phone")
    assert code == 2
    assert "No device in these submissions has kernel rows; name others with --data" in err


def test_a_model_is_needed(run):
    code, _, err = run("--device", "acme-phone")
    assert code == 2
    assert "MODEL is needed" in err


def test_most_of_the_energy_outside_is_refused_unless_asked_for(run, tmp_path):
    maker = ModelMaker()
    onnx.save(maker.model([maker.conv("image", 16, [3, 3], 1, 1, has_bias=True)]), tmp_path / "net.onnx")
    code, out, err = run("net.onnx", "--device", "acme-phone")
    assert (code, out) == (1, "")
    assert "100.0 % of the energy on acme-phone is of kernels unlike all that mine was fitted on" in err
    assert "conv-bn-relu with cin 4, fitted on 8 to 179: 100.0 % of the energy" in err
    code, out, _ = run("net.onnx", "--device", "acme-phone", "--extrapolate")
    assert code == 0
    assert "mJ (no interval: 100.0 % of the energy is extrapolated" in out
    assert "warning: extrapolated, 100.0 % of the energy" in out
    found = json.loads(run("net.onnx", "--device", "acme-phone", "--extrapolate", "--format", "json")[1])
    assert (found["is_extrapolated"], found["extrapolated_share"], found["low_mj"]) == (True, 1, None)


def test_only_the_named_device_is_read(run, model, monkeypatch, tmp_path):
    (tmp_path / "submissions" / "other-phone" / "c").mkdir(parents=True)
    (tmp_path / "submissions" / "other-phone" / "c" / "submission.yaml").write_text("")
    (tmp_path / "submissions" / "other-phone" / "device.yaml").write_text("")
    read = []

    def release(paths, on_step):
        read.extend(paths)
        return assemble([kernel_device()])

    monkeypatch.setattr(device_rows, "read_release", release)
    assert run(model, "--device", "acme-phone")[0] == 0
    assert [path.parent.name for path in read] == ["acme-phone"]
