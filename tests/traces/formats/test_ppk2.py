import numpy as np
import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.reduction import reduce_trace
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import fault_of, opened, samples

PPK2 = b"Timestamp(ms),Current(uA),D0-D7\n0,5000.125,00000000\n0.01,6000.5,10000000\n0.02,5500.75,0X000000\n"
AT_3_V = TraceOptions(voltage_v=3.0)


def test_power_is_current_at_the_stated_voltage(tmp_path):
    trace = opened(tmp_path, None, PPK2, AT_3_V)
    assert (trace.clock, trace.kind, trace.scale, trace.faults) == ("device", "instant", "relative", ())
    assert trace.stamp_step_s == pytest.approx(1e-5)
    np.testing.assert_allclose(samples(trace).power_mw, [15.000375, 18.0015, 16.50225])
    np.testing.assert_allclose(samples(trace).stamps_s, [0, 1e-5, 2e-5])


def test_voltage_is_asked_for(tmp_path):
    fix = "Give --voltage, the supply voltage in V at which the current was measured."
    expected = "the supply voltage of the device"
    fault = TraceFault("trace-format", "Current(uA) without a voltage", expected, fix)
    assert fault_of(tmp_path, "ppk2", PPK2) == fault


def test_sleep_current_is_a_plausible_power(tmp_path):
    content = b"Timestamp(ms),Current(uA)\n0,1.5\n0.01,1.4\n"
    assert opened(tmp_path, None, content, AT_3_V).faults == ()


@pytest.mark.parametrize(
    "header", ["", "Timestamp(ms)", "Timestamp(ms),Current(mA)", "Timestamp(ms),D0", "Current(uA)"]
)
def test_other_header_is_refused(tmp_path, header):
    fault = fault_of(tmp_path, "ppk2", f"{header}\n0,1\n".encode(), AT_3_V)
    assert (fault.rule, fault.found, fault.line) == ("trace-format", header or "an empty file", 1)


def test_channel_is_refused(tmp_path):
    assert fault_of(tmp_path, "ppk2", PPK2, TraceOptions("D0", voltage_v=3.0)).rule == "trace-channel"


def test_one_file_holds_power_and_windows(tmp_path):
    lines = ["Timestamp(ms),Current(uA),D0,D1"]
    for k in range(4000):
        is_busy = k // 500 % 2
        lines.append(f"{k / 100},{20_000 if is_busy else 1000 + k % 2},{is_busy},0")
    path = tmp_path / "ppk.csv"
    path.write_text("\n".join(lines) + "\n")
    reduction = reduce_trace(open_trace(path, None, AT_3_V), read_inferences(path))
    # The last period does not end in the recording.
    assert reduction.n_inferences == 3
    np.testing.assert_allclose(reduction.energies_mj, 60 * 5e-3, rtol=0.002)
