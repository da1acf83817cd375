"""A plan is run as it was written: its files by their hashes, in its order, and what cannot run keeps its reason."""

import hashlib
import json
import shutil
import zipfile

import pytest
from deepen_measure import plan as planned
from deepen_measure import running
from deepen_measure.errors import MeasureError
from deepen_measure.plan import is_plan, n_files, take, with_anchors

from harness import api
from tests.measure.networks import MEASURED, write


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A plan with kernels in one format or both, and a network."""
    here = tmp_path_factory.mktemp("plan")
    paths = write(here, {"wide": MEASURED["wide"]})
    return api.plan("my-board", 4, networks=list(paths.values()), out=here / "plan", data=here).folder


@pytest.fixture
def copy(written, tmp_path):
    """The plan, to be damaged."""
    return shutil.copytree(written, tmp_path / "plan")


def packed(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, f"{prefix}{file.relative_to(folder)}")
    return path


def changed(copy, change):
    path = copy / "plan.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("prefix", ["", "my plan/"])
def test_a_folder_its_plan_and_a_zip_file_are_the_same_plan(written, tmp_path, prefix):
    zipped = packed(written, tmp_path / "plan.zip", prefix)
    forms = (written, written / "plan.json", zipped)
    found = [take(path, tmp_path / str(number), "onnxruntime") for number, path in enumerate(forms)]
    assert all(map(is_plan, forms))
    entries = [[{**entry, "model": entry["model"].partition("/")[2]} for entry in each.entries] for each in found]
    assert entries[0] == entries[1] == entries[2]
    assert found[0].facts == found[1].facts == found[2].facts
    order = json.loads((written / "plan.json").read_text())["order"]
    assert [entry["id"] for entry in found[0].entries] == [each["id"] for each in order]


def test_an_entry_has_all_that_the_desk_needs(written, tmp_path):
    found = take(written, tmp_path / "plan", "onnxruntime")
    plan = json.loads((written / "plan.json").read_text())
    kernels = {kernel["id"]: kernel for kernel in plan["kernels"]}
    for entry in found.entries:
        content = (tmp_path / entry["model"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        if entry["level"] == "kernels":
            assert entry["planned"]["configuration_id"] == kernels[entry["id"]]["configuration_id"]
            assert entry["fusion_rules"] == "onnxruntime-cpu"
        else:
            assert entry["planned"] == {"model": "wide"}


def test_what_has_no_file_for_the_runtime_keeps_its_reason(written, tmp_path):
    found = take(written, tmp_path / "plan", "litert")
    assert [entry["reason"] for entry in found.skipped] == ["the plan has no tflite file of it"]
    assert len(found.entries) == n_files(written, "litert") < n_files(written, "onnxruntime")


def test_without_its_anchor_the_first_kernel_is_repeated():
    entries = [{"id": name, "is_anchor": False} for name in "abcde"]
    assert [entry["id"] for entry in with_anchors(entries)] == [
        "001-a", "002-b", "003-c", "004-a", "005-d", "006-e", "007-a"
    ]  # fmt: skip
    anchored = [{"id": name, "is_anchor": name == "a"} for name in "abca"]
    assert [entry["id"] for entry in with_anchors(anchored)] == ["001-a", "002-b", "003-c", "004-a"]


def _escaping(plan):
    plan["kernels"][0]["files"][0]["path"] = "kernels/../../outside.onnx"


DAMAGES = {
    "layout": (lambda plan: plan.update(schema_version=9), "plan.json of layout 9; expected layout 1"),
    "no order": (lambda plan: plan.pop("order"), "is not whole"),
    "other order": (lambda plan: plan["order"].append({"id": "k999-x", "is_anchor": False}), "is not whole"),
    "no size": (lambda plan: plan["kernels"][0]["files"][0].update(n_bytes=None), "is not whole"),
    "path": (_escaping, "expected a path within the plan"),
    "hash": (lambda plan: plan["kernels"][0]["files"][0].update(sha256="0" * 64), "another file than was planned"),
    "shorter": (lambda plan: plan["kernels"][0]["files"][0].update(n_bytes=10), "another file than was planned"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_plan_that_is_not_as_it_was_written_is_refused(copy, tmp_path, name):
    change, message = DAMAGES[name]
    changed(copy, change)
    with pytest.raises(MeasureError, match=message):
        take(copy, tmp_path / "taken", "onnxruntime")


def test_what_is_no_plan_is_refused(tmp_path):
    for name, content in (("no.zip", b"no archive"), ("plan.json", b"{")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MeasureError):
            take(tmp_path / name, tmp_path / "taken", "onnxruntime")
    packed(tmp_path / "nothing", tmp_path / "empty.zip")
    with pytest.raises(MeasureError, match=r"plan.json is not there"):
        take(tmp_path / "empty.zip", tmp_path / "taken", "onnxruntime")


def test_a_missing_file_is_named(copy, tmp_path):
    next((copy / "kernels").glob("*.onnx")).unlink()
    with pytest.raises(MeasureError, match=r"kernels/.*\.onnx"):
        take(copy, tmp_path / "taken", "onnxruntime")


def test_the_runtime_is_the_one_for_most_files(written, monkeypatch):
    for there, chosen in ((["onnxruntime", "litert"], "onnxruntime"), (["litert"], "litert")):
        monkeypatch.setattr(running, "installed", lambda there=there: there)
        assert running._runtime_of(written, None) == chosen
    monkeypatch.setattr(running, "installed", list)
    with pytest.raises(MeasureError, match="no runtime is installed"):
        running._runtime_of(written, None)
    assert set(planned.FORMATS) == {"onnxruntime", "litert"}
