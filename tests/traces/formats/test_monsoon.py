import numpy as np
import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import MONSOON, fault_of, opened, samples, upstream

HEADER = MONSOON.split(b"\n")[0] + b"\n"


def test_power_is_current_times_voltage_on_the_hosts_clock(tmp_path):
    trace = opened(tmp_path, None, MONSOON)
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("host", 5000.0, 1.7e9, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 2e-6, 203e-6]
    np.testing.assert_allclose(samples(trace).power_mw, [402.0, 801.0, 205.0])


def test_blank_first_row_does_not_hide_the_unit_of_the_stamps(tmp_path):
    trace = opened(tmp_path, "monsoon", MONSOON.replace(HEADER, HEADER + b"\n"))
    assert trace.start_s == 1.7e9
    assert len(samples(trace).stamps_s) == 3


def test_file_without_samples_is_refused(tmp_path):
    expected = TraceFault("trace-format", "no samples", "at least one", "Record the run again.")
    assert fault_of(tmp_path, "monsoon", HEADER) == expected


def test_other_file_is_refused_with_its_first_line(tmp_path):
    fix = "Export main current and voltage from the Monsoon software."
    expected = "the header Time(ms),Main(mA),Main Voltage(V)"
    assert fault_of(tmp_path, "monsoon", b"a,b\n") == TraceFault("trace-format", "a,b", expected, fix, 1)
    assert fault_of(tmp_path, "monsoon", b"") == TraceFault("trace-format", "an empty file", expected, fix, 1)


def test_stamp_that_is_no_whole_number_is_refused(tmp_path):
    expected = "a whole number of micro-, milli- or seconds since the epoch"
    fault = TraceFault("trace-format", "the stamp 0.0002", expected, "Export the trace again.", 2)
    assert fault_of(tmp_path, "monsoon", HEADER + b"0.0002,1,4,\n") == fault


def test_row_without_numbers_is_refused_when_it_is_read(tmp_path):
    expected = TraceFault(
        "trace-format",
        "sample 4 without a stamp or a power",
        "numbers in every row",
        "Delete the rows without numbers.",
    )
    assert fault_of(tmp_path, "monsoon", MONSOON + b"1700000000000205,,4.1,\n") == expected


def test_channel_is_refused(tmp_path):
    fix = "Leave the channel out."
    fault = TraceFault("trace-format", "channel USB", "no channel, for this format has one power", fix)
    assert fault_of(tmp_path, "monsoon", MONSOON, TraceOptions("USB")) == fault


def test_ampere_under_a_header_of_milliampere_is_a_fault(tmp_path):
    trace = opened(tmp_path, "monsoon", HEADER + b"1700000000000000,0.2,4.0,\n")
    fix = "Correct the unit that the header states, or convert the values to it."
    assert trace.faults == (TraceFault("trace-unit", "a highest power of 0.8 mW", "between 1 and 1e+08 mW", fix),)


@pytest.mark.parametrize(
    ("name", "n_samples", "mean_mw"),
    [
        ("EnergyNet_uid8723_cfg181_nhwc_power.csv", 33_298, 1929),
        ("mnv2_cifar10_fp32_power.csv", 14_893, 969),
        ("baseline.csv", 49_736, 205),
        ("empty_run_power.csv", 5_923, 450),
    ],
)
def test_real_traces_have_a_phones_power_at_five_kilohertz(name, n_samples, mean_mw):
    trace = open_trace(upstream("monsoon") / name)
    read = samples(trace)
    assert trace.faults == ()
    assert len(read.stamps_s) == n_samples
    assert n_samples / read.stamps_s[-1] == pytest.approx(5000, rel=0.005)
    assert read.power_mw.mean() == pytest.approx(mean_mw, abs=1)


def test_real_inferences_lie_in_their_trace():
    folder = upstream("monsoon")
    for name in ("EnergyNet_uid8723_cfg181_nhwc", "mnv2_cifar10_fp32"):
        trace = open_trace(folder / f"{name}_power.csv")
        starts, ends = read_inferences(folder / f"{name}_inference_time.csv").relative_to(trace.start_s)
        assert starts.min() > 0
        assert ends.max() < samples(trace).stamps_s[-1]
