import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import NVIDIA_GPUS, NVIDIA_SMI, fault_of, opened, samples, upstream

LEFT_OUT = "The line is left out; correct or delete it."
GAP = "2 rows whose power.draw is [N/A] or not supported"
NAME_IT = "Name the channel whose power is to be read, or several joined by +."


def test_watts_become_milliwatts_and_stamps_without_a_zone_are_local(tmp_path):
    trace = opened(tmp_path, None, NVIDIA_SMI)
    assert (trace.scale, trace.stamp_step_s, trace.boundary, trace.rails) == ("local", 0.001, "board", ("power.draw",))
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", None, 1706745599.9, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 0.101, 0.203]
    assert samples(trace).power_mw.tolist() == pytest.approx([21760.0, 21960.0, 30500.0])


@pytest.mark.parametrize(
    ("header", "cell", "power_mw"),
    [
        ("power.draw [W]", "25.5", 25500.0),
        ("power.draw [mW]", "25500", 25500.0),
        ("power.draw [mW]", "25500 mW", 25500.0),
        ("power.draw", "25.5 W", 25500.0),
        ("power.draw", "25.5", 25500.0),
        ("power.draw.instant [W]", "25.5 W", 25500.0),
    ],
)
def test_unit_is_read_from_the_header_and_the_cell(tmp_path, header, cell, power_mw):
    trace = opened(tmp_path, None, f"timestamp, {header}\n2024/02/01 00:00:00.001, {cell}\n".encode())
    assert samples(trace).power_mw.tolist() == [power_mw]
    assert trace.faults == ()


def test_other_columns_of_a_query_are_passed_over(tmp_path):
    content = (
        b"index, timestamp, power.draw [W], power.limit [W], utilization.gpu [%]\n"
        b"0, 2024/02/01 00:00:00.001, 25.5 W, 300.00 W, 10 %\n"
    )
    assert samples(opened(tmp_path, None, content)).power_mw.tolist() == [25500.0]


def test_rows_without_a_power_are_left_out(tmp_path):
    lines = NVIDIA_SMI.split(b"\n")
    bad = [
        b"2024/02/01 00:00:00.050, [N/A]",
        b"2024/02/01 00:00:00.051, [Not Supported]",
        b"",
        lines[0],
        b"2024/02/01 00:00:00.052, 22000 mW",
        b"2024/13/01 00:00:00.053, 22.00 W",
        b"2024/02/01 00:00:0",
    ]
    trace = opened(tmp_path, "nvidia-smi", b"\n".join([*lines[:2], *bad, *lines[2:]]))
    assert len(samples(trace).stamps_s) == 3
    stamps = "YYYY/MM/DD HH:MM:SS.mmm or seconds since the epoch"
    header = "2 cells of a sample"
    assert trace.faults == (
        TraceFault("trace-format", "a blank line", header, LEFT_OUT, 5),
        TraceFault("trace-unit", "power.draw = 22000 mW", "W, as the header states", LEFT_OUT, 7),
        TraceFault("trace-format", "timestamp = 2024/13/01 00:00:00.053", stamps, LEFT_OUT, 8),
        TraceFault("trace-format", "2024/02/01 00:00:0", header, LEFT_OUT, 9),
        TraceFault("trace-gap", GAP, "a power in every row", "The other rows are read."),
    )


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"timestamp, power.limit [W]\n"])
def test_other_header_is_refused(tmp_path, content):
    fix = "Log with nvidia-smi --query-gpu=timestamp,power.draw --format=csv."
    expected = "a header with timestamp and power.draw, or with timestamp and GPU0"
    found = content.decode().split("\n")[0]
    assert fault_of(tmp_path, "nvidia-smi", content) == TraceFault("trace-format", found, expected, fix, 1)


def test_other_unit_is_refused(tmp_path):
    content = NVIDIA_SMI.replace(b"[W]", b"[kW]")
    fault = TraceFault("trace-unit", "power.draw [kW]", "the unit W or mW", "State the unit of the values.", 1)
    assert fault_of(tmp_path, "nvidia-smi", content) == fault


@pytest.mark.parametrize("content", [NVIDIA_SMI.replace(b"[W]", b"[mW]").replace(b" W\n", b"\n")])
def test_watts_under_a_header_of_milliwatts_are_a_fault(tmp_path, content):
    fix = "Find out the unit of the values; correct the header, layout or option where it states another."
    assert opened(tmp_path, None, content).faults == (
        TraceFault("trace-unit", "a highest power of 30.5 mW", "between 500 and 5e+06 mW", fix),
    )


def test_all_rows_bad_is_refused_with_the_first(tmp_path):
    fault = TraceFault("trace-unit", "power.draw = 21.76 W", "mW, as the header states", LEFT_OUT, 2)
    assert fault_of(tmp_path, "nvidia-smi", NVIDIA_SMI.replace(b"[W]", b"[mW]")) == fault


@pytest.mark.parametrize(
    ("channel", "power_mw"), [("GPU0", [199500, 196250]), ("GPU1", [256500, 261500]), ("total", [456000, 457750])]
)
def test_channel_picks_a_gpu_or_their_sum(tmp_path, channel, power_mw):
    trace = opened(tmp_path, None, NVIDIA_GPUS, TraceOptions(channel))
    assert (trace.start_s, trace.faults) == (1700000000.215, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 0.2]
    assert samples(trace).power_mw.tolist() == power_mw


def test_several_gpus_without_a_channel_are_refused(tmp_path):
    fault = TraceFault("trace-channel", "no channel", "one of GPU0, GPU1, total", NAME_IT)
    assert fault_of(tmp_path, "nvidia-smi", NVIDIA_GPUS) == fault
    nearest = TraceFault("trace-channel", "channel gpu1", "one of GPU1, GPU0, total", NAME_IT)
    assert fault_of(tmp_path, "nvidia-smi", NVIDIA_GPUS, TraceOptions("gpu1")) == nearest


def test_rows_of_several_gpus_are_told_apart(tmp_path):
    content = (
        b"index, timestamp, power.draw [W]\n0, 2024/02/01 00:00:00.001, 25.5 W\n1, 2024/02/01 00:00:00.002, 50.5 W\n"
        b"0, 2024/02/01 00:00:01.001, 26.5 W\n1, 2024/02/01 00:00:01.002, 51.5 W\n"
    )
    fix = "Name the GPU whose power is to be read; GPUs are not added up."
    assert fault_of(tmp_path, "nvidia-smi", content) == TraceFault("trace-channel", "no channel", "one of 0, 1", fix)
    trace = opened(tmp_path, None, content, TraceOptions("1"))
    assert samples(trace).power_mw.tolist() == [50500.0, 51500.0]
    assert samples(trace).stamps_s.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("channel", ["00000000:02:00.0", "00000000:02:00.0:power.draw.instant"])
def test_gpu_may_be_named_by_its_bus_with_a_column(tmp_path, channel):
    header = b"pci.bus_id, timestamp, power.draw.average [W], power.draw.instant [W]\n"
    rows = b"00000000:01:00.0, 2024/02/01 00:00:00.001, 1 W, 2 W\n00000000:02:00.0, 2024/02/01 00:00:00.002, 3 W, 4 W\n"
    trace = opened(tmp_path, None, header + rows, TraceOptions(channel))
    assert samples(trace).power_mw.tolist() == [4000.0]


@pytest.mark.parametrize(("digits", "factor"), [(3, 1000), (6, 1000000), (9, 1000000000)])
def test_epoch_of_any_unit_is_told_by_its_size(tmp_path, digits, factor):
    content = f"timestamp,GPU0\n{1700000000 * factor},20\n{1700000001 * factor},20\n".encode()
    trace = opened(tmp_path, None, content)
    assert (trace.start_s, samples(trace).stamps_s.tolist()) == (1.7e9, [0.0, 1.0])


def test_log_that_a_shell_wrote_in_utf_16_is_read(tmp_path):
    trace = opened(tmp_path, None, NVIDIA_SMI.decode().replace("\n", "\r\n").encode("utf-16"))
    assert (len(samples(trace).stamps_s), trace.faults) == (3, ())


def test_whole_seconds_since_1970_are_the_floor_of_the_true_times(tmp_path):
    trace = opened(tmp_path, None, b"timestamp,GPU0\n1700000000,20\n1700000001,20\n")
    assert (trace.start_s, samples(trace).stamps_s.tolist()) == (1700000000.5, [0.0, 1.0])
    assert (trace.scale, trace.stamp_step_s, round(trace.stamp_u_s, 3)) == ("epoch", 0.0, 0.289)


@pytest.mark.parametrize(
    ("stamp", "timezone", "start_s"),
    [
        ("2026-05-06T12:00:00.000+02:00", None, 1778061600.0),
        ("2026/05/06 10:00:00.000", "UTC", 1778061600.0),
        ("2026/05/06 12:00:00.000", "Europe/Berlin", 1778061600.0),
        ("2026-05-06T12:00:00.000-0500", "UTC", 1778086800.0),
    ],
)
def test_zone_of_the_stamps_or_of_the_options_makes_an_epoch(tmp_path, stamp, timezone, start_s):
    content = f"timestamp,power.draw.instant [W]\n{stamp},50 W\n".encode()
    trace = opened(tmp_path, None, content, TraceOptions(timezone=timezone))
    assert (trace.scale, trace.start_s, trace.faults) == ("epoch", start_s, ())


def test_header_that_an_appended_log_repeats_is_passed_over(tmp_path):
    trace = opened(tmp_path, None, NVIDIA_SMI + NVIDIA_SMI.replace(b"2024", b"2025"))
    assert (len(samples(trace).stamps_s), trace.faults) == (6, ())


def test_log_without_any_power_is_refused_with_what_to_query(tmp_path):
    content = b"timestamp, power.draw [W]\n2024/02/01 00:00:00.001, [N/A]\n"
    fix = "Query power.draw.instant, or use a GPU that reports its power."
    found = "1 row whose power.draw is [N/A] or not supported"
    fault = TraceFault("trace-format", found, "a power in every row", fix)
    assert fault_of(tmp_path, "nvidia-smi", content) == fault


def log_of(column, step_ms, name=None, ramp=1):
    """Power that goes from 50 to 200 W over some rows."""
    header = f"timestamp, {'name, ' if name else ''}{column} [W]"
    powers = [50.0] * 20 + [50 + 150 * k / ramp for k in range(1, ramp)] + [200.0] * 20
    cell = f"{name}, " if name else ""
    rows = [f"2024/02/01 00:00:{k * step_ms / 1000:06.3f}, {cell}{power} W" for k, power in enumerate(powers)]
    return "\n".join([header, *rows]).encode()


@pytest.mark.parametrize(
    ("content", "averaging_s"),
    [
        (log_of("power.draw.average", 100), 1.0),
        (log_of("power.draw.instant", 100), 0.0),
        (log_of("power.draw", 100), 0.0),
        (log_of("power.draw", 100, ramp=10), 1.0),
        (log_of("power.draw", 1000), 1.0),
        (log_of("power.draw", 100, "NVIDIA A100-SXM4-40GB", ramp=10), 0.0),
        (log_of("power.draw", 100, "Tesla T4", ramp=10), 0.0),
        (log_of("power.draw", 1000, "NVIDIA RTX 6000 Ada Generation"), 1.0),
        (log_of("power.draw", 1000, "NVIDIA GeForce RTX 3080"), 1.0),
        (log_of("power.draw", 1000, "NVIDIA GeForce RTX 2080 Ti"), 0.0),
    ],
)
def test_column_name_and_steps_tell_whether_a_value_is_the_mean_of_a_second(tmp_path, content, averaging_s):
    trace = opened(tmp_path, None, content)
    assert trace.averaging_s == averaging_s
    assert trace.start_s == 1706745600.0 - averaging_s / 2


def test_instant_column_is_preferred_and_a_channel_chooses_the_other(tmp_path):
    content = b"timestamp, power.draw.average [W], power.draw.instant [W]\n2024/02/01 00:00:00.001, 40 W, 50 W\n"
    assert opened(tmp_path, None, content).rails == ("power.draw.instant",)
    trace = opened(tmp_path, None, content, TraceOptions("power.draw.average"))
    assert (samples(trace).power_mw.tolist(), trace.averaging_s) == ([40000.0], 1.0)


def test_cards_of_a_table_can_be_added_up_by_name(tmp_path):
    trace = opened(tmp_path, None, NVIDIA_GPUS, TraceOptions("GPU0+GPU1"))
    assert (samples(trace).power_mw.tolist(), trace.rails) == ([456000, 457750], ("GPU0", "GPU1"))


@pytest.mark.parametrize(
    ("name", "channel", "n_samples", "hz", "mean_mw"),
    [
        ("fluidsGL-smi.csv", None, 163, 9.95, 61_183),
        ("nvidia-smi.csv", None, 73, 19.87, 22_035),
        ("torch-ex-smi.csv", None, 65, 9.96, 49_815),
        ("power_log.csv", "GPU0", 123, 3.74, 202_841),
        ("power_log.csv", "GPU1", 123, 3.74, 265_006),
        ("power_log.csv", "total", 123, 3.74, 467_847),
    ],
)
def test_real_logs_have_the_power_of_their_gpus(name, channel, n_samples, hz, mean_mw):
    trace = open_trace(upstream("nvidia_smi") / name, options=TraceOptions(channel))
    read = samples(trace)
    assert (len(read.stamps_s), trace.faults) == (n_samples, ())
    assert (n_samples - 1) / read.stamps_s[-1] == pytest.approx(hz, rel=0.002)
    assert read.power_mw.mean() == pytest.approx(mean_mw, abs=1)
