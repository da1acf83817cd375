import numpy as np
import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import MONSOON, fault_of, opened, samples, upstream

HEADER = MONSOON.split(b"\n")[0] + b"\n"
PYMONSOON = "Time(ms),Main(mA),Main Voltage(V),"
POWERTOOL = "Time (s),Main Avg Current (mA),Main Avg Power (mW),Main Avg Voltage (V)"


def export(stamps, header=PYMONSOON, row="{},100,4,"):
    """Export with a row for each stamp."""
    return "\n".join([header, *(row.format(stamp) for stamp in stamps)]).encode() + b"\n"


def bursts(unit, *, n_samples=600, each=40):
    """Stamps of a host, in bursts of some samples, that begin 0.5 s after a start."""
    return [f"{(0.5 + k // each * each / 5000) * unit:.9f}" for k in range(n_samples)]


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
    fix = "Keep the header that PyMonsoon or PowerTool wrote."
    expected = (
        "a header with Time(ms), Main(mA) and Main Voltage(V), "
        "or Time (s), Main Avg Current (mA) and Main Avg Voltage (V)"
    )
    assert fault_of(tmp_path, "monsoon", b"a,b\n") == TraceFault("trace-format", "a,b", expected, fix, 1)
    assert fault_of(tmp_path, "monsoon", b"") == TraceFault("trace-format", "an empty file", expected, fix, 1)


@pytest.mark.parametrize("stamp", ["soon", "", "1e400", "9" * 30])
def test_stamp_that_is_no_number_is_refused(tmp_path, stamp):
    expected = "a number of seconds, milli- or microseconds"
    fault = TraceFault("trace-format", f"the stamp {stamp}", expected, "Export the trace again.", 2)
    assert fault_of(tmp_path, "monsoon", HEADER + f"{stamp},1,4,\n".encode()) == fault


def test_row_without_numbers_is_refused_when_it_is_read(tmp_path):
    expected = TraceFault(
        "trace-format",
        "sample 4 without a stamp or a power",
        "numbers in every row",
        "Delete the rows without numbers.",
    )
    assert fault_of(tmp_path, "monsoon", MONSOON + b"1700000000000205,,4.1,\n") == expected


def test_channel_that_was_not_recorded_is_refused(tmp_path):
    fix = "Name the channel whose power is to be read, or several joined by +."
    fault = TraceFault("trace-channel", "channel USB", "one of Main", fix)
    assert fault_of(tmp_path, "monsoon", MONSOON, TraceOptions("USB")) == fault


def test_ampere_under_a_header_of_milliampere_is_a_fault(tmp_path):
    trace = opened(tmp_path, "monsoon", HEADER + b"1700000000000000,0.2,4.0,\n")
    fix = "Find out the unit of the values; correct the header, layout or option where it states another."
    assert trace.faults == (TraceFault("trace-unit", "a highest power of 0.8 mW", "between 1 and 30000 mW", fix),)


@pytest.mark.parametrize("unit", [1, 1e3, 1e6])
def test_unit_of_relative_stamps_is_the_one_that_gives_five_kilohertz(tmp_path, unit):
    trace = opened(tmp_path, None, export(bursts(unit)))
    assert (trace.clock, trace.scale, trace.stated_hz, trace.faults) == ("host", "relative", 5000.0, ())
    assert trace.start_s == pytest.approx(0.5)
    assert trace.stamp_step_s == pytest.approx(1e-9 / unit)
    assert samples(trace).stamps_s[-1] == pytest.approx(560 / 5000)


def test_stamps_sample_by_sample_are_the_meters_clock(tmp_path):
    trace = opened(tmp_path, None, export(f"{k / 5000:.4f}" for k in range(100)))
    assert (trace.clock, trace.start_s, trace.stamp_step_s) == ("device", 0.0, 1e-4)
    np.testing.assert_allclose(samples(trace).stamps_s, np.arange(100) / 5000)


@pytest.mark.parametrize(("is_nearest", "late_ms"), [(False, 0.8), (True, 0.3)])
def test_whole_milliseconds_are_moved_to_where_their_samples_are(tmp_path, is_nearest, late_ms):
    stamps = [int((k + (2 if is_nearest else 0)) / 5) for k in range(500)]
    trace = opened(tmp_path, None, export(stamps))
    assert (trace.clock, trace.scale, trace.stamp_step_s) == ("host", "relative", 1e-3)
    # Of the samples that share a stamp the last lies this far behind it.
    assert trace.start_s == pytest.approx(late_ms / 1e3)
    assert samples(trace).stamps_s[-1] == pytest.approx(stamps[-1] / 1e3)


def test_epoch_in_milliseconds_stays_an_epoch(tmp_path):
    stamps = [1_700_000_000_000 + k // 5 for k in range(500)]
    trace = opened(tmp_path, None, export(stamps))
    assert (trace.clock, trace.scale, trace.stamp_step_s) == ("host", "epoch", 1e-3)
    assert trace.start_s == 1.7e9 + 0.0008


@pytest.mark.parametrize(
    ("stamps", "found"),
    [
        ([k * 7 for k in range(100)], "142.9 samples a second by the header"),
        ([5] * 100, "stamps that do not rise"),
        ([3], "stamps that do not rise"),
    ],
)
def test_stamps_of_no_unit_are_refused(tmp_path, stamps, found):
    expected = "about 5000 samples a second, with stamps in s, ms, us or ns"
    fix = (
        "Export every sample; or find out the unit of the stamps, and head the columns "
        "time_s (or _ms, _us, _ns), current_ma, voltage_v."
    )
    assert fault_of(tmp_path, "monsoon", export(stamps)) == TraceFault("trace-time-unit", found, expected, fix)


def test_cells_as_numpy_writes_them_are_numbers(tmp_path):
    row = "np.float64({}),np.float64(100.5),np.float64(4.0),"
    trace = opened(tmp_path, None, export([f"{k / 5000:.5f}" for k in range(60)], row=row))
    assert trace.faults == ()
    assert samples(trace).power_mw.tolist() == [402.0] * 60


@pytest.mark.parametrize(
    "header", ["Time(s),Main(mA),Main Voltage(V)", '"Time (s)","Main Avg Current (mA)","Main Avg Voltage (V)"']
)
def test_other_spellings_and_quotation_marks_are_read(tmp_path, header):
    row = '"{}","100","4"' if header.startswith('"') else "{},100,4"
    trace = opened(tmp_path, None, export([f"{k / 5000:.4f}" for k in range(60)], header, row))
    assert (trace.clock, trace.faults) == ("device", ())
    assert samples(trace).power_mw.tolist() == [400.0] * 60


def test_channels_are_read_alone_or_summed(tmp_path):
    header = "Time(ms),Main(mA),USB(mA),Aux(mA),Main Voltage(V),USB Voltage(V),"
    content = export([f"{k / 5:.1f}" for k in range(60)], header, "{},100,10,7,4,5,")

    def power(channel, voltage_v=None):
        trace = opened(tmp_path, "monsoon", content, TraceOptions(channel, voltage_v=voltage_v))
        return samples(trace).power_mw[0], trace.rails

    assert power(None) == (400.0, ("Main",))
    assert power("USB") == (50.0, ("USB",))
    assert power("Main+USB") == (450.0, ("Main", "USB"))
    assert power("Aux", 3.0) == (21.0, ("Aux",))
    fault = fault_of(tmp_path, "monsoon", content, TraceOptions("Aux"))
    assert (fault.found, fault.fix.split(",")[0]) == ("Aux(mA) without a voltage", "Give --voltage")
    fault = fault_of(tmp_path, "monsoon", content, TraceOptions("Main", voltage_v=3.0))
    assert fault.fix == "Leave the voltage out."


def test_main_channel_without_its_voltage_asks_for_it(tmp_path):
    content = export([f"{k / 5000:.4f}" for k in range(60)], "Time(ms),Main(mA),", "{},100,")
    assert fault_of(tmp_path, "monsoon", content).found == "Main(mA) without a voltage"
    assert samples(opened(tmp_path, None, content, TraceOptions(voltage_v=4.0))).power_mw[0] == 400.0


@pytest.mark.parametrize(
    "header", [POWERTOOL, "Main Avg Voltage (V),Time (s),Main Avg Power (mW),Main Avg Current (mA)"]
)
def test_powertool_export_is_read_in_any_order(tmp_path, header):
    cells = {
        "Time (s)": "{}",
        "Main Avg Current (mA)": "100",
        "Main Avg Power (mW)": "402",
        "Main Avg Voltage (V)": "4",
    }
    row = ",".join(cells[name] for name in header.split(","))
    trace = opened(tmp_path, None, export([f"{k / 5000:.4f}" for k in range(60)], header, row))
    assert (trace.clock, trace.stated_hz, trace.scale, trace.faults) == ("device", 5000.0, "relative", ())
    # The meter's own power is taken, which may differ by the mean of a product.
    assert samples(trace).power_mw[0] == 402.0


def test_power_that_is_not_current_times_voltage_is_a_fault(tmp_path):
    trace = opened(tmp_path, None, export([f"{k / 5000:.4f}" for k in range(60)], POWERTOOL, "{},100,0.4,4"))
    assert [(fault.rule, fault.found, fault.expected) for fault in trace.faults if "average" in fault.found] == [
        (
            "trace-unit",
            "Main Avg Power (mW) of 0.4 mW on average over the first 60 rows",
            "400 mW, the product of Main Avg Current (mA) and Main Avg Voltage (V)",
        )
    ]


def test_averages_of_powertool_have_no_stated_rate(tmp_path):
    trace = opened(tmp_path, None, export([f"{k / 50:.2f}" for k in range(60)], POWERTOOL, "{},100,400,4"))
    assert (trace.stated_hz, trace.clock, trace.faults) == (None, "device", ())


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
