import pytest

from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples

HEADER = "Date,CPU Utilization,Total Power,CPU Power,GPU Power\n"
LOG = (HEADER + "".join(f"2024-02-01 00:00:{k:02},0.5,{12 + k},{10 + k},2.0\n" for k in range(30))).encode()


def test_total_power_is_the_mean_of_the_second_before(tmp_path):
    trace = opened(tmp_path, None, LOG)
    assert samples(trace).power_mw[:2].tolist() == [12_000.0, 13_000.0]
    assert (trace.kind, trace.scale, trace.boundary) == ("mean", "local", "sum-of-rails")
    assert trace.rails == ("CPU Power", "GPU Power")
    assert (trace.start_s, trace.stamp_step_s, round(trace.stamp_u_s, 3)) == (1706745600.5, 0.0, 0.289)


@pytest.mark.parametrize(("channel", "boundary"), [("CPU Power", "package"), ("GPU Power", "board")])
def test_channel_picks_a_part(tmp_path, channel, boundary):
    assert opened(tmp_path, None, LOG, TraceOptions(channel)).boundary == boundary


def test_zone_of_the_options_makes_an_epoch(tmp_path):
    trace = opened(tmp_path, None, LOG, TraceOptions(timezone="+01:00"))
    assert (trace.scale, trace.start_s) == ("epoch", 1706742000.5)


def test_dates_with_blanks_and_milliseconds_are_read(tmp_path):
    content = HEADER + " 2024- 2- 1  9: 5: 7. 42,0.5,12,10,2\n 2024- 2- 1  9: 5: 8. 542,0.5,13,10,2\n"
    trace = opened(tmp_path, None, content.encode())
    assert (trace.start_s, samples(trace).stamps_s.tolist()) == (1706778307.042, [0.0, 1.5])


def test_log_of_one_process_is_refused(tmp_path):
    fault = fault_of(tmp_path, "powerjoular", b"Date,CPU Utilization,CPU Power\n2024-02-01 00:00:00,0.1,2.0\n")
    assert (fault.found, fault.fix) == ("a log of one process", "Log the whole system, without -p and -a.")


def test_bad_rows_are_left_out(tmp_path):
    trace = opened(tmp_path, None, LOG + HEADER.encode() + b"2024-02-01 00:00:30,0.5,x,1,1\nnow,0.5,1,1,1\n1,2\n")
    assert [fault.found for fault in trace.faults] == ["Total Power = x", "Date = now", "1,2"]


@pytest.mark.parametrize("content", [b"", b"Date,Power\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "powerjoular", content).fix == "Log with powerjoular -f FILE."


@pytest.mark.parametrize(
    ("header", "boundary", "rails"),
    [
        ("Date,CPU Utilization,Total Power", None, ("Total Power",)),
        ("Date,CPU Utilization,Total Power,CPU Power", "package", ("CPU Power",)),
    ],
)
def test_total_of_a_log_without_graphics_is_the_processor(tmp_path, header, boundary, rails):
    cells = ",6.0" * (header.count(",") - 1)
    trace = opened(
        tmp_path, None, f"{header}\n2026-05-06 12:00:00,0.5{cells}\n2026-05-06 12:00:01,0.5{cells}\n".encode()
    )
    assert (trace.boundary, trace.rails) == (boundary, rails)
