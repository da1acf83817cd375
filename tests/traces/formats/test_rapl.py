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
    fix = "Name the channel whose power is to be read, or several joined by +."
    fault = TraceFault("trace-channel", "channel ram", "one of dram, pkg, pp0, pp1", fix)
    assert fault_of(tmp_path, "rapl", RAPL, TraceOptions("ram")) == fault


def test_bad_lines_are_left_out(tmp_path):
    header = RAPL.split(b"\n")[0]  # An appended log repeats it.
    trace = opened(tmp_path, "rapl", RAPL + b"\n" + header + b"\n1,2,nan,4,0.3\n1,2,3\n7,4,2,1,0.4\n")
    assert samples(trace).power_mw.tolist() == [9500.0, 5500.0, 7000.0]
    assert trace.faults == (
        TraceFault("trace-format", "a blank line", "5 numbers", LEFT_OUT, 4),
        TraceFault("trace-format", "1,2,nan,4,0.3", "5 numbers", LEFT_OUT, 6),
        TraceFault("trace-format", "1,2,3", "5 numbers", LEFT_OUT, 7),
    )


def test_powers_are_means_of_the_package(tmp_path):
    trace = opened(tmp_path, None, RAPL)
    assert (trace.kind, trace.scale, trace.boundary, trace.rails) == ("mean", "relative", "package", ("pkg",))


@pytest.mark.parametrize(("channel", "boundary"), [("pkg+dram", "sum-of-rails"), ("dram", "rail"), ("pkg", "package")])
def test_boundary_follows_the_domains(tmp_path, channel, boundary):
    assert opened(tmp_path, None, RAPL, TraceOptions(channel)).boundary == boundary


def test_domain_that_another_holds_already_is_not_added(tmp_path):
    found = "pp0 added to pkg, which holds it already"
    fault = TraceFault("trace-channel", found, "domains that do not overlap", "Leave pp0 out of the channel.")
    assert fault_of(tmp_path, "rapl", RAPL, TraceOptions("pkg+pp0")) == fault


@pytest.mark.parametrize("power", [-2621405.0, -28.0, -0.001])
def test_negative_power_is_a_wrap_around_whose_interval_is_unknown(tmp_path, power):
    trace = opened(tmp_path, "rapl", RAPL + f"{power},1,1,0.5,0.3\n9,4,2,1,0.4\n".encode())
    assert samples(trace).power_mw.tolist() == [9500.0, 5500.0, 9000.0]
    fix = (
        "The counter began again at 0 (wrap-around), so the energy of this interval is unknown: delete the row, and "
        "every inference that touches the time from 0.200598 to 0.3 s."
    )
    found = f"pkg_current_power = {power:.10g}"
    assert trace.faults == (TraceFault("trace-counter", found, "a power of at least 0", fix, 4),)


def test_wrap_around_of_another_domain_does_not_matter(tmp_path):
    assert opened(tmp_path, "rapl", RAPL + b"9,-4,2,1,0.4\n").faults == ()


def test_domain_that_draws_nothing_is_a_fault(tmp_path):
    fix = "Find out the unit of the values; correct the header, layout or option where it states another."
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
