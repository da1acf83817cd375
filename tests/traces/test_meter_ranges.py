"""A value that no such meter measures is in another unit than its header states, whatever the header."""

import json

import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFormatError
from tests.traces.formats.samples import energyrunner

ROWS = range(60)
MILLI = 1e3


def table(header, row, voltage_v=3.3, current_a=0.03, unit=1.0):
    """Rows of a board that takes 30 mA at 3.3 V; currents, powers and energies are multiplied by a unit."""
    powers = [current_a * (1 + place % 2) for place in ROWS]
    rows = (
        row.format(t=place / 100, i=i * unit, v=voltage_v, p=i * voltage_v * unit) for place, i in enumerate(powers)
    )
    return "\n".join([header, *rows]) + "\n"


def trials(unit):
    """Results of an energy run at 30 mW, in J times a unit."""
    power = {"samples": [3e-5 * unit] * 60, "timestamps": [[0, 10], [0, 50]]}
    return json.dumps([{"file": "a.bin", "infer": {"iterations": 10}, "power": power}])


CASES = {
    "joulescope.samples": ("#time (s),current (A),voltage (V)", "{t},{i},{v}", MILLI, {}),
    "joulescope.power": ("#time (s),power (W)", "{t},{p}", MILLI * MILLI, {}),
    "joulescope.stated": ("#time (s),current (A)", "{t},{i}", MILLI, {"voltage_v": 3.3}),
    "ppk2": ("Timestamp(ms),Current(uA)", "{t},{i}e6", MILLI, {"voltage_v": 3.3}),
    "otii.table": ("Timestamp (S),Arc Main Current (A),Arc Main Voltage (V)", "{t},{i},{v}", MILLI, {}),
    "otii.channel": ('"Timestamp","Value"', "{t},{i}", MILLI, {"voltage_v": 3.3, "channel": "Main current"}),
    "monsoon": ("Time (s),Main Avg Current (mA),Main Avg Voltage (V)", "{t},{i}e3,{v}", MILLI, {}),
    "plain": ("time_s,power_w", "{t},{p}", MILLI * MILLI, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_unit_that_takes_values_beyond_the_meter_is_a_fault(tmp_path, name):
    header, row, unit, options = CASES[name]
    path = tmp_path / "trace"
    for factor, rules in ((1.0, []), (unit, ["trace-unit"])):
        path.write_text(table(header, row, unit=factor), encoding="utf-8")
        trace = open_trace(path, None, TraceOptions(**options))
        assert [fault.rule for fault in trace.faults] == rules
    assert "Find out the unit of the values" in trace.faults[0].fix


@pytest.mark.parametrize("name", [name for name, (_, row, _, _) in CASES.items() if "{v}" in row])
def test_millivolts_under_a_header_of_volts_are_refused(tmp_path, name):
    header, row, _, options = CASES[name]
    path = tmp_path / "trace"
    path.write_text(table(header, row, voltage_v=3300), encoding="utf-8")
    with pytest.raises(TraceFormatError, match="a voltage of 3300 V; expected at most") as caught:
        open_trace(path, None, TraceOptions(**options))
    assert caught.value.fault.rule == "trace-unit"


def test_energies_of_an_energy_run_in_microjoules_under_joules_are_a_fault(tmp_path):
    path = tmp_path / "results.json"
    for unit, rules in ((1.0, []), (1e6, ["trace-unit"])):
        path.write_text(trials(unit), encoding="utf-8")
        assert [fault.rule for fault in open_trace(path).faults] == rules
    binary = tmp_path / "trace1-energy.bin"
    binary.write_bytes(energyrunner([3e7] * 60))
    assert [fault.rule for fault in open_trace(binary).faults] == ["trace-unit"]


def test_large_value_that_the_meter_measures_is_read(tmp_path):
    path = tmp_path / "trace"
    for name, current_a, voltage_v in (("joulescope.samples", 5, 15), ("monsoon", 3, 12), ("otii.table", 2.4, 24)):
        header, row, _, options = CASES[name]
        path.write_text(table(header, row, voltage_v, current_a), encoding="utf-8")
        assert open_trace(path, None, TraceOptions(**options)).faults == ()
