import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import RAPL, RAPL_BARE, fault_of, opened, samples, upstream

LEFT_OUT = "The line is left out; correct or delete it."


@pytest.mark.parametrize(
    ("content", "start_s", "stamps_s", "power_mw"),
    [(RAPL, 0.100404, [0.0, 0.100194], [9500.0, 5500.0]), (RAPL_BARE, 0.100519, [0.0, 0.100396], [2250.0, 1750.0])],
)
def test_power_of_the_package_is_read_with_and_without_a_header(tmp_path, content, start_s, stamps_s, power_mw):
    trace = opened(tmp_path, None, content)
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", None, start_s, ())
    assert samples(trace).stamps_s.tolist() == stamps_s
    assert samples(trace).power_mw.tolist() == power_mw


def test_channel_picks_a_domain(tmp_path):
    assert samples(opened(tmp_path, None, RAPL, TraceOptions("pp0"))).power_mw.tolist() == [4750.0, 3125.0]


def test_unknown_channel_is_refused_with_the_nearest_first(tmp_path):
    fix = "Name the channel whose power is to be read."
    fault = TraceFault("trace-format", "channel ram", "one of dram, pkg, pp0, pp1", fix)
    assert fault_of(tmp_path, "rapl", RAPL, TraceOptions("ram")) == fault


def test_bad_lines_are_left_out(tmp_path):
    header = RAPL.split(b"\n")[0]
    trace = opened(tmp_path, "rapl", RAPL + b"\n" + header + b"\n1,2,nan,4,0.3\n1,2,3\n7,4,2,1,0.4\n")
    assert samples(trace).power_mw.tolist() == [9500.0, 5500.0, 7000.0]
    assert trace.faults == (
        TraceFault("trace-format", "a blank line", "5 numbers", LEFT_OUT, 4),
        TraceFault("trace-format", header.decode(), "5 numbers", LEFT_OUT, 5),
        TraceFault("trace-format", "1,2,nan,4,0.3", "5 numbers", LEFT_OUT, 6),
        TraceFault("trace-format", "1,2,3", "5 numbers", LEFT_OUT, 7),
    )


def test_domain_that_draws_nothing_is_a_fault(tmp_path):
    fix = "Correct the unit that the header states, or convert the values to it."
    assert opened(tmp_path, None, RAPL_BARE, TraceOptions("dram")).faults == (
        TraceFault("trace-unit", "a highest power of 0 mW", "between 1 and 1e+07 mW", fix),
    )


def test_file_without_samples_is_refused(tmp_path):
    fault = TraceFault("trace-format", "no samples", "at least one", "Record the run again.")
    assert fault_of(tmp_path, "rapl", RAPL.split(b"\n")[0]) == fault


@pytest.mark.parametrize(("content", "found"), [(b"1,2,3\n", "1,2,3"), (b"", "an empty file")])
def test_other_file_is_refused(tmp_path, content, found):
    expected = "a header with pkg_current_power and total_time, or rows of 5 numbers"
    fault = TraceFault("trace-format", found, expected, "Log power in W and seconds since the start.", 1)
    assert fault_of(tmp_path, "rapl", content) == fault


@pytest.mark.parametrize(("name", "mean_mw"), [("rapl.csv", 1424), ("rapl_tool_rapl.csv", 5658)])
def test_real_logs_have_the_power_of_a_package(name, mean_mw):
    trace = open_trace(upstream("rapl") / name)
    read = samples(trace)
    assert (len(read.stamps_s), trace.faults) == (50, ())
    assert 49 / read.stamps_s[-1] == pytest.approx(9.97, rel=0.001)
    assert read.power_mw.mean() == pytest.approx(mean_mw, abs=1)
