"""Logs beyond what is read: refused with the limit, the line where there is one, and in little memory."""

import contextlib
import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from harness.budget import LATEST_S, MOST_LOG_LINE
from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences
from harness.traces.logs import held_bytes
from harness.traces.reduction import Reduction
from harness.traces.runs import Run, reduce_run
from harness.traces.stamps import number_stamp, unit_stamp
from harness.traces.trace import REFUSING, TraceFault, TraceFormatError
from tests.intake.run_folders import N_EACH, energy_bytes, marks_text
from tests.traces.formats.test_all import FILES


def refusal(tmp_path, read, content, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TraceFormatError) as caught:
        read(path)
    return caught.value.fault


def all_of(path, name=None):
    return list(open_trace(path, name).chunks())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["tegrastats", "nvidia-smi", "rapl", "jtop", "turbostat"])
def test_log_of_very_many_lines_is_refused_packed_or_not(tmp_path, name, pack):
    fault = refusal(tmp_path, lambda path: all_of(path, name), pack(b"\n" * 2_000_000))
    assert (fault.rule, fault.found) == ("file-size", "2000000 lines")


def test_log_of_very_many_bytes_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.traces.logs.MOST_LOG_BYTES", 1000)
    fault = refusal(tmp_path, held_bytes, gzip.compress(b"x" * 100_000))
    assert (fault.rule, fault.found) == ("file-size", "more than 1000 bytes")


def test_long_line_of_a_log_is_refused_with_its_number(tmp_path):
    fault = refusal(tmp_path, lambda path: all_of(path, "rapl"), b"a\n" + b"x" * (MOST_LOG_LINE + 1) + b"\nb\n")
    assert (fault.rule, fault.line, fault.found) == ("line-length", 2, f"{MOST_LOG_LINE + 1} characters")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[" + b"1," * 3_000_000 + b"1]", "a list of 3000001 parts"),
        (b"start_s,end_s\n" + b"1,2\n" * 600_000, "600001 lines"),
        (b'[{"infer": 1, "power": {"samples": [' + b"1," * 3_000_000 + b"1]}}]", "a list of 3000002 parts"),
    ],
)
def test_very_many_windows_or_samples_are_refused_before_they_are_parsed(tmp_path, content, found):
    assert refusal(tmp_path, read_inferences, content).found == found


def test_very_many_windows_of_any_layout_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.traces.inference_reading.MOST_WINDOWS", 2)
    fault = refusal(tmp_path, read_inferences, b"start_s,end_s\n1,2\n3,4\n5,6\n")
    assert (fault.rule, fault.line, fault.found) == ("file-size", 4, "more than 2 windows")


def test_bad_line_of_a_table_with_very_many_lines_ends_its_reading(tmp_path, monkeypatch):
    content = b"time_s,power_mw\n1,2\nx\n" + b"".join(b"%d,2\n" % second for second in range(2, 20))
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert [fault.line for fault in open_trace(path).faults] == [3]
    monkeypatch.setattr("harness.traces.tables.MOST_LOG_LINES", 10)
    assert refusal(tmp_path, all_of, content).line == 3


@pytest.mark.parametrize("text", ["1e999", "1e-999", "4000000001000000000", "-9e30", "9" * 50])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_no_number_is_a_time_that_overflows(text, unit):
    stamp = unit_stamp(text, unit)
    assert stamp is None or abs(stamp.us) <= LATEST_S * 1e6
    assert number_stamp(text) is None or abs(number_stamp(text).us) <= LATEST_S * 1e6


@pytest.mark.parametrize(
    "windows", [b"start,end\n9999-01-01 00:00:00,9999-01-01 00:00:01\n", b"start_s,end_s\n4e9,4.1e9\n"]
)
def test_windows_of_another_age_are_left_out(tmp_path, windows):
    path = tmp_path / "i.csv"
    path.write_bytes(windows)
    inferences = read_inferences(path)
    assert (len(inferences), len(inferences.faults)) == (0, 1)
    assert inferences.relative_to(-float(LATEST_S))[0].tolist() == []


@pytest.mark.parametrize("first", [5e10, 4.1e9, -4.1e9])
def test_trace_of_another_age_is_refused(tmp_path, first):
    fault = refusal(tmp_path, all_of, f"time_s,power_mw\n{first},10\n{first + 1},11\n".encode())
    assert fault.rule == "trace-time-unit"


@pytest.mark.parametrize("power", ["1e308", "-1e308", "1e16"])
def test_power_with_which_nothing_can_be_computed_is_refused(tmp_path, power):
    content = "time_s,power_mw\n" + "".join(f"{k},{power if k == 5 else 10 + k % 3}\n" for k in range(20))
    fault = refusal(tmp_path, all_of, content.encode())
    assert (fault.rule, fault.found) == ("trace-unit", f"a power of {float(power):.6g} mW")


def test_clock_of_perf_that_runs_backwards_is_a_fault(tmp_path):
    times = [3.0, 2.0, 1.0, 1.0, 1.5]
    content = "".join(f"{time},{10 + k}.5,Joules,power/energy-pkg/,1,100.00,,\n" for k, time in enumerate(times))
    path = tmp_path / "a.csv"
    path.write_text(content)
    trace = open_trace(path, "perf-stat")
    assert "trace-order" in {fault.rule for fault in trace.faults}
    assert all((chunk.power_mw > 0).all() for chunk in trace.chunks())


@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_windows_without_energy_are_an_error_and_have_none(tmp_path, sign):
    """Currents of the wrong sign in the windows; a high value between them lets the peak look plausible."""
    content = bytearray(energy_bytes())
    samples = np.frombuffer(content, "<f4", offset=5)
    inside = samples > 5
    samples[inside] *= sign
    samples[:500] = 30.0
    run = Run(tmp_path / "trace1-energy.bin", tmp_path / "trace1-timestamps.json", n_each=N_EACH)
    run.power.write_bytes(content)
    run.inferences.write_text(marks_text())
    reduction = reduce_run(run)
    assert isinstance(reduction, Reduction)
    assert reduction.energy_mj is None
    fault = next(fault for fault in reduction.faults if fault.rule == "trace-energy")
    assert "trace-energy" in REFUSING
    assert fault.found.startswith("5 of 5 windows without energy, the lowest with ")


def test_stream_of_a_long_trace_is_not_limited(tmp_path, monkeypatch):
    """Only what is held in memory has a limit of its size."""
    for name in ("MOST_LOG_BYTES", "MOST_LOG_LINES"):
        monkeypatch.setattr(f"harness.traces.logs.{name}", 100)
    path = tmp_path / "a.csv"
    path.write_text("time_s,power_mw\n" + "".join(f"{k / 1000},{100 + k % 7}\n" for k in range(5000)))
    assert sum(len(chunk.power_mw) for chunk in open_trace(path).chunks()) == 5000


def test_header_without_an_end_is_refused(tmp_path: Path):
    fault = refusal(tmp_path, all_of, b"time_s,power_mw" + b"," * 3_000_000)
    assert isinstance(fault, TraceFault)
    assert list(itertools.islice(fault.found, 200)) == list(fault.found)


@pytest.mark.parametrize("name", sorted(FILES))
def test_log_of_which_every_line_is_bad_is_refused(tmp_path, name):
    """No digit is left after the first line, or the file ends soon."""
    content = FILES[name][0]
    head, _, rest = content.partition(b"\n")
    path = tmp_path / "a"
    for damaged in (rest.translate(bytes.maketrans(b"0123456789", b"x" * 10)), rest[:-1].rpartition(b"\n")[0][:60]):
        path.write_bytes(head + b"\n" + damaged)
        with contextlib.suppress(TraceFormatError):
            all_of(path, name)


def test_samples_of_another_age_leave_a_log_of_powermetrics_without_samples(tmp_path):
    content = FILES["powermetrics"][0].replace(b" 2024 ", b" 3024 ")
    fault = refusal(tmp_path, lambda path: all_of(path, "powermetrics"), content)
    assert (fault.line, fault.expected) == (3, "a time of this age")
