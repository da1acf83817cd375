import pytest

from harness.traces.formats import TraceOptions
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import fault_of, opened, samples

RANGES_UJ = (262_143_328_850, 65_532_610_987)


def series(start_uj, range_uj, n_rows=40, power_w=20.0, header="time_s,energy_uj"):
    """A counter read every 0.1 s, which begins again at 0 after its range."""
    rows = [(k / 10, round(start_uj + k * power_w * 1e5) % (range_uj + 1)) for k in range(n_rows)]
    return "\n".join([header, *(f"{time:.3f},{energy}" for time, energy in rows)]).encode()


@pytest.mark.parametrize("range_uj", RANGES_UJ)
@pytest.mark.parametrize("wrap_after", [1, 7, 38])
def test_wrap_around_is_undone_wherever_it_is(tmp_path, range_uj, wrap_after):
    trace = opened(tmp_path, None, series(range_uj - round(wrap_after * 2e6) + 1000, range_uj))
    assert samples(trace).power_mw == pytest.approx([20_000.0] * 40, rel=1e-3)
    assert (trace.kind, trace.scale, trace.boundary, trace.faults) == ("mean", "relative", None, ())


def test_fall_that_is_no_wrap_around_is_refused_with_the_column_that_would_help(tmp_path):
    fix = (
        "Add a column max_energy_range_uj with what the file of that name beside energy_uj holds, or cut the log there."
    )
    fault = fault_of(tmp_path, "powercap", series(7_000_000, 9_000_000))
    found = "a counter that falls from 9000000 to 1999999 uJ"
    assert fault == TraceFault("trace-counter", found, "a counter that rises, or its range", fix, 4)


def test_stated_range_undoes_any_wrap_around(tmp_path):
    content = b"time_s,energy_uj,max_energy_range_uj\n0,7000000,10000000\n0.5,9000000,10000000\n1,1000000,10000000\n"
    assert samples(opened(tmp_path, None, content)).power_mw.tolist() == [4000.0] * 3


@pytest.mark.parametrize(
    ("channel", "power_mw", "boundary"),
    [
        (None, 4000.0, "package"),
        ("dram_energy_uj", 2000.0, "rail"),
        ("package-0_energy_uj+dram_energy_uj", 6000.0, "sum-of-rails"),
    ],
)
def test_columns_of_zones_are_chosen_and_added(tmp_path, channel, power_mw, boundary):
    content = b"timestamp,package-0_energy_uj,dram_energy_uj\n1700000000.0,0,0\n1700000000.5,2000000,1000000\n"
    trace = opened(tmp_path, None, content, TraceOptions(channel))
    assert (samples(trace).power_mw.tolist(), trace.boundary, trace.scale) == ([power_mw] * 2, boundary, "epoch")


def test_zones_without_a_package_need_a_channel(tmp_path):
    content = b"time_s,dram_energy_uj,psys_energy_uj\n0,0,0\n1,1000000,1000000\n"
    assert fault_of(tmp_path, "powercap", content).rule == "trace-channel"


@pytest.mark.parametrize("time", ["time_ms", "timestamp_ms", "time (ms)"])
def test_unit_of_the_time_is_read_from_the_header(tmp_path, time):
    content = f"{time},energy_uj\n0,0\n500,1000000\n1000,2000000\n".encode()
    assert samples(opened(tmp_path, None, content)).power_mw.tolist() == [2000.0] * 3


def test_whole_numbers_that_may_be_milliseconds_are_refused(tmp_path):
    fix = "Find out the unit, and write it into the header, as in time_ms or time_s."
    fault = fault_of(tmp_path, "powercap", b"time,energy_uj\n0,0\n500,1000000\n1000,2000000\n")
    assert fault == TraceFault(
        "trace-time-unit", "time in steps of 500, without a unit", "the unit of the time", fix, 1
    )


def test_rows_without_a_reading_are_left_out(tmp_path):
    content = b"time_s,energy_uj\n0,0\nx,1\n0.5,Permission denied\n1\n1.0,2000000\n"
    trace = opened(tmp_path, None, content)
    assert samples(trace).power_mw.tolist() == [2000.0, 2000.0]
    assert [(fault.line, fault.found) for fault in trace.faults] == [
        (3, "time_s = x"),
        (4, "energy_uj = Permission denied"),
        (5, "1"),
    ]


@pytest.mark.parametrize("content", [b"", b"time_s,power_w\n", b"time_s,power_w,energy_uj\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "powercap", content).expected == "a header with time_s and energy_uj"
