import pytest

from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples

LOG = (
    b"turbostat version 2024.01.01\nTime_Of_Day_Seconds\tCPU\tPkgWatt\tCorWatt\tRAMWatt\tSysWatt\n"
    b"1706745600.1\t-\t6.25\t4.0\t1.0\t13.0\n1706745600.2\t0\t6.25\n"
    b"Time_Of_Day_Seconds\tCPU\tPkgWatt\tCorWatt\tRAMWatt\tSysWatt\n"
    b"1706745600.6\t-\t9.5\t7.0\t1.5\t17.0\n"
)


@pytest.mark.parametrize(
    ("channel", "power_mw", "boundary"),
    [
        (None, [6250.0, 9500.0], "package"),
        ("PkgWatt+RAMWatt", [7250.0, 11_000.0], "sum-of-rails"),
        ("CorWatt", [4000.0, 7000.0], "rail"),
        ("SysWatt", [13_000.0, 17_000.0], "board"),
    ],
)
def test_row_of_the_whole_system_is_read(tmp_path, channel, power_mw, boundary):
    trace = opened(tmp_path, None, LOG, TraceOptions(channel))
    assert (samples(trace).power_mw.tolist(), trace.boundary) == (power_mw, boundary)
    assert (trace.start_s, trace.kind, trace.scale, trace.faults) == (1706745600.1, "mean", "epoch", ())


def test_joules_are_divided_by_the_time_since_the_row_before(tmp_path):
    content = b"Time_Of_Day_Seconds Pkg_J\n1706745600.0 1\n1706745600.5 2\n1706745601.5 3\n"
    assert samples(opened(tmp_path, None, content)).power_mw.tolist() == [2000.0, 4000.0, 3000.0]


def test_log_without_times_needs_the_rate(tmp_path):
    content = b"PkgWatt\tRAMWatt\n6.0\t1.0\n7.0\t1.0\n"
    fault = fault_of(tmp_path, "turbostat", content)
    assert (
        fault.fix
        == "Add --enable Time_Of_Day_Seconds to turbostat, or give sampling_hz (--sampling-hz), 1 over --interval."
    )
    trace = opened(tmp_path, None, content, TraceOptions(sampling_hz=2))
    assert (trace.start_s, trace.scale, samples(trace).stamps_s.tolist()) == (0.5, "relative", [0.0, 0.5])
    assert samples(opened(tmp_path, None, b"Pkg_J\n3\n4\n", TraceOptions(sampling_hz=2))).power_mw.tolist() == [
        6000,
        8000,
    ]


def test_package_and_what_it_holds_are_not_added(tmp_path):
    assert fault_of(tmp_path, "turbostat", LOG, TraceOptions("PkgWatt+CorWatt")).rule == "trace-channel"


def test_rows_without_a_number_are_left_out(tmp_path):
    trace = opened(tmp_path, None, LOG + b"1706745601.0\t-\t***\t1\t1\t1\n1706745601.5\t-\n\n7\t-\t1\t1\t1\t1\n")
    assert [fault.line for fault in trace.faults] == [7, 8, 9, 10]


@pytest.mark.parametrize("content", [b"", b"CPU\tBusy%\n0\t1\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "turbostat", content).expected == "a header with PkgWatt or Pkg_J"


@pytest.mark.parametrize("unit", ["Watt", "_J"])
@pytest.mark.parametrize("part", ["Cor", "GFX"])
def test_part_of_a_package_above_the_package_is_a_fault(tmp_path, part, unit):
    rows = "".join(f"{1706745600 + place}\t{6.25 + place}\t{4 + place}\n" for place in range(5))
    for first, second, rules in (("Pkg", part, []), (part, "Pkg", ["trace-unit"])):
        log = f"Time_Of_Day_Seconds\t{first}{unit}\t{second}{unit}\n{rows}".encode()
        trace = opened(tmp_path, None, log)
        assert [fault.rule for fault in trace.faults] == rules
    fault = trace.faults[0]
    assert (fault.found, fault.expected) == (
        f"{part}{unit} of 8.25 on average over 5 rows",
        f"at most 6, that of Pkg{unit}, which {part}{unit} is a part of",
    )


def test_package_that_is_rounded_below_its_cores_is_none(tmp_path):
    rows = "".join(f"{1706745600 + place}\t0.1\t0.15\n" for place in range(5))
    assert opened(tmp_path, None, f"Time_Of_Day_Seconds\tPkgWatt\tCorWatt\n{rows}".encode()).faults == ()
