import numpy as np
import pytest

from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples

ROWS = b"0.0000000,1.0000e-01,3.3000\n0.0000005,2.0000e-01,3.3000\n0.0000010,1.5000e-01,3.2980\n"
SAMPLES = b"#time (s),current (A),voltage (V)\n" + ROWS
STATISTICS = b"#time,current,voltage,power,charge,energy\n"
ENERGY_ROWS = b"0.0,0.1,5,0.5,0,0\n0.5,0.2,5,1,0.1,0.5\n1.0,0.4,5,2,0.3,1.5\n1.5,0.1,5,0.5,0.35,1.75\n"


def test_samples_are_current_times_voltage(tmp_path):
    trace = opened(tmp_path, None, SAMPLES)
    assert (trace.clock, trace.kind, trace.scale, trace.boundary, trace.faults) == (
        "device",
        "instant",
        "relative",
        None,
        (),
    )
    np.testing.assert_allclose(samples(trace).power_mw, [330, 660, 494.7])


def test_samples_without_a_header_are_read_where_the_format_is_named(tmp_path):
    np.testing.assert_allclose(samples(opened(tmp_path, "joulescope", ROWS)).power_mw, [330, 660, 494.7])


def test_statistics_are_means_that_end_at_their_stamp(tmp_path):
    trace = opened(tmp_path, None, STATISTICS + ENERGY_ROWS)
    assert (trace.kind, trace.faults) == ("mean", ())
    assert samples(trace).stamps_s.tolist() == [0, 0.5, 1, 1.5]
    assert samples(trace).power_mw.tolist() == [500, 1000, 2000, 500]


def test_energy_that_is_not_that_of_the_power_is_a_fault(tmp_path):
    rows = ENERGY_ROWS.replace(b",1.75", b",1750").replace(b",1.5\n", b",1500\n").replace(b",0.5\n1.0", b",500\n1.0")
    (fault,) = opened(tmp_path, None, STATISTICS + rows).faults
    assert fault.rule == "trace-unit"
    assert fault.found == "energy that rises by 1.75e+06 mJ over the first 4 rows"
    assert fault.expected == "1750 mJ, the energy by power"


def test_power_that_is_not_current_times_voltage_is_a_fault(tmp_path):
    content = b"time [s],power [W],current [A],voltage [V]\n0,400,0.1,4\n1,400,0.1,4\n2,400,0.1,4\n"
    beyond, fault = opened(tmp_path, None, content).faults
    assert (fault.rule, fault.expected) == ("trace-unit", "400 mW, the product of current and voltage")
    # No Joulescope measures 100 A.
    assert (beyond.rule, beyond.found) == ("trace-unit", "a highest power of 400000 mW")
    assert samples(opened(tmp_path, None, content.replace(b",400,", b",0.4,"))).power_mw.tolist() == [400] * 3


def test_current_alone_asks_for_the_voltage(tmp_path):
    content = b"#time (s),current (A)\n0,0.1\n1,0.2\n"
    assert fault_of(tmp_path, "joulescope", content).found == "current without a voltage"
    assert samples(opened(tmp_path, None, content, TraceOptions(voltage_v=3.0))).power_mw.tolist() == [300, 600]
    assert fault_of(tmp_path, "joulescope", SAMPLES, TraceOptions(voltage_v=3.0)).fix == "Leave the voltage out."


@pytest.mark.parametrize(
    "header",
    [
        "",
        "time,current,voltage",
        "#time (ms),current (A),voltage (V)",
        "#time (s),voltage (V)",
        "#current (A),time (s)",
    ],
)
def test_other_header_is_refused(tmp_path, header):
    fault = fault_of(tmp_path, "joulescope", f"{header}\n0,1,2\n".encode())
    assert (fault.rule, fault.found, fault.line) == ("trace-format", header or "an empty file", 1)


def test_bad_row_is_left_out(tmp_path):
    trace = opened(tmp_path, None, SAMPLES + b"0.0000015,nan,3.3\n")
    assert [(fault.found, fault.line) for fault in trace.faults] == [("0.0000015,nan,3.3", 5)]
    assert len(samples(trace).stamps_s) == 3
