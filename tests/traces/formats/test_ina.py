import pytest

from harness.traces.formats import TraceOptions
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import fault_of, opened, samples

FIX = (
    "Name the units in the header, as in bus_voltage_V,current_mA,power_W, or read the file as the format table with a "
    "layout that states them."
)


def log(header, *rows):
    """Rows of readings every 100 ms."""
    lines = [f"{1706745600100 + 100 * k},{row}" for k, row in enumerate(rows)]
    return "\n".join([header, *lines]).encode()


@pytest.mark.parametrize(
    ("header", "rows", "power_mw"),
    [
        ("time,bus_voltage,shunt_voltage,current,power", ("5.0,0.1,1200,6.0", "5.0,0.1,2000,10.0"), [6000, 10_000]),
        ("time,bus_voltage,current,power", ("5.0,1200,6000", "5.0,2000,10000"), [6000, 10_000]),
        ("time,bus_voltage,current,power", ("5000,1200,6.0", "5000,2000,10.0"), [6000, 10_000]),
        ("time,bus_voltage_V,current_A", ("5.0,1.2", "5.0,2.0"), [6000, 10_000]),
        ("time,bus_voltage_V,current_uA", ("5.0,1200", "5.0,2000"), [6, 10]),
        ("Time,Bus Voltage (V),Current (mA),Power (mW)", ("5.0,1200,6000", "5.0,2000,10000"), [6000, 10_000]),
        ("timestamp,voltage_V,current_mA,power_W", ("5.0,1200,6", "5.0,2000,10"), [6000, 10_000]),
        ("TimeStamp,Voltage (V),Current (mA)", ("5.0,1200", "5.0,2000"), [6000, 10_000]),
        ("time,bus_voltage,load_voltage,current_mA", ("4.9,5.0,1200", "4.9,5.0,2000"), [6000, 10_000]),
        ("time,ina219_voltage,ina219_current,ina219_power", ("5.0,1200,6.0", "5.0,2000,10.0"), [6000, 10_000]),
    ],
)
def test_units_come_from_the_header_or_from_what_fits(tmp_path, header, rows, power_mw):
    trace = opened(tmp_path, None, log(header, *rows))
    assert samples(trace).power_mw == pytest.approx(power_mw)
    assert (trace.start_s, trace.scale, trace.kind, trace.faults) == (1706745600.1, "epoch", "instant", ())
    assert trace.boundary is None


@pytest.mark.parametrize(
    ("header", "row", "found"),
    [
        (
            "time,bus_voltage,current,power",
            "5.0,1.2,6.0",
            "voltage, current and power with power = 1 times their product in V, without units",
        ),
        ("time,bus_voltage,current", "5.0,1200", "a current without a unit, and no power to compare with"),
        ("time,bus_voltage,current,power", "120.0,1200,144", "a bus voltage of up to 120 without a unit"),
        (
            "time,bus_voltage,current,power",
            "5.0,1200,2.0",
            "voltage, current and power with power = 0.0003333 times their product in V, without units",
        ),
    ],
)
def test_units_that_cannot_be_told_are_asked_for(tmp_path, header, row, found):
    fault = fault_of(tmp_path, "ina", log(header, row, row))
    assert fault == TraceFault("trace-unit", found, "units in the header", FIX, 1)


@pytest.mark.parametrize("header", ["time,bus_voltage_V,current_mA,power_W", "time,bus_voltage_V,current_A,power_mW"])
def test_stated_units_that_do_not_fit_are_refused(tmp_path, header):
    fault = fault_of(tmp_path, "ina", log(header, "5.0,1200,6000", "5.0,1200,6000"))
    assert (fault.rule, fault.fix) == ("trace-unit", "Correct the units in the header.")


@pytest.mark.parametrize(("channel", "power_mw"), [("1", [6000.0]), ("2", [3300.0]), ("1+2", [9300.0])])
def test_channels_of_an_ina3221_are_chosen_and_added(tmp_path, channel, power_mw):
    header = "time,ch1_bus_voltage_V,ch1_current_mA,ch2_bus_voltage_V,ch2_current_mA"
    content = log(header, "5.0,1200,3.3,1000")
    assert fault_of(tmp_path, "ina", content).rule == "trace-channel"
    trace = opened(tmp_path, None, content, TraceOptions(channel))
    assert samples(trace).power_mw == pytest.approx(power_mw)
    assert trace.boundary == ("sum-of-rails" if "+" in channel else None)


def test_calendar_times_are_in_the_zone_of_the_options(tmp_path):
    content = b"time,bus_voltage_V,current_mA\n2024-02-01 00:00:00.100,5,1200\n2024-02-01 00:00:00.200,5,1200\n"
    assert opened(tmp_path, None, content).scale == "local"
    trace = opened(tmp_path, None, content, TraceOptions(timezone="+01:00"))
    assert (trace.scale, trace.start_s) == ("epoch", 1706742000.1)


def test_milliseconds_since_a_start_need_their_unit(tmp_path):
    rows = "0,5,1200\n100,5,1200\n200,5,1200\n"
    assert fault_of(tmp_path, "ina", f"time,bus_voltage_V,current_mA\n{rows}".encode()).rule == "trace-time-unit"
    trace = opened(tmp_path, None, f"time_ms,bus_voltage_V,current_mA\n{rows}".encode())
    assert samples(trace).stamps_s.tolist() == [0.0, 0.1, 0.2]


def test_bad_rows_are_left_out(tmp_path):
    trace = opened(tmp_path, None, log("time,bus_voltage_V,current_mA", "5,1200", "nan,1200", "5", "5,1200"))
    assert [fault.line for fault in trace.faults] == [4, 3]


@pytest.mark.parametrize("content", [b"", b"time,current\n", b"time_s,voltage,current,power\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "ina", content).expected == "a header with time, bus_voltage, current and power"
