import pytest

from harness.errors import UsageError
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFault, TraceFormatError
from tests.traces.formats.samples import TEGRASTATS, TEGRASTATS_STAMPED, fault_of, opened, samples, upstream

LEFT_OUT = "The line is left out; correct or delete it."
TWO_HZ = TraceOptions(sampling_hz=2)


def test_current_value_of_the_input_rail_is_read_and_stamps_are_utc(tmp_path):
    trace = opened(tmp_path, None, TEGRASTATS_STAMPED)
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", None, 1706745599.0, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 1.0, 3.0]
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
    fix = "Give sampling_hz, 1000 over the --interval of tegrastats (1 Hz unless it was set)."
    fault = TraceFault("trace-format", "3 lines without time stamps", "stamps or sampling_hz", fix)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS) == fault


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_rate_that_is_none_is_refused(tmp_path, rate):
    fix = "State the rate that the log was made at."
    fault = TraceFault("trace-format", f"sampling_hz = {rate:g}", "lines a second", fix)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS, TraceOptions(sampling_hz=rate)) == fault


def test_unknown_rail_is_refused_with_the_nearest_first(tmp_path):
    fix = "Name the channel whose power is to be read."
    fault = TraceFault("trace-format", "channel pom_gpu", "one of POM_5V_GPU, POM_5V_IN", fix)
    assert fault_of(tmp_path, "tegrastats", TEGRASTATS, TraceOptions("pom_gpu", 1)) == fault


def test_board_without_an_input_rail_must_be_told_which(tmp_path):
    content = b"RAM 9/3900MB (lfb 3x4MB) CPU [10%@102] GPU 311/311 CPU 622/600 SYS5V 1475/1475\n"
    fault = TraceFault(
        "trace-format", "no channel", "one of GPU, CPU, SYS5V", "Name the channel whose power is to be read."
    )
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


def repeated(n_lines, per_second):
    lines = (f"02-01-2024 00:00:{k // per_second:02} VDD_IN {1000 + k}mW/1000mW" for k in range(n_lines))
    return "\n".join(lines).encode()


def test_several_lines_a_second_repeat_their_stamps_unless_the_rate_is_given(tmp_path):
    content = repeated(20, 10)
    assert samples(opened(tmp_path, "tegrastats", content)).stamps_s.tolist() == [0.0] * 10 + [1.0] * 10
    trace = opened(tmp_path, "tegrastats", content, TraceOptions(sampling_hz=10))
    assert samples(trace).stamps_s.tolist() == [k / 10 for k in range(20)]
    assert (trace.start_s, trace.stated_hz, trace.faults) == (1706745600.0, 10, ())


def test_rate_that_the_stamps_contradict_is_a_fault(tmp_path):
    trace = opened(tmp_path, "tegrastats", repeated(100, 10), TraceOptions(sampling_hz=2))
    found = "stamps over 9 s and 99 intervals of 0.5 s"
    fix = "Give the sampling_hz that the log was made at, or cut the log where it breaks off."
    assert trace.faults == (TraceFault("trace-format", found, "stamps over 49.5 s", fix),)


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
    assert (len(read.stamps_s) - 1) / read.stamps_s[-1] == pytest.approx(1, rel=0.03)
    assert len(read.stamps_s) == n_samples
    assert read.power_mw.mean() == pytest.approx(mean_mw, abs=1)


def test_real_summary_of_runs_is_no_log():
    path = upstream("tegrastats") / "jetson_nano_baseline_power.csv"
    with pytest.raises(UsageError, match="looks like none of"):
        open_trace(path)
    with pytest.raises(TraceFormatError, match="expected lines of tegrastats"):
        open_trace(path, "tegrastats")
