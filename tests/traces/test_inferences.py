import gzip
import json
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.traces import digital_windows
from harness.traces.blocks import csv_blocks
from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences, read_n_each
from harness.traces.trace import TraceFault, TraceFormatError
from tests.traces.formats.samples import PIECES, upstream

NOON_NS = 1778068800250000000
LEFT_OUT = "The inference is left out; correct the log."
LOG = (
    b"inference_index,start_us,end_us,duration_us\n"
    b"0,1700000000000001,1700000000026242,26241\n1,1700000000026304,1700000000050070,23766\n"
)
CALENDAR = b"start,end\n2026-05-06T12:00:00Z,2026-05-06T12:00:01Z\n2026-05-06T12:00:02Z,2026-05-06T12:00:03Z\n"
MARKS = b"[\n\t0.018,\n\t9.254,\n\t19.752,\n\t27.893,\n\t38.394\n]\n"


def read(tmp_path, content, n_each=1):
    path = tmp_path / "log"
    path.write_bytes(content)
    return read_inferences(path, n_each)


def fault_of(tmp_path, content):
    with pytest.raises(TraceFormatError) as caught:
        read(tmp_path, content)
    return caught.value.fault


def test_microseconds_since_the_epoch_lose_no_digit(tmp_path):
    inferences = read(tmp_path, LOG)
    assert inferences.starts_ns.tolist() == [1700000000000001000, 1700000000026304000]
    assert inferences.ends_ns.tolist() == [1700000000026242000, 1700000000050070000]
    assert (len(inferences), inferences.n_each, inferences.faults) == (2, 1, ())
    np.testing.assert_allclose(inferences.starts_s - 1.7e9, [1e-6, 0.026304], atol=2.5e-7)


@given(st.integers(10**15, 2 * 10**15), st.integers(0, 10**9), st.integers(1, 10**7))
def test_trace_and_inferences_share_one_clock_to_the_microsecond(tmp_path_factory, origin, later, lasted):
    folder = tmp_path_factory.getbasetemp()
    (folder / "power.csv").write_text(f"Time(ms),Main(mA),Main Voltage(V),\n{origin},100,4,\n")
    (folder / "times.csv").write_text(f"start_us,end_us\n{origin + later},{origin + later + lasted}\n")
    trace, inferences = open_trace(folder / "power.csv"), read_inferences(folder / "times.csv")
    starts, ends = inferences.relative_to(trace.start_s)
    assert starts.tolist() == [later * 1000 / 1e9]
    assert ends.tolist() == [(later + lasted) * 1000 / 1e9]
    # Seconds since the epoch in float64 are good to two steps of 0.24 µs.
    assert abs(inferences.starts_s[0] - trace.start_s - later / 1e6) < 5e-7


@pytest.mark.parametrize(
    "content",
    [
        b"start_s,end_s\n1.5,2.25\n3,3.5\n",
        b"start_ms,end_ms\n1500,2250\n3000,3500\n",
        b"start_ns,end_ns\n1500000000,2250000000\n3e9,3500000000\n",
        b"\xef\xbb\xbf Start_MS , end_s ,note,\r\n1500,2.25,a,\r\n\r\n3000,3.5,b,\r\n",
        b"end_s,start_s,duration_ms\n2.25,1.5,750\n3.5,3,500.0\n",
    ],
)
def test_unit_is_that_of_the_header(tmp_path, content):
    inferences = read(tmp_path, content)
    assert inferences.faults == ()
    assert inferences.relative_to(1.0)[0].tolist() == [0.5, 2.0]
    assert inferences.relative_to(1.0)[1].tolist() == [1.25, 2.5]


def test_windows_lie_between_odd_and_even_marks(tmp_path):
    inferences = read(tmp_path, MARKS, 2000)
    assert inferences.starts_s.tolist() == [9.254, 27.893]
    assert inferences.ends_s.tolist() == [19.752, 38.394]
    assert (inferences.n_each, inferences.faults) == (2000, ())


@pytest.mark.parametrize("content", [LOG.split(b"\n")[0], LOG.split(b"\n")[0] + b"\n\n", b"[]", b"[0.5]"])
def test_log_without_inferences_is_empty(tmp_path, content):
    inferences = read(tmp_path, content)
    assert (len(inferences), inferences.faults) == (0, ())
    assert inferences.starts_s.dtype == inferences.relative_to(1.7e9)[1].dtype == np.float64


def test_rows_that_are_no_inference_are_left_out(tmp_path):
    content = LOG + b"2,1700000000050100\n3,x,1700000000060000,1\n4,1700000000060000,1e30,1\n"
    inferences = read(tmp_path, content)
    assert len(inferences) == 2
    assert inferences.faults == (
        TraceFault("trace-format", "2,1700000000050100", "4 cells", LEFT_OUT, 4),
        TraceFault("trace-format", "start_us = x", "a time", LEFT_OUT, 5),
        TraceFault("trace-format", "end_us = 1e30", "a time", LEFT_OUT, 6),
    )


def test_inference_that_does_not_last_is_left_out(tmp_path):
    inferences = read(tmp_path, b"start_us,end_us\n10,20\n30,30\n40,35\n")
    assert len(inferences) == 1
    assert inferences.faults == (
        TraceFault("inference-order", "end 30", "after the start, 30", LEFT_OUT, 3),
        TraceFault("inference-order", "end 35", "after the start, 40", LEFT_OUT, 4),
    )


def test_inferences_out_of_order_or_overlapping_are_faults_and_kept(tmp_path):
    inferences = read(tmp_path, b"start_us,end_us\n10,30\n5,8\n20,40\n40,50\n")
    assert inferences.starts_ns.tolist() == [10_000, 5_000, 20_000, 40_000]
    ordered = "Log inferences in the order in which they ran."
    apart = "Log inferences that run one after another; energy of overlapping ones is counted twice."
    assert inferences.faults == (
        TraceFault("inference-order", "start 5", "not before the start of the one before", ordered, 3),
        TraceFault("inference-order", "start 20", "not before the end of the one before", apart, 4),
    )


def test_duration_that_is_not_end_less_start_is_a_fault(tmp_path):
    content = b"start_us,end_us,duration_ms\n10000,20000,10\n30000,40900,10.9\n50000,62000,10\n70000,80000,\n"
    inferences = read(tmp_path, content)
    assert len(inferences) == 4
    fix = "Log all three on one clock; the start and the end are taken."
    assert inferences.faults == (
        TraceFault("inference-order", "duration_ms = 10", "12, the end less the start", fix, 4),
        TraceFault("inference-order", "duration_ms = ", "10, the end less the start", fix, 5),
    )


@pytest.mark.parametrize("duration", [26240, 26242])
def test_duration_may_be_rounded(tmp_path, duration):
    assert read(tmp_path, LOG.replace(b",26241", f",{duration}".encode())).faults == ()


def test_many_faults_are_counted(tmp_path):
    faults = read(tmp_path, b"start_s,end_s\n" + b"2,1\n" * 100).faults
    assert len(faults) == 21
    assert faults[-1] == TraceFault(
        "inference-order", "80 more bad inferences", "inferences in order", "Correct the log."
    )


def test_bad_marks_leave_out_their_windows(tmp_path):
    inferences = read(tmp_path, b'[0, 1, 2, "x", 4, 5, 4.5, 6]')
    assert inferences.starts_s.tolist() == [1.0]
    mark = "Both windows at the mark are left out."
    last = "Delete the last mark, whose window was not closed."
    assert inferences.faults == (
        TraceFault("trace-format", "mark 3 = x", "seconds", mark),
        TraceFault("inference-order", "end 4.5 of window 6", "after the start, 5 of window 6", LEFT_OUT),
        TraceFault("trace-format", "8 marks", "an odd number: one, and two for each window", last),
    )


EXPECTED = (
    "a header with start_us and end_us, or start_us and duration_us (or _s, _ms, _ns), "
    "or calendar times or times since 1970 under start and end"
)


@pytest.mark.parametrize("content", [b"start_us\n5\n", b"begin,end\n1,2\n", b"", b"\n1,2\n", b"1,2\n3,4\n"])
def test_header_without_start_and_end_is_refused(tmp_path, content):
    found = content.split(b"\n")[0].decode() or "an empty first line"
    fix = "Log the start and the end of every inference."
    assert fault_of(tmp_path, content) == TraceFault("trace-format", found, EXPECTED, fix, 1)


def test_numbers_without_a_unit_are_refused(tmp_path):
    fix = "State the unit of the numbers in the header, such as start_us and end_us for microseconds."
    fault = TraceFault("trace-format", "start,end", EXPECTED, fix, 1)
    for cells in (b"1,2", b"1700000000000,1700.5", b"90000000,90000001", b"7e8,7.1e8", b"5000000000,5000000001"):
        assert fault_of(tmp_path, b"start,end\n" + cells + b"\n") == fault


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_size_since_1970_states_a_unit_that_the_header_lacks(tmp_path, factor):
    rows = "".join(f"{start * factor},{(start + 2) * factor}\n" for start in (1772625600, 1772625610))
    inferences = read(tmp_path, b"start,end\n" + rows.encode())
    assert inferences.starts_ns.tolist() == [1772625600 * 10**9, 1772625610 * 10**9]
    assert (inferences.ends_ns - inferences.starts_ns).tolist() == [2 * 10**9] * 2
    assert (inferences.scale, inferences.stamp_step_s, inferences.faults) == ("epoch", 1 / factor, ())


@pytest.mark.parametrize(
    ("zone", "scale", "first_ns"),
    [
        ("+02:00", "epoch", 1778061600_250000000),
        ("Z", "epoch", 1778068800_250000000),
        ("", "local", 1778068800_250000000),
    ],
)
def test_calendar_times_are_an_epoch_where_they_state_a_zone(tmp_path, zone, scale, first_ns):
    rows = f"2026-05-06T12:00:00.250{zone},2026-05-06T12:00:01.500{zone}\n"
    inferences = read(tmp_path, b"start,end\n" + rows.encode())
    assert (inferences.scale, inferences.stamp_step_s, inferences.faults) == (scale, 1e-3, ())
    assert (inferences.starts_ns.tolist(), inferences.ends_ns.tolist()) == ([first_ns], [first_ns + 1_250_000_000])


def test_zone_of_the_options_holds_where_times_state_none(tmp_path):
    (tmp_path / "log").write_text("start,end\n2026-05-06 12:00:00,2026-05-06 12:00:01\n")
    inferences = read_inferences(tmp_path / "log", timezone="Europe/Berlin")
    assert (inferences.scale, inferences.stamp_step_s) == ("epoch", 1.0)
    assert inferences.starts_ns.tolist() == [1778061600_000000000]
    with pytest.raises(TraceFormatError, match="a zone of the IANA database"):
        read_inferences(tmp_path / "log", timezone="Europe/Nowhere")


def test_times_with_and_without_a_zone_are_not_mixed(tmp_path):
    content = b"start,end\n2026-05-06T12:00:00Z,2026-05-06T12:00:01Z\n2026-05-06 12:00:02,2026-05-06 12:00:03\n"
    inferences = read(tmp_path, content)
    assert len(inferences) == 1
    found = "start = 2026-05-06 12:00:02"
    assert inferences.faults == (TraceFault("trace-zone", found, "a zone in every time, or in none", LEFT_OUT, 3),)


@pytest.mark.parametrize(
    ("content", "step_s"),
    [
        (b"start_s,duration_ms\n1.5,750\n3.0,500\n", 0.1),
        (b"start_s\tend_s\n1,5\t2,25\n3,0\t3,5\n", 0.1),
        (b"start_ms;end_ms\n1500,0;2250,0\n3000,0;3500,0\n", 1e-4),
        (b'"start_ms","end_ms"\n"1500.00","2250"\n"3000.00","3500"\n', 1e-3),
    ],
)
def test_durations_and_other_separators_are_read(tmp_path, content, step_s):
    inferences = read(tmp_path, content)
    assert (inferences.scale, inferences.faults) == ("relative", ())
    assert inferences.starts_s.tolist() == [1.5, 3.0]
    assert inferences.ends_s.tolist() == [2.25, 3.5]
    assert inferences.stamp_step_s == pytest.approx(step_s)


def test_bad_duration_leaves_out_its_inference(tmp_path):
    inferences = read(tmp_path, b"start_s,duration_ms\n1,x\n2,0\n3,5\n")
    assert inferences.starts_s.tolist() == [3.0]
    assert inferences.faults == (
        TraceFault("trace-format", "duration_ms = x", "a duration", LEFT_OUT, 2),
        TraceFault("inference-order", "end 0 later", "after the start, 2", LEFT_OUT, 3),
    )


def test_scale_is_that_of_the_first_start(tmp_path):
    assert read(tmp_path, LOG).scale == "epoch"
    assert read(tmp_path, MARKS).scale == "relative"
    assert read(tmp_path, MARKS).stamp_step_s == 1e-3
    assert read(tmp_path, b"start_us,end_us\n10,20\n").scale == "relative"


def test_compressed_log_is_read_and_a_damaged_one_refused(tmp_path):
    assert read(tmp_path, gzip.compress(LOG)).starts_ns.tolist() == read(tmp_path, LOG).starts_ns.tolist()
    fault = TraceFault("trace-format", "a damaged gzip file", "a whole one", "Copy the file again.")
    assert fault_of(tmp_path, gzip.compress(LOG)[:-9]) == fault


def ppk(levels, layout="D0"):
    """Export with a row for each level of a channel, 0.5 ms apart."""
    header, cell = {
        "D0": ("D0,D1", "{},0"),
        "D3": ("D0,D3", "0,{}"),
        "bits": ("D0-D7", "{}0000000"),
        "none": ("", ""),
    }[layout]
    lines = [f"Timestamp(ms),Current(uA),{header}".strip(",")]
    lines += [f"{k * 0.5},100,{cell.format(level)}".strip(",") for k, level in enumerate(levels)]
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("layout", ["D0", "D3", "bits"])
def test_high_periods_of_a_digital_channel_are_windows(tmp_path, layout):
    inferences = read(tmp_path, ppk("0011100-X1100", layout))
    assert inferences.starts_ns.tolist() == [1_000_000, 4_500_000]
    assert inferences.ends_ns.tolist() == [2_500_000, 5_500_000]
    assert (inferences.scale, inferences.stamp_step_s, inferences.faults) == ("relative", 5e-4, ())


def test_period_that_is_not_wholly_recorded_is_no_window(tmp_path):
    assert read(tmp_path, ppk("1100110011")).starts_ns.tolist() == [2_000_000]


def test_digital_windows_do_not_depend_on_the_blocks_they_are_read_in(tmp_path, monkeypatch):
    content = ppk("0110" * 500)
    whole = read(tmp_path, content)
    monkeypatch.setattr(digital_windows, "csv_blocks", partial(csv_blocks, block_bytes=37))
    parts = read(tmp_path, content)
    assert len(whole) == 500
    assert (parts.starts_ns == whole.starts_ns).all()
    assert (parts.ends_ns == whole.ends_ns).all()


def test_digital_channels_without_windows_are_refused(tmp_path):
    fault = fault_of(tmp_path, ppk("0000"))
    assert (fault.rule, fault.found) == ("trace-no-inference", "no high period of D0")
    two = b"Timestamp(ms),Current(uA),D0,D1,D2\n0,1,0,0,0\n1,1,0,1,1\n2,1,0,0,0\n"
    assert fault_of(tmp_path, two).found == "no high period of D0, and some of D1, D2"
    fault = fault_of(tmp_path, ppk("0000", "none"))
    assert (fault.rule, fault.expected) == ("trace-format", "digital channels, D0 to D7")


@pytest.mark.parametrize(("content", "line"), [(b"[1,\n2", 2), (b"[" * 100_000, None), (b"[1] 2", 1)])
def test_marks_that_are_no_json_are_refused(tmp_path, content, line):
    fix = "Take the file as EnergyRunner wrote it."
    expected = "a JSON list of marks in seconds"
    assert fault_of(tmp_path, content) == TraceFault("trace-format", "no JSON", expected, fix, line)


def test_number_of_inferences_below_one_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"inferences in each window: 0; expected at least 1"):
        read(tmp_path, MARKS, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no inferences in a window"),
        ("# Inferences : 10\n# Inferences : 20\n", "10, 20 inferences in a window"),
        ("# Inferences : 0\n", "0 inferences in a window"),
    ],
)
def test_results_without_one_number_of_inferences_are_refused(tmp_path, text, found):
    results = tmp_path / "results.txt"
    results.write_text(text)
    with pytest.raises(TraceFormatError) as caught:
        read_n_each(results)
    expected = "one number for all windows, above 0"
    fix = "Take the results.txt of the energy run."
    assert caught.value.fault == TraceFault("trace-format", found, expected, fix)


def test_number_of_inferences_is_read_from_the_results(tmp_path):
    results = tmp_path / "results.txt"
    results.write_text("1 ulp-ml:   # Inferences :         2000\n2 ulp-ml:   # Inferences :         2000\n")
    assert read_n_each(results) == 2000


@settings(max_examples=300)
@given(st.data())
def test_mangled_bytes_are_refused_or_read_as_windows(tmp_path_factory, data):
    content = data.draw(st.sampled_from([LOG, MARKS, CALENDAR, ppk("00110")]))
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 12)))
        content = content[:start] + data.draw(st.sampled_from(PIECES) | st.binary(max_size=6)) + content[end:]
    try:
        inferences = read(tmp_path_factory.getbasetemp(), content)
    except TraceFormatError:
        return
    assert {fault.rule for fault in inferences.faults} <= {"trace-format", "inference-order", "trace-zone"}
    assert (inferences.ends_ns > inferences.starts_ns).all()
    assert np.isfinite(np.concatenate(inferences.relative_to(1.7e9))).all()


def test_real_logs_hold_no_fault():
    folder = upstream("monsoon")
    counts = {path.name: len(read_inferences(path)) for path in folder.glob("*_inference_time.csv")}
    assert counts == {
        "EnergyNet_uid8723_cfg181_nhwc_inference_time.csv": 220,
        "mnv2_cifar10_fp32_inference_time.csv": 297,
        "empty_run_inference_time.csv": 0,
    }
    assert not any(read_inferences(path).faults for path in folder.glob("*_inference_time.csv"))


def test_real_marks_hold_five_windows_each():
    for path in upstream("energyrunner").rglob("trace1-timestamps.json"):
        marks = json.loads(path.read_text())
        inferences = read_inferences(path)
        assert (inferences.starts_s.tolist(), inferences.ends_s.tolist()) == (marks[1::2], marks[2::2])
        assert (len(inferences), inferences.faults) == (5, ())


def test_windows_across_the_end_of_summer_time_keep_their_length(tmp_path):
    text = "start,end\n2026-10-25 02:59:50,2026-10-25 02:00:10\n2026-10-25 02:00:20,2026-10-25 02:00:40\n"
    (tmp_path / "i.csv").write_text(text)
    inferences = read_inferences(tmp_path / "i.csv", timezone="Europe/Berlin")
    assert (inferences.ends_s - inferences.starts_s).tolist() == [20.0, 20.0]
    assert inferences.starts_s[1] - inferences.starts_s[0] == 30.0
    assert inferences.faults == ()


def test_a_column_states_how_many_inferences_a_window_holds(tmp_path):
    found = read(tmp_path, b"start_ns,end_ns,n_inferences\n1,2,250\n3,4,250\n")
    assert (len(found), found.n_each, found.faults) == (2, 250, ())
    assert read(tmp_path, b"start_ns,end_ns,n_inferences\n1,2,250\n", n_each=10).n_each == 10


@pytest.mark.parametrize("cell", [b"251", b"0", b"", b"2.5", b"-1", b"9999999999"])
def test_a_window_with_another_count_is_left_out(tmp_path, cell):
    found = read(tmp_path, b"start_ns,end_ns,n_inferences\n1,2,250\n3,4," + cell + b"\n")
    assert (len(found), found.n_each) == (1, 250)
    (fault,) = found.faults
    assert (fault.rule, fault.line, fault.expected) == ("trace-format", 3, "250, as in every window")
