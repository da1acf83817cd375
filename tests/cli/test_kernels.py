"""`deepen kernels`: forms of the list, defaults, and what is wrong with a file or with the command."""

import csv
import io
import json

import jsonschema
import onnx
import pytest
from onnx import TensorProto, helper

from harness.cli import main
from harness.cli.networks import coverage_line
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.model_kernels import CSV_COLUMNS, ModelKernels
from harness.schema.columns import columns_of
from harness.schema.export import json_schemas
from harness.schema.records import KernelRow
from tests.graphs.graphs import GraphMaker
from tests.graphs.models import info, node, onnx_model, weight
from tests.graphs.random_models import ModelMaker


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a command line in an empty folder, and give exit code, output and error output."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["deepen", "kernels", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


def small_model():
    """conv+bn+relu, then log-softmax."""
    maker = ModelMaker()
    x = maker.add("Relu", [maker.bn(maker.conv("image", 8, [3, 3], 2, 1, has_bias=False))], (1, 8, 6, 5))
    return maker.model([maker.add("LogSoftmax", [x], (1, 8, 6, 5), axis=1)])


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "small.onnx"
    onnx.save(small_model(), path)
    return path.name


def test_table_shows_kernels_totals_and_coverage(run, model):
    code, out, err = run(model)
    assert (code, err) == (0, "")
    assert "small.onnx on ONNX Runtime on the CPU" in out
    assert "conv-bn-relu" in out
    assert "conv+bn+relu" in out
    assert "12x10x4" in out
    assert "2 kernels, 17,520 FLOPs, 296 params, 5,984 bytes moved" in out
    assert "coverage: 1 of 2 kernels, 98.6 % of FLOPs and 67.9 % of bytes" in out
    assert "unsupported: log-softmax, 1.4 % of FLOPs and 32.1 % of bytes" in out


def test_json_has_kernels_totals_coverage_and_what_is_unsupported(run, model):
    code, out, _ = run(model, "--format", "json", "--runtime", "tflite-cpu")
    found = json.loads(out)
    assert code == 0
    assert list(found) == [
        "schema_version", "model", "runtime", "batch", "kernels", "total", "coverage", "unknown",
        "extents_unknown_from", "unsupported", "free", "notes",
    ]  # fmt: skip
    assert (found["model"], found["runtime"]) == ("small", "tflite-cpu")
    first, second = found["kernels"]
    assert (first["operator"], first["kernel"], first["cout"]) == ("conv+bn+relu", "conv-bn-relu", 8)
    assert not {"groups", "count"} & set(first)
    assert (second["operator"], second["kernel"]) == ("log-softmax", None)
    assert found["total"] == {
        "n_kernels": 2,
        "flops": 17520,
        "flops_at_least": 17520,
        "params": 296,
        "bytes_moved": 5984,
        "bytes_at_least": 5984,
    }
    assert found["coverage"]["kernels"] == 0.5
    assert found["coverage"]["bytes"] == 1 - 1920 / 5984
    shares = {"flops_share": 240 / 17520, "bytes_share": 1920 / 5984}
    assert found["unsupported"] == [{"operator": "log-softmax", "n": 1, **shares}]
    jsonschema.validate(found, json_schemas()["kernels-output.schema.json"])


def test_csv_has_the_columns_of_a_kernel_table_first(run, model):
    code, out, _ = run(model, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert tuple(rows[0]) == CSV_COLUMNS
    beside = ("operator", "weight_dtype", "flops", "params", "bytes_moved", "count")
    assert set(CSV_COLUMNS) - set(beside) <= set(columns_of(KernelRow))
    assert CSV_COLUMNS[-6:] == beside
    assert (rows[0]["kernel"], rows[0]["stride_h"], rows[0]["groups"]) == ("conv-bn-relu", "2", "")
    assert (rows[1]["kernel"], rows[1]["operator"]) == ("", "log-softmax")


def test_json_of_a_network_with_unknown_costs_is_as_its_schema_says(run, tmp_path):
    maker = GraphMaker()
    made = maker.add_node("com.acme.Foo", [maker.input()], [None])
    found = kernel_list(
        maker.graph(maker.op("com.acme.Bar", maker.op("relu", made, shape=(1, 8)))), read_runtime("tflite-cpu")
    )
    content = ModelKernels(tmp_path / "net.onnx", read_runtime("tflite-cpu"), found).as_json()
    jsonschema.validate(content, json_schemas()["kernels-output.schema.json"])
    assert [kernel["flops"] for kernel in content["kernels"]] == [None, None, None]
    assert (content["total"]["flops"], content["total"]["bytes_moved"]) == (None, None)
    assert content["coverage"]["bytes"] is None


def test_extents_that_value_info_states_are_known_behind_a_custom_operator(run, tmp_path):
    def said(*stated):
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 8)) for name in ("x", "y")]
        nodes = [helper.make_node("Foo", ["x"], ["f"], domain="acme"), helper.make_node("Relu", ["f"], ["y"])]
        graph = helper.make_graph(nodes, "custom", ends[:1], ends[1:], value_info=stated)
        domains = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
        onnx.save(helper.make_model(graph, opset_imports=domains), tmp_path / "custom.onnx")
        return run(tmp_path / "custom.onnx")[1].replace("\n", " ")

    hint = "value_info of an ONNX file may state them"
    assert hint in said()
    known = said(helper.make_tensor_value_info("f", TensorProto.FLOAT, (1, 8)))
    assert hint not in known
    assert "FLOPs unknown: acme.Foo" in known


def test_a_value_settles_how_often_a_loop_runs(run, tmp_path):
    def info(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    ends = [info("i", (), TensorProto.INT64), info("go", (), TensorProto.BOOL), info("h", (1, 8))]
    nodes = [helper.make_node("Relu", ["h"], ["g"]), helper.make_node("Identity", ["go"], ["on"])]
    body = helper.make_graph(nodes, "body", ends, [info("on", (), TensorProto.BOOL), info("g", (1, 8))])
    loop = helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)
    graph = helper.make_graph(
        [loop], "loop", [info("n", (), TensorProto.INT64), info("x", (1, 8))], [info("y", (1, 8))]
    )
    file = tmp_path / "loop.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), file)
    _, out, _ = run(file)
    assert "FLOPs unknown: Loop" in out
    assert "depends on n; --set n=VALUE settles it" in out.replace("\n", " ")
    _, out, _ = run(file, "--set", "n=7", "--format", "json")
    assert [(kernel["count"], kernel["flops"]) for kernel in json.loads(out)["kernels"]] == [(7, 56)]
    code, _, err = run(file, "--set", "n=many")
    assert (code, "expected a whole number" in err) == (2, True)


def open_model(path):
    """Model of one activation whose extents are all open."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "c", "h", "w"]) for name in ("image", "out")]
    graph = helper.make_graph([helper.make_node("Relu", ["image"], ["out"])], "open", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)


def test_open_extents_are_a_fault_that_input_fixes(run, tmp_path):
    open_model(tmp_path / "open.onnx")
    code, out, err = run("open.onnx")
    assert (code, out) == (1, "")
    assert "open.onnx: image: " in err
    assert "[model-shape]" in err
    code, out, _ = run("open.onnx", "--input", "image=1x3x8x8")
    assert code == 0
    assert "1 kernel, 192 FLOPs" in out


def test_a_file_that_is_no_model_ends_with_1_and_its_fault(run, tmp_path):
    (tmp_path / "no[b].onnx").write_bytes(b"nothing of the kind")
    code, out, err = run("no[b].onnx")
    assert (code, out) == (1, "")
    assert "[model-" in err
    assert "Traceback" not in err


def test_a_file_name_cannot_style_the_table(run, tmp_path):
    onnx.save(small_model(), tmp_path / "[b]small[x].onnx")
    code, out, _ = run("[b]small[x].onnx")
    assert code == 0
    assert "[b]small[x].onnx on" in out


@pytest.mark.parametrize(
    "arguments",
    [("--runtime", "tflight-cpu"), ("--input", "image"), ("--input", "image=1xx3"), ("--format", "xml")],
)
def test_wrong_usage_ends_with_2(run, model, arguments):
    code, out, err = run(model, *arguments)
    assert (code, out) == (2, "")
    assert err


def test_shares_read_0_or_100_only_where_they_are():
    maker = GraphMaker()
    x = maker.conv(maker.input((1, 64, 64, 64)), 64)
    y = maker.op("log-softmax", maker.fc(maker.op("reshape", maker.global_pool(x), shape=(1, 64)), 2))
    line = coverage_line(kernel_list(maker.graph(y), read_runtime("tflite-cpu")))
    shares = "unsupported: log-softmax, < 0.1 % of FLOPs and < 0.1 % of bytes"
    assert line == f"coverage: 3 of 4 kernels, > 99.9 % of FLOPs and > 99.9 % of bytes; {shares}"
    whole = GraphMaker()
    line = coverage_line(kernel_list(whole.graph(whole.conv(whole.input())), read_runtime("tflite-cpu")))
    assert line == "coverage: 1 of 1 kernel, 100.0 % of FLOPs and 100.0 % of bytes"


@pytest.mark.parametrize(("extents", "is_said"), [((8, 10, 5), True), ((8, 16, 5), False), ((1, 10, 5), False)])
def test_a_batch_that_does_not_stand_first_is_said_to_count_whole(run, tmp_path, extents, is_said):
    model = onnx_model(
        [node("Transpose", "x", "t", perm=[1, 0, 2]), node("LSTM", "t w r", "y", hidden_size=3)],
        [info("x", ("N", "T", 5))],
        weights=[weight("w", (1, 12, 5)), weight("r", (1, 12, 3))],
    )
    onnx.save(model, tmp_path / "m.onnx")
    code, out, _ = run("m.onnx", "--format", "json", "--input", "x=" + "x".join(map(str, extents)))
    found = json.loads(out)
    inferences = extents[0] if is_said else 1
    assert (code, found["total"]["flops"]) == (0, inferences * extents[1] * 2 * (12 * 5 + 12 * 3))
    said = [note for note in found["notes"] if note.startswith("t is 10x8x5, where the batch of 8")]
    assert len(said) == len(found["notes"]) == is_said
