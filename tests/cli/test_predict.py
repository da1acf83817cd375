"""`deepen predict`: the energy of a model file in every form, what it refuses, and where its predictor comes from."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest

from harness.api import predictions
from harness.cli import main
from harness.prediction import fitted_predictor
from harness.prediction.extrapolation import ranges_of
from harness.prediction.fitted_predictor import MODEL_FILE, RANGES_FILE, make_stamp
from harness.prediction.training_set import training_set
from harness.predictor.loading import load_model
from harness.predictor.persistence import saved_bytes
from harness.releases import assemble
from harness.sandbox.jobs import Outcome
from tests.evaluation.releases import kernel_device, true_energy
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
    (tmp_path / "submissions" / "acme-phone" / "device.yaml").write_text("")
    monkeypatch.setattr(predictions, "read_release", lambda paths, on_step: assemble([kernel_device()]))

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
    """conv+bn+relu and fully connected, which the device has measured, then softmax, which has no type."""
    maker = ModelMaker()
    x = maker.add("Relu", [maker.bn(maker.conv("image", 8, [3, 3], 1, 1, has_bias=False))], (1, 8, 12, 10))
    flat = maker.add("Flatten", [x], (1, 960))
    x = maker.add("Gemm", [flat, maker.weight(960, 10), maker.weight(10)], (1, 10))
    onnx.save(maker.model([maker.add("Softmax", [x], (1, 10), axis=1)]), tmp_path / "net.onnx")
    return "net.onnx"


@pytest.fixture
def odd(tmp_path):
    """Network most of which has no kernel type."""
    maker = ModelMaker()
    x = maker.add("Softmax", ["image"], maker.images["image"], axis=1)
    onnx.save(maker.model([maker.add("Relu", [x], maker.images["image"])]), tmp_path / "odd.onnx")
    return "odd.onnx"


def test_table_shows_kernels_energy_coverage_and_what_is_missing(run, model):
    code, out, err = run(model, "--device", "acme-phone")
    assert (code, err) == (0, "")
    assert "net.onnx on acme-phone, CPU1, fp32" in out
    assert "90 % interval" in out
    assert "12x10x4>8 3x3" in out
    assert re.search(
        r"^energy of one inference: at least 0\.\d+ mJ \(90 % interval 0\.\d+ to 0\.\d+ mJ\), without 1", out, re.M
    )
    assert "without 1 softmax" in out
    assert "coverage: 2 of 3 kernels, > 99.9 % of FLOPs" in out
    assert "not in this energy: 1 softmax, < 0.1 % of FLOPs: has no kernel type" in out
    assert "by mine (fitted now), from 60 kernels measured with a power analyser" in out
    assert "warning: fc with cin 960, fitted on 14 to " in out


def test_json_has_every_figure(run, model):
    code, out, _ = run(model, "--device", "acme-phone", "--format", "json", "--coverage", "0.5")
    found = json.loads(out)
    assert code == 0
    energies = [kernel["energy_mj"] for kernel in found["kernels"]]
    costs = [float(true_energy(kernel["flops"], kernel["bytes_moved"])) for kernel in found["kernels"][:2]]
    assert energies == [pytest.approx(costs[0]), pytest.approx(costs[1]), None]
    assert found["energy_mj"] == pytest.approx(sum(costs))
    assert found["low_mj"] > 0.9 * found["energy_mj"] - ALIKE
    assert found["energy_mj"] < found["high_mj"] <= 1.5 * found["energy_mj"] + ALIKE
    assert (found["interval_coverage"], found["is_complete"]) == (0.5, False)
    assert sum(kernel["share"] or 0 for kernel in found["kernels"]) == pytest.approx(1)
    assert found["coverage"]["kernels"] == pytest.approx(2 / 3)
    assert [(item["operator"], item["n"]) for item in found["missing"]] == [("softmax", 1)]
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
    assert "1 softmax, " in err
    assert "has no kernel type" in err
    code, out, _ = run(odd, "--device", "acme-phone", "--at-least", "0.1")
    assert code == 0
    assert "at least" in out
    assert "without 1 softmax" in out


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
    monkeypatch.setattr(predictions, "read_release", None)
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


def test_only_the_named_device_is_read(run, model, monkeypatch, tmp_path):
    (tmp_path / "submissions" / "other-phone" / "c").mkdir(parents=True)
    (tmp_path / "submissions" / "other-phone" / "c" / "submission.yaml").write_text("")
    (tmp_path / "submissions" / "other-phone" / "device.yaml").write_text("")
    read = []

    def release(paths, on_step):
        read.extend(paths)
        return assemble([kernel_device()])

    monkeypatch.setattr(predictions, "read_release", release)
    assert run(model, "--device", "acme-phone")[0] == 0
    assert [path.parent.name for path in read] == ["acme-phone"]
