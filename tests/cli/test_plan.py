"""`deepen plan`: what it writes and prints, for new and known devices, and what it refuses."""

import hashlib
import json
import shutil

import jsonschema
import onnx
import pytest

from harness.cli import main
from harness.schema.export import json_schemas
from tests.graphs.models import small_onnx
from tests.validation.golden import BASE


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a command line in a folder with one model file, and give exit code, output and error output."""
    monkeypatch.chdir(tmp_path)
    onnx.save(small_onnx(), "small.onnx")

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["deepen", "plan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


OWN = ("--device", "my-board", "--rows", 4, "--for", "small.onnx", "--input", "x=1x4x8x6", "--out", "plan")


def written(tmp_path):
    return json.loads((tmp_path / "plan" / "plan.json").read_text())


def test_plan_for_a_model_file_has_its_files_and_measures_the_network_as_a_whole_too(run, tmp_path):
    code, out, err = run(*OWN)
    assert (code, err) == (0, "")
    plan = written(tmp_path)
    jsonschema.validate(plan, json_schemas()["plan.schema.json"])
    (network,) = plan["networks"]
    files = [*(file for kernel in plan["kernels"] for file in kernel["files"]), network["file"]]
    folder = tmp_path / "plan"
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.name != "plan.json")
    assert sorted(file["path"] for file in files) == there
    for file in files:
        content = (folder / file["path"]).read_bytes()
        assert (file["sha256"], file["n_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (folder / network["file"]["path"]).read_bytes() == (tmp_path / "small.onnx").read_bytes()
    assert {each["id"] for each in plan["order"]} == {network["id"], *(kernel["id"] for kernel in plan["kernels"])}
    assert "for 1 network, 1 of them measured as a whole too" in out
    assert f"plan/plan.json, {len(files)} model files" in out


def test_json_is_what_plan_json_holds(run, tmp_path):
    code, out, _ = run(*OWN, "--format", "json")
    assert (code, json.loads(out)) == (0, written(tmp_path))


def test_kernels_of_a_known_device_are_not_planned_again(run, tmp_path):
    shutil.copytree(BASE, tmp_path / "submissions")
    assert run(*OWN)[0] == 0
    assert written(tmp_path)["n_measured"] == 0
    shutil.rmtree(tmp_path / "plan")
    code, _, err = run(*OWN[2:], "--device", "acme-phone", "--delegate", "CPU1")
    assert (code, err) == (0, "")
    assert written(tmp_path)["n_measured"] > 0
    assert written(tmp_path)["variance_measured"] < 1


def test_known_device_of_several_delegates_has_to_say_which(run, tmp_path):
    shutil.copytree(BASE, tmp_path / "submissions")
    code, _, err = run(*OWN[2:], "--device", "acme-phone")
    assert (code, err) == (
        2, "deepen: acme-phone was measured as CPU1, CPU4, GPU; choose one with --delegate\n",
    )  # fmt: skip
    assert not (tmp_path / "plan").exists()


def test_network_without_weights_is_planned_for_and_not_run(run, tmp_path):
    model = small_onnx()
    model.graph.input.extend(onnx.helper.make_tensor_value_info(each.name, each.data_type, each.dims)
                             for each in model.graph.initializer if each.name == "w")  # fmt: skip
    kept = [each for each in model.graph.initializer if each.name != "w"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, "small.onnx")
    code, out, _ = run(*OWN)
    assert code == 0
    assert written(tmp_path)["networks"][0]["file"] is None
    assert "for 1 network, 0 of them measured as a whole too" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dtype", "int8"), "kernels cannot be written in int8; expected fp32, which the files are in"),
        (("--files", "coreml"), "'coreml' is not a known format"),
        (("--runtime", "tflite-cpx"), "'tflite-cpx' is not a known runtime"),
        (("--device", "../x"), "'../x' cannot name a folder"),
        (("--rows", 900), "900 kernels to measure; expected 2 to"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_wrong_arguments_are_refused_in_words_and_nothing_is_written(run, tmp_path, arguments, message):
    code, out, err = run(*OWN, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "plan").exists()


def test_folder_with_files_is_refused(run, tmp_path):
    (tmp_path / "plan").mkdir()
    assert run(*OWN)[0] == 0
    before = (tmp_path / "plan" / "plan.json").read_bytes()
    code, _, err = run(*OWN)
    assert (code, err) == (2, "deepen: plan is not an empty folder; name another with --out, or remove it\n")
    assert (tmp_path / "plan" / "plan.json").read_bytes() == before


def test_file_that_is_no_model_is_refused(run, tmp_path):
    (tmp_path / "small.onnx").write_text("no model")
    code, _, err = run(*OWN)
    assert code == 1
    assert "[model-format]" in err
