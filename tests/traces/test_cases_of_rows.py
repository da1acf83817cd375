"""Rows of known energy: what their columns say never covers what their trace or their unit contradicts."""

import hashlib
import json
from decimal import Decimal

import pytest

from harness import api
from harness.intake.foreign import ForeignSourceError
from tests.traces.known_loads import NOON_S, Device, clock, rows

PI = Device(3100.0, 6900.0, first_s=20, length_s=0.081, every_s=0.12, n=200, tail_s=5)
SOUND = {
    "model": "mobilenet-v2",
    "family": "MobileNetV2",
    "input_shape": "224x224x3",
    "delegate": "CPU4",
    "dtype": "fp32",
    "energy_kind": "absolute",
    "energy_mj": f"{PI.energy_mj:.1f}",
    "latency_ms": "81",
}
MANIFEST = {
    "schema_version": 1,
    "title": "A run",
    "date": "2026-03-04",
    "method": "measured",
    "runtime": "LiteRT 2.0.2",
    "licence": "CC-BY-4.0",
    "contributors": ["A Lab"],
    "source": {"citation": "A Lab, 2026."},
    "boundary": "board",
}
DEVICE = {"name": "Raspberry Pi 5", "device_class": "single-board-computer", "delegates": {"CPU4": "cpu"}}


@pytest.fixture
def errors_of(tmp_path):
    """Rules under which a row has errors whose trace gives the energy of `SOUND`."""
    traces = tmp_path / "pi/2026-03/traces"
    traces.mkdir(parents=True)
    samples = rows(PI, 0.002, lambda t, p: f"{t:.4f},5.08,{p / 5.08:.2f}")
    (traces / "run_power.csv").write_text("\n".join(["time_s,voltage_v,current_ma", *samples]) + "\n")
    files = {"power": traces / "run_power.csv", "inferences": PI.windows(traces)}
    entry = {"level": "models", "where": {"model": SOUND["model"]}, "format": "plain"} | {
        key: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for key, path in files.items()
    }
    meter = {"name": "INA219", "kind": "rail"}
    (tmp_path / "pi/device.yaml").write_text(json.dumps(DEVICE))
    (traces.parent / "submission.yaml").write_text(json.dumps(MANIFEST | {"meter": meter, "traces": [entry]}))

    def errors(**columns):
        row = SOUND | columns
        (traces.parent / "models.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
        return {issue.rule for issue in api.validate(tmp_path).report.issues if issue.severity == "error"}

    return errors


def test_row_that_agrees_with_its_trace_is_accepted(errors_of):
    assert errors_of() == set()


@pytest.mark.parametrize("energy_mj", [5, 200, 545, 575, 558900])
@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"n_runs": 1, "energy_std_mj": 300},
        {"energy_u_mj": 600},
        {"energy_min_mj": 1, "energy_max_mj": 600000},
        {"n_runs": 2, "energy_std_mj": 5000, "energy_u_mj": 1000},
    ],
)
def test_no_typed_column_covers_an_energy_that_the_trace_contradicts(errors_of, energy_mj, typed):
    assert "trace-energy" in errors_of(energy_mj=energy_mj, **typed)


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ({"n_runs": 1}, "trace-runs"),
        ({"energy_std_mj": 300}, "trace-spread"),
        ({"energy_u_mj": 400}, "trace-uncertainty"),
        ({"latency_ms": 40.5}, "trace-latency"),
    ],
)
def test_runs_spread_uncertainty_and_latency_are_compared_with_the_trace(errors_of, typed, rule):
    assert errors_of(**typed) == {rule}


def taken_in(folder, cell, unit):
    """Energy in mJ of a row whose table has a figure in a unit."""
    (folder / "table.csv").write_text(f"stamp,name,energy\n{clock(NOON_S)},mnv2,{cell}\n")
    columns = {name: {"value": value} for name, value in SOUND.items()}
    columns |= {"model": {"from": "name"}, "energy_mj": {"from": "energy", "unit": unit}}
    meter = {"name": "CodeCarbon", "kind": "counter"}
    mapping = {"level": "models", "columns": columns, "submission": MANIFEST | {"meter": meter}, "device": DEVICE}
    (folder / "mapping.yaml").write_text(json.dumps(mapping))
    api.intake("csv", folder / "table.csv", "pi", "c", out=folder / "out", mapping=folder / "mapping.yaml")
    header, row = (folder / "out/pi/c/models.csv").read_text().splitlines()
    return Decimal(row.split(",")[header.split(",").index("energy_mj")])


@pytest.mark.parametrize(
    ("unit", "mj"), [("kWh", "3.6e9"), ("Wh", "3.6e6"), ("mWh", "3600"), ("kJ", "1e6"), ("J", "1e3"), ("uJ", "1e-3")]
)
def test_energy_is_converted_from_its_unit(tmp_path, unit, mj):
    assert taken_in(tmp_path, Decimal(562) / Decimal(mj), unit) == pytest.approx(562)


@pytest.mark.parametrize("unit", ["MJ", "KWH", "kwhr", "cal", "Joule", "mw", "kW", "s", "mj"])
def test_unit_that_is_not_known_is_refused_without_a_proposal(tmp_path, unit):
    with pytest.raises(ForeignSourceError) as caught:
        taken_in(tmp_path, "2.88e-05", unit)
    (issue,) = caught.value.report.issues
    assert issue.fix.startswith("Find out which unit the figures are in")


@pytest.mark.parametrize("unit", ["mAh", "Ah", "uC", "\u00b5As"])
def test_charge_needs_a_voltage_to_be_an_energy(tmp_path, unit):
    with pytest.raises(ForeignSourceError) as caught:
        taken_in(tmp_path, "5", unit)
    (issue,) = caught.value.report.issues
    assert (
        issue.fix
        == "This is a charge, not an energy: multiply it by the voltage it was drawn at; 1 mAh at 1 V is 3.6 J."
    )


@pytest.mark.parametrize("word", ["conv", "pool", "dense"])
def test_kernel_of_another_tool_is_never_an_instruction_to_write_one_that_looks_alike(tmp_path, word):
    (tmp_path / "table.csv").write_text(f"op,e\n{word},5.25\n")
    columns = {name: {"value": SOUND[name]} for name in ("delegate", "dtype", "energy_kind")}
    columns |= {"kernel": {"from": "op"}, "energy_mj": {"from": "e"}}
    manifest = MANIFEST | {"meter": {"name": "M", "kind": "rail"}}
    mapping = {"level": "kernels", "columns": columns, "submission": manifest, "device": DEVICE}
    (tmp_path / "mapping.yaml").write_text(json.dumps(mapping))
    api.intake("csv", tmp_path / "table.csv", "pi", "c", out=tmp_path / "out", mapping=tmp_path / "mapping.yaml")
    reasons = (tmp_path / "out/pi/c/quarantine.csv").read_text()
    assert f"kernel = {word}; expected one of conv-bn-relu" in reasons
    assert "Write one of the words listed." in reasons
