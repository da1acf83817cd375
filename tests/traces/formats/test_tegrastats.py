import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from harness.errors import UsageError
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFault, TraceFormatError
from tests.traces.formats.samples import TEGRASTATS, TEGRASTATS_STAMPED, fault_of, opened, samples, upstream

LEFT_OUT = "The line is left out; correct or delete it."
NAME_IT = "Name the channel whose power is to be read, or several joined by +."
TWO_HZ = TraceOptions(sampling_hz=2)


def test_current_value_of_the_input_rail_is_read_and_stamps_are_local(tmp_path):
    trace = opened(tmp_path, None, TEGRASTATS_STAMPED)
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", None, 1706745599.5, ())
    assert (trace.scale, trace.kind, trace.boundary, trace.rails) == ("local", "instant", "module", ("VDD_IN",))
    assert samples(trace).stamps_s.tolist() == [0.0, 1.5, 3.0]
    assert samples(trace).power_mw.tolist() == [5542.0, 5582.0, 6000.0]


def test_lines_without_stamps_are_spaced_by_the_given_rate(tmp_path):
    trace = opened(tmp_path, None, TEGRASTATS, TWO_HZ)
    assert (trace.stated_hz, trace.start_s, trace.faults) == (2, 0.0, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 0.5, 1.0]
    assert samples(trace).power_mw.tolist() == [920.0, 1537.0, 2793.0]


def test_channel_picks_a_rail(tmp_path):
    trace = opened(tmp_path, None, TEGRASTATS, TraceOptions("POM_5V_GPU", 1))
    assert samples(trace).power_mw.tolist() == [40.0, 80.0, 90.0]


def test_log_without_stamps_or_rate_is_refused(tmp_path):
    fix = "Give sampling_hz (--sampling-hz), 1000 over the --interval of tegrastats (1 Hz unless it was set)."
    fault = TraceFault("trace-format", "3 lines without time stamps", "stamps or sampling_hz", fix)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS) == fault


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_rate_that_is_none_is_refused(tmp_path, rate):
    fix = "State the rate that the log was made at."
    fault = TraceFault("trace-format", f"sampling_hz = {rate:g}", "lines a second", fix)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS, TraceOptions(sampling_hz=rate)) == fault


def test_unknown_rail_is_refused_with_the_nearest_first(tmp_path):
    fault = TraceFault("trace-channel", "channel pom_gpu", "one of POM_5V_GPU, POM_5V_IN", NAME_IT)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS, TraceOptions("pom_gpu", 1)) == fault


def test_board_without_an_input_rail_must_be_told_which(tmp_path):
    content = b"RAM 9/3900MB (lfb 3x4MB) CPU [10%@102] GPU 311/311 CPU 622/600 SYS5V 1475/1475\n"
    fault = TraceFault("trace-channel", "no channel", "one of GPU, CPU, SYS5V", NAME_IT)
    assert fault_of(tmp_path, "tegrastats", content) == fault
    trace = opened(tmp_path, "tegrastats", content, TraceOptions("CPU", 1))
    assert samples(trace).power_mw.tolist() == [622.0]


def test_bad_lines_are_left_out_and_keep_their_time(tmp_path):
    lines = TEGRASTATS.split(b"\n")
    content = b"\n".join([lines[0], lines[1][:70], b"", lines[2].replace(b"2793/", b"2793W/"), lines[2]])
    trace = opened(tmp_path, "tegrastats", content, TWO_HZ)
    assert samples(trace).stamps_s.tolist() == [0.0, 2.0]
    expected = "the rail POM_5V_IN with its power"
    assert trace.faults == (
        TraceFault("trace-format", lines[1][:70].decode(), expected, LEFT_OUT, 2),
        TraceFault("trace-format", "a blank line", expected, LEFT_OUT, 3),
        TraceFault("trace-unit", "POM_5V_IN 2793W", "a power in mW", LEFT_OUT, 4),
    )


def test_line_without_the_stamp_of_the_others_is_left_out(tmp_path):
    lines = TEGRASTATS_STAMPED.split(b"\n")
    lines[1] = b"99-99-2024 00:00:00 VDD_IN 5582mW/5562mW"
    trace = opened(tmp_path, "tegrastats", b"\n".join(lines))
    assert samples(trace).power_mw.tolist() == [5542.0, 6000.0]
    expected = "a stamp as in other lines, MM-DD-YYYY HH:MM:SS"
    found = "no stamp in 99-99-2024 00:00:00 VDD_IN 5582mW/5562mW"
    assert trace.faults == (TraceFault("trace-format", found, expected, LEFT_OUT, 2),)


def stamped(period_s, n_lines, start_s=0.0, rails="VDD_IN {power}mW/1000mW", power=lambda k: 1000 + k):
    """A log whose lines are evenly spaced from some time after 2024-02-01 00:00:00 on."""
    times = [start_s + k * period_s for k in range(n_lines)]
    whole = [datetime(2024, 2, 1) + timedelta(seconds=int(time)) for time in times]
    lines = (f"{time:%m-%d-%Y %H:%M:%S} RAM 1/2MB " + rails.format(power=power(k)) for k, time in enumerate(whole))
    return "\n".join(lines).encode()


@pytest.mark.parametrize("period_s", [0.1, 0.1015, 0.108, 0.5, 0.997, 1.0, 1.003, 2.5])
def test_whole_seconds_give_the_true_spacing(tmp_path, period_s):
    trace = opened(tmp_path, None, stamped(period_s, 600, 0.3))
    read = samples(trace)
    off = read.stamps_s + (trace.start_s - 1706745600.3) - np.arange(600) * period_s
    assert np.abs(off).max() <= trace.stamp_u_s * math.sqrt(3) + 1e-5
    assert (trace.stamp_step_s, trace.stated_hz, trace.faults) == (0.0, None, ())


def test_rate_that_the_stamps_give_may_be_stated(tmp_path):
    trace = opened(tmp_path, None, stamped(0.1, 300), TraceOptions(sampling_hz=10))
    assert (trace.stated_hz, trace.faults) == (10, ())
    assert samples(trace).stamps_s[-1] == pytest.approx(29.9, abs=0.01)


@pytest.mark.parametrize("hz", [10, 9, 2, 0.1])
def test_rate_that_the_stamps_contradict_is_refused(tmp_path, hz):
    fault = fault_of(tmp_path, "tegrastats", stamped(0.1015, 3000), TraceOptions(sampling_hz=hz))
    fix = "Leave sampling_hz out; the spacing of the lines follows from their stamps."
    expected = "9.85222, as the stamps of 3000 lines give"
    assert fault == TraceFault("trace-time-unit", f"sampling_hz = {hz}", expected, fix)


def test_few_seconds_with_many_lines_each_need_the_rate(tmp_path):
    fix = "Give sampling_hz (--sampling-hz), 1000 over the --interval of tegrastats (1 Hz unless it was set)."
    found = "15 lines whose stamps do not show an even spacing"
    content = stamped(0.1, 15)
    fault = TraceFault("trace-format", found, "lines that are evenly spaced", fix)
    assert fault_of(tmp_path, "tegrastats", content) == fault
    trace = opened(tmp_path, None, content, TraceOptions(sampling_hz=10))
    assert samples(trace).stamps_s.round(6).tolist() == [k / 10 for k in range(15)]


def test_log_that_breaks_off_keeps_the_gap(tmp_path):
    content = stamped(0.5, 100) + b"\n" + stamped(0.5, 100, 80.0)
    trace = opened(tmp_path, None, content)
    steps = np.diff(samples(trace).stamps_s)
    assert steps.max() == pytest.approx(30.5, abs=0.3)
    assert np.delete(steps, 99) == pytest.approx(0.5, abs=0.01)


def test_lines_that_were_cut_keep_their_place(tmp_path):
    lines = stamped(0.25, 200).split(b"\n")
    lines[50:60] = [line[:20] for line in lines[50:60]]
    trace = opened(tmp_path, "tegrastats", b"\n".join(lines))
    assert len(trace.faults) == 10
    assert np.diff(samples(trace).stamps_s).max() == pytest.approx(2.75, abs=0.01)


def test_zone_of_the_options_makes_an_epoch(tmp_path):
    trace = opened(tmp_path, None, stamped(0.1, 300), TraceOptions(timezone="+01:00"))
    assert (trace.scale, round(trace.start_s)) == ("epoch", 1706742000)
    assert fault_of(tmp_path, "tegrastats", stamped(0.1, 300), TraceOptions(timezone="Mars")).rule == "trace-zone"


ORIN = "VDD_GPU_SOC {power}mW/0mW VDD_CPU_CV 1000mW/0mW VIN_SYS_5V0 3000mW/0mW"
THOR = "VDD_GPU -392mW/-392mW VDD_CPU_SOC_MSS 3900mW/0mW VIN_SYS_5V0 6500mW/0mW VIN {power}mW/0mW"
XAVIER = "GPU {power}mW/0mW CPU 1mW/0mW SOC 2mW/0mW CV 0mW/0mW VDDRQ 3mW/0mW SYS5V 4mW/0mW"


@pytest.mark.parametrize(
    ("rails", "channel", "power_mw", "boundary"),
    [
        (ORIN, None, 8000.0, "module"),
        (ORIN, "VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0", 8000.0, "module"),
        (ORIN, "VIN_SYS_5V0 + VDD_CPU_CV", 4000.0, "sum-of-rails"),
        (ORIN, "VIN_SYS_5V0", 3000.0, "rail"),
        (THOR, None, 4000.0, "board"),
        (THOR, "VDD_GPU", -392.0, "rail"),
        (XAVIER, None, 4010.0, "module"),
        ("POM_5V_IN {power}/0 POM_5V_GPU 1/1", None, 4000.0, "module"),
        ("VDD_IN {power}mW/0mW VDD_CPU_GPU_CV 1mW/1mW VDD_SOC 1mW/1mW", "VDD_SOC", 1.0, "rail"),
    ],
)
def test_rails_of_a_board_give_its_total_and_what_a_power_is_of(tmp_path, rails, channel, power_mw, boundary):
    trace = opened(tmp_path, None, stamped(1, 5, rails=rails, power=lambda _: 4000), TraceOptions(channel))
    assert (samples(trace).power_mw[0], trace.boundary) == (power_mw, boundary)


def test_rail_that_is_added_twice_is_refused(tmp_path):
    fault = fault_of(tmp_path, "tegrastats", stamped(1, 5, rails=ORIN), TraceOptions("VDD_CPU_CV+VDD_CPU_CV"))
    assert (fault.rule, fault.expected) == ("trace-channel", "each rail once")


def test_many_bad_lines_are_counted(tmp_path):
    content = TEGRASTATS + b"cut\n" * 50
    faults = opened(tmp_path, "tegrastats", content, TWO_HZ).faults
    assert len(faults) == 21
    fix = "The lines are left out; record again if they matter."
    assert faults[-1] == TraceFault("trace-format", "30 more bad lines", "lines of samples", fix)


def test_file_without_a_rail_is_refused(tmp_path):
    expected = "lines of tegrastats with rails such as VDD_IN 5542mW/5542mW"
    for content, found in ((b"RUN,PWR_IN_MAX\n0,3913.0\n", "RUN,PWR_IN_MAX"), (b"", "an empty file")):
        fault = TraceFault("trace-format", found, expected, "Log again.", 1)
        assert fault_of(tmp_path, "tegrastats", content) == fault


@pytest.mark.parametrize(
    ("name", "sampling_hz", "n_samples", "mean_mw"),
    [
        ("nano_tegrastats.txt", 1, 114, 4437),
        ("tx2_tegrastats.log", 1, 2660, 3656),
        ("xaviernx_tegrastats.log", None, 103, 12792),
    ],
)
def test_real_logs_have_the_power_of_their_boards(name, sampling_hz, n_samples, mean_mw):
    trace = open_trace(upstream("tegrastats") / name, options=TraceOptions(sampling_hz=sampling_hz))
    read = samples(trace)
    assert trace.faults == ()
    assert (len(read.stamps_s) - 1) / read.stamps_s[-1] == pytest.approx(1, rel=0.035)
    assert len(read.stamps_s) == n_samples
    assert read.power_mw.mean() == pytest.approx(mean_mw, abs=1)


def test_real_summary_of_runs_is_no_log():
    path = upstream("tegrastats") / "jetson_nano_baseline_power.csv"
    with pytest.raises(UsageError, match="looks like none of"):
        open_trace(path)
    with pytest.raises(TraceFormatError, match="expected lines of tegrastats"):
        open_trace(path, "tegrastats")
