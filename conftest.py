"""Files beside which the examples of `harness.api` run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from _pytest.doctest import DoctestItem
from onnx import TensorProto, helper

ROOT = Path(__file__).parent
MAPPING = """\
level: kernels
columns:
  kernel: {value: relu}
  input_h: {from: size}
  input_w: {from: size}
  cin: {from: channels}
  dtype: {value: fp32}
  delegate: {value: CPU1}
  energy_kind: {value: absolute}
  energy_mj: {from: mJ, unit: mJ}
submission:
  schema_version: 1
  title: Activations
  date: "2026-10"
  method: measured
  runtime: TensorFlow Lite 2.20
  licence: CC-BY-4.0
  contributors: [Acme]
  source: {citation: "Acme, 2026."}
  meter: {name: Monsoon HVPM, kind: analyser}
device:
  name: Mine
  device_class: phone
  delegates: {CPU1: cpu}
"""


@pytest.fixture(scope="session", autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key of results and what is fitted out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _files_of_examples(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run an example of `harness.api` or `deepen` in a folder with the files that the former lists."""
    homes = {ROOT / "deepen", ROOT / "harness" / "api"}
    if not (isinstance(request.node, DoctestItem) and homes & set(request.node.path.parents)):
        yield
        return
    folder = request.getfixturevalue("tmp_path")
    _write(folder)
    request.getfixturevalue("monkeypatch").chdir(folder)
    yield


def _write(folder: Path) -> None:
    shutil.copytree(ROOT / "tests" / "golden_base", folder / "submissions")
    (folder / "predictors").mkdir()
    (folder / "results.csv").write_text("size,channels,mJ\n28,64,0.5\n28,64,-1\n")
    (folder / "mapping.yaml").write_text(MAPPING)
    _write_model(folder / "net.onnx")
    from tests.validation.bound import power_csv, windows_csv

    (folder / "run_power.csv").write_bytes(power_csv())
    (folder / "run_inference_time.csv").write_bytes(windows_csv())


def _write_model(path: Path) -> None:
    """One fully connected layer."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", 20), ("y", 10))]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [20, 10], [0.5] * 200)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "net", ends[:1], ends[1:], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
