import gzip
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces import tables
from harness.traces.blocks import csv_blocks
from harness.traces.formats import TraceOptions
from harness.traces.trace import TraceFault, TraceFormatError
from tests.traces.formats.samples import PLAIN, fault_of, opened, samples

LEFT_OUT = "The line is left out; correct or delete it."
UNIT_FIX = "Find out the unit of the values; correct the header, layout or option where it states another."


def test_seconds_start_at_the_first_stamp(tmp_path):
    trace = opened(tmp_path, None, PLAIN)
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", None, 1700000000.000125, ())
    np.testing.assert_allclose(samples(trace).stamps_s, [0.0, 0.0002, 0.0004], atol=3e-7)
    assert samples(trace).power_mw.tolist() == [3000.5, 3100.25, 2900.0]


@pytest.mark.parametrize(
    ("header", "rows", "power_mw"),
    [
        ("time_s,power_mw", "5,20\n6,40", [20, 40]),
        ("time_ms,power_w", "5000,0.5\n6000,0.25", [500, 250]),
        ("time_us,power_uw", "5000000,5000\n6000000,2500", [5, 2.5]),
        ("time_ns,power_uw", "5000000000,0.5\n6000000000,0.25", [0.0005, 0.00025]),
        ("time_s,current_ma,voltage_v", "5,20,4\n6,40,5", [80, 200]),
        ("time_s,current_a,voltage_mv", "5,2,4000\n6,4,5000", [8000, 20000]),
        ("time_s,current_ua,voltage_v", "5,200,4\n6,400,5", [0.8, 2]),
        ("Index, TIME_S , Power_mW,,note", "1,5,20,,a\n2,6, 40 ,,b", [20, 40]),
        ("time_s,power_mw,current_ma,voltage_v", "5,20,1,1\n6,40,1,1", [20, 40]),
    ],
)
def test_units_are_those_of_the_header(tmp_path, header, rows, power_mw):
    trace = opened(tmp_path, None, f"{header}\n{rows}\n".encode())
    assert (trace.start_s, trace.faults) == (5.0, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(samples(trace).power_mw, power_mw)


@pytest.mark.parametrize(
    "header",
    ["time,power", "time_s,power", "time_s,time_ms,power_w", "time_s,power_w,power_mw", "time_s,voltage_v", "time_s"],
)
def test_header_without_one_time_and_one_power_is_refused(tmp_path, header):
    expected = (
        "a header with time_s (or _ms, _us, _ns) and power_mw (or _uw, _w), current_ma with voltage_v, "
        "or the cumulative energy_mj (or _uj, _j)"
    )
    fault = TraceFault("trace-format", header, expected, "Head the columns with quantity and unit.", 1)
    assert fault_of(tmp_path, "plain", f"{header}\n1,2\n".encode()) == fault


def test_bad_lines_are_left_out(tmp_path):
    content = b"time_s,power_mw\n0,10\n\n1,ten\n2,30,40\ntime_s,power_mw\n3,NaN\n4,50\n5,6"
    trace = opened(tmp_path, "plain", content)
    assert samples(trace).stamps_s.tolist() == [0.0, 4.0, 5.0]
    assert samples(trace).power_mw.tolist() == [10.0, 50.0, 6.0]
    expected = "2 cells, with numbers for time_s, power_mw"
    assert trace.faults == (
        TraceFault("trace-format", "1,ten", expected, LEFT_OUT, 4),
        TraceFault("trace-format", "2,30,40", expected, LEFT_OUT, 5),
        TraceFault("trace-format", "time_s,power_mw", expected, LEFT_OUT, 6),
        TraceFault("trace-format", "3,NaN", expected, LEFT_OUT, 7),
    )


def test_cut_off_last_line_is_left_out(tmp_path):
    trace = opened(tmp_path, "plain", PLAIN + b"1700000000.00")
    assert len(samples(trace).stamps_s) == 3
    assert [fault.line for fault in trace.faults] == [5]


def test_bad_line_of_a_large_file_ends_the_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHECKED_BYTES", 100)
    monkeypatch.setattr(tables, "HEAD_BYTES", 50)
    rows = "".join(f"{time},{20 + time}\n" for time in range(50))
    content = b"time_s,power_mw\n" + rows.encode()
    trace = opened(tmp_path, "plain", content)
    assert (len(samples(trace).stamps_s), trace.faults) == (50, ())
    bad = TraceFault(
        "trace-format",
        "50,x",
        "2 cells, with numbers for time_s, power_mw",
        "Export the trace again, or cut the file before this line.",
        52,
    )
    assert fault_of(tmp_path, "plain", content + b"50,x\n") == bad
    empty = TraceFault(
        "trace-format",
        "sample 51 without a time or a value",
        "numbers in every row",
        "Delete the rows without numbers.",
    )
    assert fault_of(tmp_path, "plain", content + b"50,\n") == empty


def test_highest_power_of_a_large_file_is_looked_for_all_over_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHECKED_BYTES", 100)
    monkeypatch.setattr(tables, "HEAD_BYTES", 50)
    rows = [f"{time},0.02\n" for time in range(200)]
    content = "time_s,power_mw\n" + "".join(rows)
    assert opened(tmp_path, "plain", content.encode()).faults == (
        TraceFault("trace-unit", "a highest power of 0.02 mW", "between 1 and 2e+07 mW", UNIT_FIX),
    )
    rows[100:] = [f"{time},20\n" for time in range(100, 200)]
    assert opened(tmp_path, "plain", ("time_s,power_mw\n" + "".join(rows)).encode()).faults == ()


@pytest.mark.parametrize(
    ("header", "power", "found", "expected"),
    [
        ("power_mw", "0.02", "a highest power of 0.02 mW", "between 1 and 2e+07 mW"),
        ("power_w", "200000", "a highest power of 2e+08 mW", "between 1 and 2e+07 mW"),
        ("power_uw", "0", "a highest power of 0 mW", "between 1e-06 and 2e+07 mW"),
    ],
)
def test_values_that_contradict_the_unit_are_a_fault(tmp_path, header, power, found, expected):
    trace = opened(tmp_path, "plain", f"time_s,{header}\n0,{power}\n".encode())
    assert trace.faults == (TraceFault("trace-unit", found, expected, UNIT_FIX),)


@pytest.mark.parametrize("content", [b"time_s,power_mw\n", b"time_s,power_mw", b"time_s,power_mw\n\n\n"])
def test_file_without_samples_is_refused(tmp_path, content):
    fault = TraceFault("trace-format", "no samples", "at least one", "Record the run again.")
    assert fault_of(tmp_path, "plain", content) == fault


def test_channel_is_refused(tmp_path):
    expected = "no channel, for this format has one power"
    fault = TraceFault("trace-channel", "channel cpu", expected, "Leave the channel out.")
    assert fault_of(tmp_path, "plain", PLAIN, TraceOptions("cpu")) == fault


def test_scale_and_step_are_those_of_the_stamps_as_written(tmp_path):
    trace = opened(tmp_path, None, PLAIN)
    assert (trace.scale, trace.kind) == ("epoch", "instant")
    assert trace.stamp_step_s == pytest.approx(1e-6)
    trace = opened(tmp_path, None, b"time_ms,power_mw\n0.25,20\n1,30\n")
    assert trace.scale == "relative"
    assert trace.stamp_step_s == pytest.approx(1e-5)


@pytest.mark.parametrize(("header", "cell"), [("time_ms", "1700000000000000"), ("time_s", "1700000000000")])
def test_times_too_late_for_their_unit_are_refused(tmp_path, header, cell):
    fault = fault_of(tmp_path, "plain", f"{header},power_mw\n{cell},20\n".encode())
    assert (fault.rule, fault.found.split(",")[0]) == ("trace-time-unit", f"{header} = {cell}")


def test_cumulative_energy_is_differenced_into_mean_power(tmp_path):
    content = b"time_ms,energy_mj\n0,1\n10,21\n20,51\n40,91\n"
    trace = opened(tmp_path, None, content)
    assert (trace.kind, trace.faults) == ("mean", ())
    assert samples(trace).power_mw.tolist() == [2000, 2000, 3000, 2000]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=80), st.integers(10, 400))
def test_mean_powers_give_back_the_energy_whatever_the_block(tmp_path_factory, steps, block_bytes):
    energies = np.cumsum(steps)
    rows = "".join(f"{k * 0.5},{energy}\n" for k, energy in enumerate(energies))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "csv_blocks", partial(csv_blocks, block_bytes=block_bytes))
        read = samples(opened(tmp_path_factory.getbasetemp(), "plain", f"time_s,energy_j\n{rows}".encode()))
    assert np.sum(read.power_mw[1:] * np.diff(read.stamps_s)) == pytest.approx(1000 * (energies[-1] - energies[0]))


def test_counter_that_falls_is_refused_with_its_line(tmp_path):
    content = b"time_s,energy_j\n0,5\n\n1,7\n2,3\n"
    fix = "Cut the log there, or read it by a layout that states the range of the counter."
    found = "a counter that falls from 7000 to 3000 mJ"
    fault = TraceFault("trace-counter", found, "a counter that rises, or its range", fix, 5)
    assert fault_of(tmp_path, "plain", content) == fault


def test_current_alone_asks_for_the_voltage(tmp_path):
    content = b"time_s,current_ma\n0,20\n1,40\n"
    assert samples(opened(tmp_path, None, content, TraceOptions(voltage_v=5.0))).power_mw.tolist() == [100, 200]
    fix = "Give --voltage, the supply voltage in V at which the current was measured."
    expected = "the supply voltage of the device"
    fault = TraceFault("trace-format", "current_ma without a voltage", expected, fix)
    assert fault_of(tmp_path, "plain", content) == fault
    fault = fault_of(tmp_path, "plain", PLAIN, TraceOptions(voltage_v=5.0))
    assert (fault.found, fault.fix) == ("a voltage of 5 V", "Leave the voltage out.")


def test_damaged_gzip_file_is_refused_with_its_name(tmp_path):
    content = gzip.compress(PLAIN)[:-6]
    expected = TraceFault("trace-format", "a damaged gzip file", "a whole one", "Copy the file again.")
    assert fault_of(tmp_path, "plain", content) == expected
    with pytest.raises(TraceFormatError, match=r"^trace: a damaged gzip file"):
        opened(tmp_path, None, content)


def test_large_compressed_file_is_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHECKED_BYTES", 100)
    rows = "".join(f"{time},{20 + time}\n" for time in range(50))
    trace = opened(tmp_path, None, gzip.compress(b"time_s,power_mw\n" + rows.encode()))
    assert (len(samples(trace).stamps_s), trace.faults) == (50, ())


WRITTEN = "time_s,power_mw\n5.5,20.5\n6.5,40.25\n"


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN.encode("utf-16"),
        b"\xfe\xff" + WRITTEN.encode("utf-16-be"),
        gzip.compress(WRITTEN.encode("utf-16"), mtime=0),
        WRITTEN.replace(",", "\t").encode("utf-16"),
        WRITTEN.replace(",", "\t").replace(".", ",").encode("utf-16"),
        WRITTEN.replace(",", ";").replace(".", ",").encode(),
        WRITTEN.replace(",", ";").encode(),
        WRITTEN.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_spreadsheet_writes_the_same_trace(tmp_path, content):
    trace = opened(tmp_path, None, content)
    assert (trace.start_s, trace.faults, samples(trace).power_mw.tolist()) == (5.5, (), [20.5, 40.25])


def test_damaged_utf16_is_refused(tmp_path):
    fault = fault_of(tmp_path, "plain", WRITTEN.encode("utf-16")[:-1])
    assert (fault.found, fault.expected) == ("damaged UTF-16", "UTF-8 or UTF-16")


def test_line_ends_of_old_computers_are_named(tmp_path):
    fault = fault_of(tmp_path, None, WRITTEN.replace("\n", "\r").encode())
    assert (fault.found, fault.line) == ("lines that end in a carriage return alone", 1)


@pytest.mark.parametrize(("stamp", "unit"), [("1780000000000", "ms"), ("1780000000000000", "us")])
def test_unit_of_an_epoch_that_is_none_of_seconds_is_asked_for(tmp_path, stamp, unit):
    fault = fault_of(tmp_path, "plain", f"time_s,power_mw\n{stamp},20\n".encode())
    assert fault.rule == "trace-time-unit"
    assert fault.fix.startswith(
        f"If it counts from 1970, it is in {unit}: find out the unit, and state it in the header"
    )
