import numpy as np
import pytest

from harness.schema.facts import TableLayout
from harness.traces.formats import TraceOptions
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import PLAIN, fault_of, opened, samples


def options(timezone=None, voltage_v=None, **layout):
    """Options with a layout; `t` in s and `p` in mW, both instants, unless it says otherwise."""
    stated = {"time": "t", "time_unit": "s", "power": "p", "power_unit": "mW", "meaning": "instant"} | layout
    return TraceOptions(timezone=timezone, voltage_v=voltage_v, layout=TableLayout(**stated))


def test_table_without_a_layout_is_refused(tmp_path):
    fix = "Give --layout a file that names the columns of the table, their units and what a value means."
    expected = TraceFault("trace-format", "a table without a layout", "a layout of its columns", fix)
    assert fault_of(tmp_path, "table", PLAIN) == expected


@pytest.mark.parametrize(
    ("layout", "content", "power_mw"),
    [
        ({}, b"t,p\n0,20\n1,30\n", [20, 30]),
        ({"power_unit": "W", "separator": ";", "decimal": ","}, b"t;x;p\n0,0;a;0,5\n1,0;b;1,5\n", [500, 1500]),
        ({"separator": "tab"}, b"t\tp\n0\t20\n1\t30\n", [20, 30]),
        ({"separator": "space"}, b"  t   p\n  0  20\n 1   30 \n", [20, 30]),
        ({"skip_lines": 2}, b"meter 7\n\nt,p\n0,20\n1,30\n", [20, 30]),
        ({"time_unit": "us"}, b'"t","p"\n"0","20"\n"1000000","30"\n', [20, 30]),
        (
            {
                "power": None,
                "power_unit": None,
                "current": "i",
                "current_unit": "uA",
                "voltage": "u",
                "voltage_unit": "mV",
            },
            b"t,i,u\n0,2000,5000\n1,4000,5000\n",
            [10, 20],
        ),
    ],
)
def test_columns_and_units_are_those_of_the_layout(tmp_path, layout, content, power_mw):
    trace = opened(tmp_path, "table", content, options(**layout))
    assert (trace.kind, trace.faults) == ("instant", ())
    np.testing.assert_allclose(samples(trace).stamps_s, [0, 1])
    np.testing.assert_allclose(samples(trace).power_mw, power_mw)


def test_current_alone_is_read_at_the_stated_voltage(tmp_path):
    layout = {"power": None, "power_unit": None, "current": "i", "current_unit": "A"}
    content = b"t,i\n0,1\n1,2\n"
    assert samples(opened(tmp_path, "table", content, options(voltage_v=5, **layout))).power_mw.tolist() == [
        5000,
        10000,
    ]
    assert fault_of(tmp_path, "table", content, options(**layout)).found == "i without a voltage"
    assert fault_of(tmp_path, "table", b"t,p\n0,1\n", options(voltage_v=5)).fix == "Leave the voltage out."


def test_means_after_a_stamp_are_stamped_at_their_end(tmp_path):
    trace = opened(tmp_path, "table", b"t,p\n10,20\n11,30\n13,40\n", options(meaning="mean-after"))
    assert trace.kind == "mean"
    # The last interval is as long as the median one, 1.5 s.
    assert (trace.start_s + samples(trace).stamps_s).tolist() == [11, 13, 14.5]
    assert samples(trace).power_mw.tolist() == [20, 30, 40]


def test_means_before_a_stamp_stay_where_they_are(tmp_path):
    trace = opened(tmp_path, "table", b"t,p\n10,20\n11,30\n", options(meaning="mean-before"))
    assert (trace.kind, samples(trace).stamps_s.tolist()) == ("mean", [0, 1])


def test_counter_begins_again_at_its_range(tmp_path):
    layout = {"meaning": "counter", "power_unit": "mWh"}
    content = b"t,p\n0,990\n3600,996\n7200,2\n"
    trace = opened(tmp_path, "table", content, options(counter_range=1000, **layout))
    np.testing.assert_allclose(samples(trace).power_mw, [6, 6, 6])
    fault = fault_of(tmp_path, "table", content, options(**layout))
    assert (fault.rule, fault.line) == ("trace-counter", 4)
    fault = fault_of(tmp_path, "table", content, options(counter_range=500, **layout))
    assert (fault.rule, fault.fix) == ("trace-counter", "Correct the range of the counter.")


@pytest.mark.parametrize(
    ("timezone", "scale", "start_s"), [(None, "local", 1778068800), ("+02:00", "epoch", 1778061600)]
)
def test_calendar_times_need_a_zone_to_be_an_epoch(tmp_path, timezone, scale, start_s):
    content = b"t,p\n2026-05-06 12:00:00.0,20\nbad,30\n2026-05-06 12:00:00.5,40\n"
    trace = opened(tmp_path, "table", content, options(timezone, time_unit="date"))
    assert (trace.scale, trace.start_s, trace.stamp_step_s) == (scale, start_s, 0.1)
    assert samples(trace).stamps_s.tolist() == [0, 0.5]
    expected = "2 cells, with a calendar time YYYY-MM-DD HH:MM:SS for t and numbers for p"
    left_out = "The line is left out; correct or delete it."
    assert trace.faults == (TraceFault("trace-format", "bad,30", expected, left_out, 3),)


@pytest.mark.parametrize(
    ("layout", "found"),
    [
        ({"power_unit": "J"}, "a layout with power_unit J of a value that is instant"),
        ({"power_unit": None}, "a layout with power_unit not stated of a value that is instant"),
        ({"meaning": "counter"}, "a layout with power_unit mW of a value that is counter"),
        ({"meaning": "counter", "power": None}, "a layout with a counter without its column"),
        ({"power": None}, "a layout with neither power nor current with its unit"),
        (
            {"power": None, "current": "p", "current_unit": "A", "voltage": "t"},
            "a layout with a voltage without its unit",
        ),
        ({"decimal": ","}, "a layout with one sign for both cells and decimals"),
        ({"time": "T"}, "no column T"),
        ({"power": "x"}, "2 columns x"),
    ],
)
def test_layout_that_does_not_fit_is_refused(tmp_path, layout, found):
    fault = fault_of(tmp_path, "table", b"t,p,x,x\n0,20,1,1\n", options(**layout))
    assert (fault.rule, fault.found) == ("trace-format", found)


def test_unknown_zone_is_refused(tmp_path):
    content = b"t,p\n2026-05-06 12:00:00,20\n"
    assert fault_of(tmp_path, "table", content, options("Mars/Base", time_unit="date")).rule == "trace-zone"


def test_layout_alone_says_that_a_file_is_a_table(tmp_path):
    layout = TableLayout(time="t", time_unit="date", power="p", power_unit="mW", meaning="instant", separator=";")
    rows = b"t;p\n2026-10-25 02:59:59;500\n2026-10-25 02:00:00;600\n"
    trace = opened(tmp_path, None, rows, TraceOptions(timezone="Europe/Berlin", layout=layout))
    # Clocks show the second time once more.
    assert samples(trace).stamps_s.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("read", ["PkgWatt", "CorWatt"])
def test_columns_of_turbostat_that_were_exchanged_are_a_fault(tmp_path, read):
    rows = "".join(f"{place},x,{6 + place},{4 + place}\n" for place in range(5))
    layout = options(time="s", power=read, power_unit="W")
    for header, rules in (("s,n,PkgWatt,CorWatt", []), ("s,n,CorWatt,PkgWatt", ["trace-unit"])):
        trace = opened(tmp_path, "table", f"{header}\n{rows}".encode(), layout)
        assert [fault.rule for fault in trace.faults] == rules
    assert trace.faults[0].found == "CorWatt of 8 on average over 5 rows"
    other = options(time="s", power="n", power_unit="W")
    content = f"s,n,CorWatt,PkgWatt\n{rows.replace('x', '7')}".encode()
    assert opened(tmp_path, "table", content, other).faults == ()
