"""Logs of known energy in the layouts of labs: each gives that energy within its U, or an error whose fix works.

A device idles and computes in bursts of constant power; files are written by code and read by the public interface.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from tests.traces.known_loads import (
    BOARD,
    NOON_S,
    PHONE,
    SHORT,
    Device,
    assert_right,
    clock,
    fix_of,
    fix_of_unread,
    followed,
    rows,
    run,
    times,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOLD_S = 0.1


# --- tegrastats ---


def tegrastats(rails, interval_s=1.0, zone=UTC, style="{0} {1:.0f}mW/{1:.0f}mW", start_s=NOON_S, lost=(), phase_s=0.3):
    """Lines with whole-second stamps of local time."""
    lines = []
    for place, time in enumerate(times(BOARD, interval_s, phase_s)):
        power = BOARD.power_mw(time)
        shown = " ".join(style.format(name, share * power) for name, share in rails.items())
        if place not in lost:
            stamp = clock(start_s + time, zone, "%m-%d-%Y %H:%M:%S")
            lines.append(f"{stamp} RAM 3276/7859MB (lfb 5x4MB) CPU [44%@1421,off] APE 174 GR3D_FREQ 0% {shown}")
    return lines


@pytest.mark.parametrize(("hours", "zone"), [(1, "+01:00"), (-5, "-05:00"), (5.5, "+05:30"), (0, "UTC")])
def test_local_stamps_need_their_zone_and_the_one_that_fits_is_named(tmp_path, hours, zone):
    lines = tegrastats({"VDD_IN": 1}, zone=timezone(timedelta(hours=hours)))
    open_zone = run(tmp_path, lines, BOARD)
    assert f"--timezone {zone}" in fix_of(open_zone, "trace-zone")
    assert "trace-window" not in {fault.rule for fault in open_zone.faults}
    assert_right(run(tmp_path, lines, BOARD, timezone=zone), BOARD.energy_mj)


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_clock_that_is_changed_within_a_run_needs_a_zone_with_a_name(tmp_path, change):
    start_s = change.timestamp() - 150
    lines = tegrastats({"VDD_IN": 1}, zone=BERLIN, start_s=start_s)
    for zone in (None, "+01:00"):
        fix = fix_of(run(tmp_path, lines, BOARD, start_s, timezone=zone), "trace-zone")
        assert "by its name, such as --timezone Europe/Berlin" in fix
    assert_right(run(tmp_path, lines, BOARD, start_s, timezone="Europe/Berlin"), BOARD.energy_mj)


@pytest.mark.parametrize(
    ("rails", "boundary"),
    [
        ({"VDD_IN": 1, "VDD_CPU_GPU_CV": 0.4, "VDD_SOC": 0.2}, "module"),
        ({"POM_5V_IN": 1, "POM_5V_GPU": 0.4, "POM_5V_CPU": 0.2}, "module"),
        ({"VDD_GPU_SOC": 0.5, "VDD_CPU_CV": 0.2, "VIN_SYS_5V0": 0.3, "VDDQ_VDD2_1V8AO": 0.06}, "module"),
        ({"GPU": 0.3, "CPU": 0.2, "SOC": 0.2, "CV": 0.1, "VDDRQ": 0.1, "SYS5V": 0.1}, "module"),
        ({"VDD_GPU": 0.5, "VDD_CPU_SOC_MSS": 0.2, "VIN_SYS_5V0": 0.1, "VIN": 1}, "board"),
        ({"VDD_SYS_GPU": 0.3, "VDD_SYS_SOC": 0.1, "VDD_IN": 1, "VDD_SYS_CPU": 0.2, "VDD_SYS_DDR": 0.2}, "module"),
    ],
)
@pytest.mark.parametrize("style", ["{0} {1:.0f}mW/{1:.0f}mW", "{0} {1:.0f}/{1:.0f}", "{0} {1:.0f}mW"])
def test_total_of_a_known_board_is_read_with_and_without_averages(tmp_path, rails, boundary, style):
    reduced = run(tmp_path, tegrastats(rails, style=style), BOARD, timezone="UTC")
    assert_right(reduced, BOARD.energy_mj)
    assert reduced.as_json()["boundary"] == boundary


def test_part_of_a_board_is_a_rail_or_a_sum_of_rails(tmp_path):
    lines = tegrastats({"VDD_GPU_SOC": 0.5, "VDD_CPU_CV": 0.2, "VIN_SYS_5V0": 0.3})
    for channel, share, boundary in (("VIN_SYS_5V0", 0.3, "rail"), ("VDD_GPU_SOC+VDD_CPU_CV", 0.7, "sum-of-rails")):
        reduced = run(tmp_path, lines, BOARD, timezone="UTC", channel=channel)
        assert_right(reduced, share * BOARD.energy_mj)
        assert reduced.as_json()["boundary"] == boundary


def test_board_that_is_not_known_asks_for_its_rails(tmp_path):
    lines = tegrastats({"A_5V": 0.6, "B_3V3": 0.4})
    assert "several joined by +" in fix_of_unread(run(tmp_path, lines, BOARD, timezone="UTC"))
    assert_right(run(tmp_path, lines, BOARD, timezone="UTC", channel="A_5V+B_3V3"), BOARD.energy_mj)


def test_rail_below_zero_at_idle_is_read(tmp_path):
    lines = [re.sub(r"VDD_GPU 1550mW/1550mW", "VDD_GPU -392mW/-392mW", line) for line in tegrastats({"VDD_GPU": 0.5})]
    assert_right(run(tmp_path, lines, BOARD, timezone="UTC", channel="VDD_GPU"), 0.5 * BOARD.energy_mj)


@pytest.mark.parametrize("interval_s", [0.1, 0.1015, 0.25, 0.333, 0.5, 0.997, 1.0, 1.003, 2.001])
@pytest.mark.parametrize("phase_s", [0.0, 0.93])
def test_true_intervals_behind_whole_second_stamps_are_found(tmp_path, interval_s, phase_s):
    lost = (round(75 / interval_s),)
    for missing in ((), lost):
        lines = tegrastats({"VDD_IN": 1}, interval_s, lost=missing, phase_s=phase_s)
        assert_right(run(tmp_path, lines, BOARD, timezone="UTC"), BOARD.energy_mj)


def test_stated_rate_that_contradicts_the_stamps_is_refused(tmp_path):
    lines = tegrastats({"VDD_IN": 1}, 0.1015)
    reduced = run(tmp_path, lines, BOARD, timezone="UTC", sampling_hz=10)
    assert fix_of_unread(reduced).startswith("Leave sampling_hz out")


def test_log_that_was_begun_anew_keeps_its_times(tmp_path):
    lines = [line for line in tegrastats({"VDD_IN": 1}, 0.5) if not "12:02:05" < line[11:19] < "12:02:16"]
    assert_right(run(tmp_path, lines, BOARD, timezone="UTC"), BOARD.energy_mj)


# --- gauges and graphics boards ---


def nvidia_row(time_s: float, power_mw: float) -> str:
    return f"{clock(time_s, form='%Y/%m/%d %H:%M:%S.%f')[:-3]}, {power_mw / 1e3:.2f} W"


def gauge(device: Device) -> list[str]:
    """A gauge that changes ten times a second, polled five hundred times."""
    held = [(time // HOLD_S * HOLD_S, time) for time in times(device, 0.002, 0.0)]
    lines = [nvidia_row(NOON_S + time, device.power_mw(change + 0.013)) for change, time in held]
    return ["timestamp, power.draw.instant [W]", *lines]


def test_inference_shorter_than_the_gauge_resolves_is_refused(tmp_path):
    device = Device(60000.0, 220000.0, first_s=5, length_s=0.02, every_s=0.053, n=300, tail_s=2)
    fix = fix_of(run(tmp_path, gauge(device), device, timezone="UTC"), "trace-resolution")
    needed_s = float(re.findall(r"inferences that run back to back, for (\S+) s or longer", fix)[0])
    whole = Device(60000.0, 220000.0, first_s=10, length_s=needed_s, every_s=2.5 * needed_s, n=8, tail_s=10)
    reduced = run(tmp_path, gauge(whole), whole, timezone="UTC", n_each=100)
    assert_right(reduced, whole.energy_mj / 100)


@pytest.mark.parametrize(("suffix", "hours"), [("Z", 0), ("+02:00", 2), ("-05:00", -5)])
def test_stamps_of_nvidia_smi_that_state_their_zone_need_none(tmp_path, suffix, hours):
    zone = timezone(timedelta(hours=hours))
    lines = rows(SHORT, 0.1, lambda t, p: f"{clock(t, zone, '%Y-%m-%dT%H:%M:%S.%f')}{suffix}, {p / 1e3:.2f} W")
    assert_right(run(tmp_path, ["timestamp, power.draw [W]", *lines], SHORT), SHORT.energy_mj)


def test_nvidia_smi_without_units_or_header_is_read_or_says_what_is_missing(tmp_path):
    with_units = rows(SHORT, 0.1, nvidia_row)
    bare = [line.removesuffix(" W") for line in with_units]
    header = "timestamp, power.draw [W]"
    for lines in ([header, *bare], with_units):
        assert_right(run(tmp_path, lines, SHORT, timezone="UTC"), SHORT.energy_mj)
    assert header in fix_of_unread(run(tmp_path, bare, SHORT, timezone="UTC"))


def test_rows_of_several_gpus_need_their_column(tmp_path):
    two = [line for row in rows(SHORT, 0.1, nvidia_row) for line in (row, row[:25] + "11.00 W")]
    lines = ["timestamp, power.draw [W]", *two]
    assert "--query-gpu=timestamp,index,power.draw" in fix_of_unread(run(tmp_path, lines, SHORT, timezone="UTC"))
    named = [f"{place % 2}, {line}" for place, line in enumerate(two)]
    lines = ["index, timestamp, power.draw [W]", *named]
    assert fix_of_unread(run(tmp_path, lines, SHORT, timezone="UTC")).startswith("Name the GPU")
    assert_right(run(tmp_path, lines, SHORT, timezone="UTC", channel="0"), SHORT.energy_mj)


def test_mean_over_a_second_is_right_in_long_windows_and_refused_in_short_ones(tmp_path):
    for device in (Device(50000.0, 200000.0), Device(50000.0, 200000.0, length_s=0.5, every_s=2)):
        means = [(t, device.used_mj(t) - device.used_mj(t - 1)) for t in times(device, 0.1, 1.0)]
        lines = ["timestamp, power.draw.average [W]", *(nvidia_row(NOON_S + t, mean) for t, mean in means)]
        reduced = run(tmp_path, lines, device, timezone="UTC")
        if device.length_s > 1:
            assert_right(reduced, device.energy_mj)
        else:
            assert "back to back" in fix_of(reduced, "trace-resolution")


# --- counters of processors ---


def rapl(wraps: dict[int, float]) -> list[str]:
    """Powers since the row before, some of them less by a range of the counter."""
    lines = ["pkg_current_power,pp0_current_power,pp1_current_power,dram_current_power,total_time"]
    for place, line in enumerate(rows(SHORT, 0.1, lambda t, p: f"{p / 1e3},{t:.6f}", 0.0, is_mean=True)):
        power, time = line.split(",")
        lines.append(f"{float(power) - wraps.get(place, 0.0):.6f},4,0.1,1,{time}")
    return lines


@pytest.mark.parametrize("wraps", [{419: 2621433.0}, {419: 50.0}, {219: 655326.0, 719: 655326.0}, {99: 655326.0}])
def test_wrap_around_within_a_row_is_refused_until_row_and_inference_are_deleted(tmp_path, wraps):
    reduced = run(tmp_path, rapl(wraps), SHORT, 0.0)
    assert "(wrap-around)" in fix_of(reduced, "trace-counter")
    assert_right(followed(tmp_path, reduced, "trace-counter"), SHORT.energy_mj)


def energy_uj(starts_j: dict[str, float], range_j: float, *, states_range: bool = False) -> list[str]:
    """Counters of powercap that count the whole device alike and begin again at their range."""
    extra = [f"{range_j * 1e6:.0f}"] if states_range else []
    lines = [",".join(["time_s", *starts_j, *(["max_energy_range_uj"] if states_range else [])])]
    for time in times(SHORT, 0.1, 0.1):
        counters = [(start + SHORT.used_mj(time) / 1e3) % range_j for start in starts_j.values()]
        lines.append(",".join([f"{time:.6f}", *(f"{counter * 1e6:.0f}" for counter in counters), *extra]))
    return lines


@pytest.mark.parametrize("range_j", [262143.32885, 65532.610987])
@pytest.mark.parametrize("before_j", [0.4, 300.0, 1000.0])
def test_counter_that_begins_again_at_a_known_range_is_right(tmp_path, range_j, before_j):
    assert_right(run(tmp_path, energy_uj({"energy_uj": range_j - before_j}, range_j), SHORT, 0.0), SHORT.energy_mj)


def test_counter_with_an_unknown_range_asks_for_it(tmp_path):
    fix = fix_of_unread(run(tmp_path, energy_uj({"energy_uj": 990.0}, 1000.0), SHORT, 0.0))
    assert fix.startswith("Add a column max_energy_range_uj")
    stated = energy_uj({"energy_uj": 990.0}, 1000.0, states_range=True)
    assert_right(run(tmp_path, stated, SHORT, 0.0), SHORT.energy_mj)


def test_packages_are_added_up_and_memory_on_request(tmp_path):
    lines = energy_uj({"package-0_energy_uj": 5.0, "package-1_energy_uj": 7.0, "dram_energy_uj": 1.0}, 262143.32885)
    assert_right(run(tmp_path, lines, SHORT, 0.0), 2 * SHORT.energy_mj)
    channel = "package-0_energy_uj+package-1_energy_uj+dram_energy_uj"
    assert_right(run(tmp_path, lines, SHORT, 0.0, channel=channel), 3 * SHORT.energy_mj)


def perf(events, missing=(), separator=",", decimal="."):
    """Joules of some events in every tenth of a second, beside cycles."""
    lines = ["# started on Wed Mar  4 12:00:00 2026", ""]
    for place, row in enumerate(rows(SHORT, 0.1, lambda t, p: f"{t:.9f} {p / 1e4:.4f}", 0.0, is_mean=True)):
        time, joules = row.split()
        for event, share in events.items():
            count = "<not counted>" if place in missing else f"{share * float(joules):.4f}".replace(".", decimal)
            cells = [f"     {time.replace('.', decimal)}", count, "Joules", event, "100000000", "100.00", "", ""]
            lines.append(separator.join(cells))
        lines.append(separator.join([f"     {time.replace('.', decimal)}", "500", "", "cycles", "1", "100.00", "", ""]))
    return lines


@pytest.mark.parametrize(
    ("events", "boundary"),
    [
        ({"power/energy-pkg/": 1}, "package"),
        ({"power/energy-cores/": 0.4, "power/energy-pkg/": 1, "power/energy-ram/": 0.2}, "package"),
        ({"power/energy-psys/": 1}, "board"),
    ],
)
def test_intervals_of_perf_are_right(tmp_path, events, boundary):
    for lines in (perf(events), perf(events, separator=";", decimal=",")):
        reduced = run(tmp_path, lines, SHORT, 0.0)
        assert_right(reduced, SHORT.energy_mj)
        assert reduced.as_json()["boundary"] == boundary


@pytest.mark.parametrize("missing", [(219,), (99,), (214, 215, 216)])
def test_interval_that_perf_did_not_count_is_refused_until_it_is_deleted(tmp_path, missing):
    reduced = run(tmp_path, perf({"power/energy-pkg/": 1}, missing), SHORT, 0.0)
    assert "<not counted>" in fix_of(reduced, "trace-format")
    assert_right(followed(tmp_path, reduced, "trace-format"), SHORT.energy_mj)


def test_perf_without_any_count_or_with_split_numbers_says_so(tmp_path):
    nothing = perf({"power/energy-pkg/": 1}, tuple(range(2000)))
    assert "as root with -a" in fix_of_unread(run(tmp_path, nothing, SHORT, 0.0))
    assert "LC_ALL=C" in fix_of_unread(run(tmp_path, perf({"power/energy-pkg/": 1}, decimal=","), SHORT, 0.0))


# --- loggers and power monitors ---


def powerjoular(zone):
    header = "Date,CPU Utilization,Total Power,CPU Power,GPU Power"
    write = lambda t, p: f"{clock(t, zone, '%Y-%m-%d %H:%M:%S')},0.51,{p / 1e3:.5f},6.0,0.0"  # noqa: E731
    return [header, *rows(SHORT, 1.0, write, NOON_S + 0.4, is_mean=True)]


def test_powerjoular_is_right(tmp_path):
    lines = powerjoular(BERLIN)
    assert "--timezone +01:00" in fix_of(run(tmp_path, lines, SHORT, NOON_S + 0.4), "trace-zone")
    assert_right(run(tmp_path, lines, SHORT, NOON_S + 0.4, timezone="Europe/Berlin"), SHORT.energy_mj)


@pytest.mark.parametrize(
    ("rails", "boundary"),
    [
        ({"VDD_IN": 1, "TOT": 1}, "module"),
        ({"VDD_GPU_SOC": 0.5, "VDD_CPU_CV": 0.2, "VIN_SYS_5V0": 0.3, "VDDQ_VDD2_1V8AO": 0.1, "TOT": 1.1}, "module"),
        ({"GPU": 0.3, "CPU": 0.2, "SOC": 0.2, "CV": 0.1, "VDDRQ": 0.1, "SYS5V": 0.1, "TOT": 1}, "module"),
        ({"POM_5V_GPU": 0.3, "POM_5V_CPU": 0.2, "TOT": 1}, "module"),
    ],
)
def test_jtop_is_right_for_any_board_and_an_uptime_of_days(tmp_path, rails, boundary):
    header = "time,uptime,jetson_clocks,nvp model,CPU1," + ",".join(f"Power {rail}" for rail in rails)

    def row(time, power):
        shown = ",".join(f"{share * power:.0f}" for share in rails.values())
        return f'{clock(time)},"1 day, 1:00:00",OFF,15W,20,{shown}'

    reduced = run(tmp_path, [header, *rows(SHORT, 0.5, row)], SHORT, timezone="UTC")
    assert_right(reduced, SHORT.energy_mj)
    assert reduced.as_json()["boundary"] == boundary


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("time,bus_voltage,shunt_voltage,current,power", "{ms},5.08,0.0004,{ma:.1f},{w:.4f}"),
        ("time,bus_voltage,shunt_voltage,current,power", "{ms},5.08,0.0004,{ma:.1f},{mw:.1f}"),
        ("timestamp,voltage,current,power", "{s:.3f},5.08,{ma:.1f},{mw:.1f}"),
        ("timestamp,bus_voltage_mV,current_mA,power_mW", "{s:.3f},5080,{ma:.1f},{mw:.1f}"),
        ("timestamp_us,Bus Voltage (V),Current (A),Power (W)", "{us},5.08,{a:.5f},{w:.4f}"),
        ("datetime;Bus Voltage [V];Current [mA]", "{date}Z;5,08;{ma_comma}"),
        ("timestamp,ch1_bus_voltage_V,ch1_current_mA", "{s:.3f},5.08,{ma:.1f}"),
    ],
)
def test_ina_loggers_are_right_in_their_units(tmp_path, header, form):
    def row(time, power):
        ma = power / 5.08
        date, comma = clock(time, form="%Y-%m-%dT%H:%M:%S.%f"), f"{ma:.1f}".replace(".", ",")
        ints = {"ms": round(time * 1e3), "us": round(time * 1e6)}
        return form.format(s=time, mw=power, w=power / 1e3, ma=ma, a=ma / 1e3, date=date, ma_comma=comma, **ints)

    assert_right(run(tmp_path, [header, *rows(SHORT, 0.1, row)], SHORT), SHORT.energy_mj)


def test_ina_units_that_contradict_each_other_are_refused(tmp_path):
    lines = rows(SHORT, 0.1, lambda t, p: f"{t:.3f},5.08,{p / 5.08:.1f},{p:.1f}")
    wrong = run(tmp_path, ["timestamp,bus_voltage_V,current_mA,power_W", *lines], SHORT)
    assert fix_of_unread(wrong) == "Correct the units in the header."
    assert_right(run(tmp_path, ["timestamp,bus_voltage_V,current_mA,power_mW", *lines], SHORT), SHORT.energy_mj)


def burst_s(time_s: float) -> float:
    """Time at which PyMonsoon gets the samples of a burst."""
    return (time_s // 0.0117 + 1) * 0.0117


@pytest.mark.parametrize(
    ("header", "write"),
    [
        ("Time(ms),Main(mA),Main Voltage(V),", lambda t, p: f"{burst_s(t):.9f},{p / 4:.4f},4.0,"),
        ("Time(ms),Main(mA),Main Voltage(V)", lambda t, p: f"{int(t * 1e3 + 1e-6)},{p / 4:.4f},4.0"),
        (
            "Time(ms),Main(mA),USB(mA),Main Voltage(V),USB Voltage(V),",
            lambda t, p: f"{burst_s(t):.9f},np.float64({p / 4:.4f}),np.float64(90.5),np.float32(4.0),np.float32(5.0),",
        ),
        (
            "Time (s),Main Avg Current (mA),Main Avg Power (mW),Main Avg Voltage (V)",
            lambda t, p: f"{t:.4f},{p / 4:.4f},{p:.4f},4.0",
        ),
        (
            "Time (s),Main Avg Voltage (V),Main Avg Current (mA),USB Avg Current (mA)",
            lambda t, p: f"{t:.4f},4.0,{p / 4:.4f},90.5",
        ),
    ],
)
def test_exports_of_a_monsoon_are_right(tmp_path, header, write):
    assert_right(run(tmp_path, [header, *rows(PHONE, 2e-4, write, 0.0)], PHONE, 0.0), PHONE.energy_mj)
