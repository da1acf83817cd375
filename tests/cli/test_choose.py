"""`deepen choose`: the cheapest network that is accurate enough in every form, and what is said where there is none."""

import csv
import io
import json

import jsonschema
import pytest

from harness.cli import main
from harness.schema.export import json_schemas

DEVICE = """
name: Acme Board
device_class: single-board-computer
delegates: {CPU: cpu, GPU: gpu}
"""
SUBMISSION = """
schema_version: 1
title: Networks of the Acme Board
contributors: [Robin Example]
date: 2026-10-05
method: measured
runtime: %s
boundary: wall
licence: CC-BY-4.0
untraced: The traces are kept at the lab.
source:
  citation: Example lab, measurements of the Acme Board, 2026.
  attribution: MLPerf is a trademark of MLCommons; these figures are not verified by MLCommons.
meter: {name: Acme power meter, kind: analyser, sampling_hz: 5000, serial: "1", calibration: 2026-01 by Acme}
"""
SYSTEM = "system: {stack: %s}\n"
HEADER = (
    "model,family,dtype,delegate,energy_kind,energy_mj,energy_u_mj,latency_ms,power_mw,accuracy_percent,"
    "accuracy_dataset,idle_before_mw,idle_after_mw\n"
)
ROWS = """\
MobileNetV1-small,MobileNetV1,int8,CPU,absolute,100.0,2.0,20,5000,61.0,ImageNet-1k,2600,2400
MobileNetV1-medium,MobileNetV1,int8,CPU,absolute,200.0,4.0,40,5000,70.5,ImageNet-1k,,
MobileNetV2-medium,MobileNetV2,int8,CPU,absolute,203.0,4.0,40.6,5000,72.0,ImageNet-1k,,
MobileNetV2-large,MobileNetV2,fp32,CPU,absolute,400.0,8.0,80,5000,75.0,ImageNet-1k,,
ResNet18,ResNet18,fp32,CPU,absolute,900.0,9.0,180,5000,,,,
"""
SLOW = ROWS.splitlines()[0].replace("100.0,2.0,20", "50.0,2.0,10") + "\n"


def write(folder, runtime, rows, *, has_system=True):
    folder.mkdir(parents=True)
    (folder.parent / "device.yaml").write_text(DEVICE)
    (folder / "submission.yaml").write_text(SUBMISSION % runtime + (SYSTEM % runtime if has_system else ""))
    (folder / "models.csv").write_text(HEADER + rows)


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a command line beside submissions of two boards, and give exit code, output and error output."""
    write(tmp_path / "submissions" / "acme-board" / "tflite", "TFLite 2.7", ROWS)
    write(tmp_path / "submissions" / "acme-board" / "armnn", "ArmNN 22", SLOW)
    write(tmp_path / "submissions" / "silent-board" / "tflite", "TFLite 2.7", ROWS.splitlines()[-1] + "\n")
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["deepen", "choose", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


def lines_with(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def test_text_has_the_cheapest_network_with_its_uncertainty_and_what_is_tied_with_it(run):
    code, out, err = run("--device", "acme-board", "--min-accuracy", 70)
    assert (code, err) == (0, "")
    assert "Cheapest of at least 70 % on acme-board" in out
    (line,) = lines_with(out, "TFLite 2.7", "200.0", "MobileNetV2-medium int8, 203 mJ")
    for word in ("Acme Board", "MobileNetV1-medium", "int8", "4.0", "40", "70.5"):
        assert word in line
    assert "energy: measured with a power analyser; of the whole device with its power supply, at the socket" in out
    assert "left out: 1 row without an accuracy (column accuracy_percent)" in out
    assert "MLPerf is a trademark of MLCommons" in out


def test_text_has_the_best_of_a_system_that_does_not_reach_the_accuracy(run):
    _, out, _ = run("--device", "acme-board", "--min-accuracy", 70)
    (line,) = lines_with(out, "none of 1 network reaches 70 % on ImageNet-1k")
    assert "ArmNN 22" in line
    assert line.endswith("the best is MobileNetV1-small (int8) with 61 % for 50 mJ")


def test_the_front_is_below_most_accurate_first(run):
    _, out, _ = run("--device", "acme-board", "--min-accuracy", 70, "--system", "acme-board--tflite-2.7")
    below = out.partition("front of 4 networks on ImageNet-1k")[2]
    order = [below.index(name) for name in ("MobileNetV2-large", "MobileNetV2-medium", "MobileNetV1-medium", "50 %")]
    assert order == sorted(order)


def test_json_is_as_its_schema_says(run):
    code, out, _ = run("--device", "acme-board", "--min-accuracy", 70, "--format", "json")
    found = json.loads(out)
    jsonschema.validate(found, json_schemas()["choice-output.schema.json"])
    assert code == 0
    assert [(each["runtime"], each["cheapest"] and each["cheapest"]["model"]) for each in found["systems"]] == [
        ("TFLite 2.7", "MobileNetV1-medium"),
        ("ArmNN 22", None),
    ]


def test_csv_has_a_row_per_system_and_network(run):
    _, out, _ = run("--device", "acme-board", "--min-accuracy", 70, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["runtime"], row["place"], row["model"], row["is_tied"]) for row in rows] == [
        ("TFLite 2.7", "cheapest", "MobileNetV1-medium", ""),
        ("TFLite 2.7", "runner-up", "MobileNetV2-medium", "true"),
        ("TFLite 2.7", "front", "MobileNetV2-large", ""),
        ("TFLite 2.7", "front", "MobileNetV2-medium", ""),
        ("TFLite 2.7", "front", "MobileNetV1-medium", ""),
        ("TFLite 2.7", "front", "MobileNetV1-small", ""),
        ("ArmNN 22", "front", "MobileNetV1-small", ""),
    ]
    assert float(rows[0]["energy_mj"]) == 200.0


def test_options_narrow_the_choice(run):
    limits = ("--min-accuracy", 70, "--format", "json", "--system", "acme-board--tflite-2.7")
    for options, model in (
        (("--family", "MobileNetV2"), "MobileNetV2-medium"),
        (("--dtype", "fp32"), "MobileNetV2-large"),
    ):
        _, out, _ = run(*limits, *options)
        assert json.loads(out)["systems"][0]["cheapest"]["model"] == model
    code, out, _ = run(*limits, "--max-latency-ms", 20)
    assert (code, json.loads(out)["systems"][0]["most_accurate"]["model"]) == (1, "MobileNetV1-small")


def test_an_accuracy_that_nothing_reaches_ends_with_1_and_the_best(run):
    code, out, _ = run("--device", "acme-board", "--min-accuracy", 76)
    assert code == 1
    assert "the best is MobileNetV2-large (fp32) with 75 % for 400 mJ" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--device", "acme-bord"), "'acme-bord' is not a known device; did you mean acme-board?"),
        (("--system", "acme-bord--tflite-2.7"), "did you mean acme-board?"),
        (("--system", "acme-board--tflight"), "did you mean acme-board--tflite-2.7?"),
        (("--device", "silent-board"), "1 row without an accuracy (column accuracy_percent)"),
        (("--device", "acme-board", "--max-latency-ms", 1), "the fastest takes 10 ms"),
        (("--device", "acme-board", "--max-latency-ms", 0), "max_latency_ms = 0; expected above 0"),
        (("--device", "acme-board", "--family", "MobilNetV2"), "did you mean MobileNetV2?"),
        ((), "a device (--device ID) or a system (--system ID) is needed"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_there_is(run, arguments, said):
    code, out, err = run("--min-accuracy", 70, *arguments)
    assert (code, out) == (2, "")
    assert said in err
