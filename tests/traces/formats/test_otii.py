import numpy as np
import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFormatError
from tests.traces.formats.samples import fault_of, opened, samples

CHANNEL = b'"Timestamp","Value"\n0.000000,0.4\n0.000250,0.8\n0.000500,0.3\n'
MERGED = (
    b'"Timestamp (S)","Arc Main Current (A)","Arc Main Voltage (V)","Arc Main Energy (J)"\n'
    b"0,0.1,4,0\n0.00025,0.2,4,0.0001\n0.0005,0.3,4,0.0003\n0.00075,0.1,4,0.0006\n"
)


def channel_file(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(CHANNEL)
    return path


def test_file_of_the_power_is_read_by_its_name(tmp_path):
    trace = open_trace(channel_file(tmp_path, "Main power - Arc.csv"))
    assert (trace.kind, trace.scale, trace.rails, trace.faults) == ("mean", "relative", ("Main power",), ())
    # A value holds until the next one; the last holds as long as the others.
    np.testing.assert_allclose(trace.start_s + samples(trace).stamps_s, [0.00025, 0.0005, 0.00075])
    np.testing.assert_allclose(samples(trace).power_mw, [400, 800, 300])


def test_file_of_the_current_asks_for_the_voltage(tmp_path):
    path = channel_file(tmp_path, "Main current - Ace.csv")
    with pytest.raises(TraceFormatError, match="Give --voltage"):
        open_trace(path)
    np.testing.assert_allclose(samples(open_trace(path, None, TraceOptions(voltage_v=2.0))).power_mw, [800, 1600, 600])


def test_channel_names_what_the_file_does_not(tmp_path):
    trace = opened(tmp_path, None, CHANNEL, TraceOptions("main power"))
    np.testing.assert_allclose(samples(trace).power_mw, [400, 800, 300])
    fault = fault_of(tmp_path, "otii", CHANNEL)
    assert (fault.rule, fault.found) == ("trace-channel", "the file name trace")
    fault = fault_of(tmp_path, "otii", CHANNEL, TraceOptions("Main voltage"))
    assert (fault.rule, fault.found) == ("trace-channel", "channel Main voltage")
    fault = fault_of(tmp_path, "otii", CHANNEL, TraceOptions("Main power", voltage_v=2.0))
    assert fault.fix == "Leave the voltage out."


def test_table_of_channels_is_current_times_voltage(tmp_path):
    trace = opened(tmp_path, None, MERGED)
    assert (trace.kind, trace.rails, trace.faults) == ("mean", ("Arc Main",), ())
    np.testing.assert_allclose(samples(trace).power_mw, [400, 800, 1200, 400])


def test_energy_that_is_not_that_of_the_power_is_a_fault(tmp_path):
    (fault,) = opened(tmp_path, None, MERGED.replace(b",0.0006", b",0.6")).faults
    assert (fault.rule, fault.expected.split(",")[0]) == ("trace-unit", "0.6 mJ")


def test_energy_alone_is_a_counter(tmp_path):
    content = b"Timestamp (s),Arc Main Energy (J)\n0,0\n1,0.5\n2,1.5\n"
    assert samples(opened(tmp_path, None, content)).power_mw.tolist() == [500, 500, 1000]
    assert fault_of(tmp_path, "otii", content.replace(b"1.5", b"0.1")).rule == "trace-counter"


def test_several_devices_need_a_channel(tmp_path):
    content = b"Timestamp (s),A Main Power (W),B Main Power (W)\n0,1,2\n1,1,2\n"
    assert fault_of(tmp_path, "otii", content).rule == "trace-channel"
    assert fault_of(tmp_path, "otii", content, TraceOptions("A Main+B Main")).expected == "one channel of Otii"
    assert samples(opened(tmp_path, None, content, TraceOptions("B Main"))).power_mw.tolist() == [2000, 2000]


def test_wall_clock_is_an_epoch(tmp_path):
    content = (
        b'"Wall-clock time (UTC)","Arc Main Power (W)"\n"2026-05-06 12:00:00.000","1"\n"2026-05-06 12:00:00.250","2"\n'
    )
    trace = opened(tmp_path, None, content)
    assert (trace.scale, trace.start_s, trace.stamp_step_s) == ("epoch", 1778068800.25, 1e-3)
    assert samples(trace).power_mw.tolist() == [1000, 2000]


@pytest.mark.parametrize(
    "header", ["", "Timestamp,Current", "Timestamp (S),Arc Main Voltage (V)", "Time,Arc Main Power (W)"]
)
def test_other_header_is_refused(tmp_path, header):
    fault = fault_of(tmp_path, "otii", f"{header}\n0,1\n".encode())
    assert (fault.rule, fault.found, fault.line) == ("trace-format", header or "an empty file", 1)
