from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces.logs import Log
from harness.traces.stamps import any_stamp, calendar_stamp, number_stamp, unit_stamp, zone_of
from harness.traces.trace import TraceOptionError


@pytest.mark.parametrize("text", ["1767225600", "1767225600000", "1767225600000000", "1767225600000000000"])
def test_size_of_a_number_tells_the_unit_of_an_epoch(text):
    stamp = number_stamp(text)
    assert (stamp.us, stamp.scale) == (1767225600000000, "epoch")


@pytest.mark.parametrize(("unit", "us"), [("s", 2_500_000), ("ms", 2500), ("us", 2), ("ns", 0)])
def test_stated_unit_is_taken_whatever_the_size(unit, us):
    stamp = unit_stamp("2.5", unit)
    assert (stamp.us, stamp.scale) == (us, "relative")


@given(st.datetimes().filter(lambda moment: moment.year >= 1971))
def test_calendar_times_keep_every_microsecond(moment):
    stamp = calendar_stamp(moment.isoformat(" ", "microseconds") + "+00:00")
    assert stamp.us % 1_000_000 == moment.microsecond
    assert stamp.scale == "epoch"


def test_zone_that_the_text_states_wins():
    stated = calendar_stamp("2026-05-06 12:00:00+02:00", zone_of("America/New_York"))
    assert stated.us == 1778061600000000
    assert calendar_stamp("2026-05-06 12:00:00", zone_of("+02:00")).us == stated.us


@pytest.mark.parametrize("text", ["", "now", "2026-13-01 00:00:00", "12:00:00", "nan", "2026-05-06"])
def test_other_text_is_no_time(text):
    assert any_stamp(text) is None


@pytest.mark.parametrize("name", ["Mars", "+99:00", "../etc", ""])
def test_zone_that_is_none_is_refused(name):
    with pytest.raises(TraceOptionError, match=r"Write a name such as Europe/Berlin"):
        zone_of(name)


def test_line_that_counts_from_another_start_is_left_out():
    log = Log("log.csv")
    log.add_at(1, any_stamp("2026-05-06 12:00:00.0Z"), 1000.0)
    log.add_at(2, any_stamp("2026-05-06 12:00:01.0"), 1000.0)
    log.add_at(3, any_stamp("2026-05-06 12:00:02.0Z"), 1000.0)
    trace = log.trace()
    assert [(fault.rule, fault.line) for fault in trace.faults] == [("trace-zone", 2)]
    assert (trace.scale, trace.stamp_step_s, log.n_samples) == ("epoch", 0.1, 2)


@given(st.integers(-7200, 7200))
def test_hour_that_clocks_show_twice_is_told_apart_by_the_time_before(offset_s):
    berlin = zone_of("Europe/Berlin")
    true_s = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()) + offset_s
    local = datetime.fromtimestamp(true_s, berlin).strftime("%Y-%m-%d %H:%M:%S")
    assert calendar_stamp(local, berlin).after((true_s - 1) * 1_000_000).us == true_s * 1_000_000
