import pytest

from harness.traces.formats import TraceOptions
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import fault_of, opened, samples


def log(events, n_intervals=3, step_s=0.1, separator=","):
    """Joules of events in every interval, as perf prints them."""
    lines = ["# started on Thu Feb  1 00:00:00 2024", ""]
    for k in range(1, n_intervals + 1):
        for event, joules in events:
            number, time = str(joules), f"{k * step_s:.9f}"
            if separator != ",":
                number, time = number.replace(".", ","), time.replace(".", ",")
            lines.append(separator.join([f"     {time}", number, "Joules", event, "100000000", "100.00", "", ""]))
    return "\n".join(lines).encode()


PKG, CORES, RAM, PSYS = (f"power/energy-{name}/" for name in ("pkg", "cores", "ram", "psys"))
ALL = log([(PKG, 0.6), (CORES, 0.4), (RAM, 0.1), (PSYS, 1.5)])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_joules_of_an_interval_are_its_mean_power(tmp_path, separator):
    trace = opened(tmp_path, None, log([(PKG, 0.6)], separator=separator))
    assert samples(trace).power_mw == pytest.approx([6000.0] * 3)
    assert (trace.start_s, trace.kind, trace.scale, trace.boundary) == (0.1, "mean", "relative", "package")
    assert (trace.rails, trace.faults) == (("pkg",), ())


@pytest.mark.parametrize(
    ("channel", "power_mw", "boundary"),
    [("pkg+ram", 7000, "sum-of-rails"), ("cores", 4000, "rail"), ("psys", 15_000, "board"), (None, 6000, "package")],
)
def test_channel_picks_events_or_their_sum(tmp_path, channel, power_mw, boundary):
    trace = opened(tmp_path, None, ALL, TraceOptions(channel))
    assert (samples(trace).power_mw[1], trace.boundary) == (pytest.approx(power_mw), boundary)


def test_cores_are_not_added_to_the_package(tmp_path):
    fault = fault_of(tmp_path, "perf-stat", ALL, TraceOptions("pkg+cores"))
    assert (fault.rule, fault.fix) == ("trace-channel", "Leave cores out of the channel.")


def test_sockets_of_an_event_are_added_up(tmp_path):
    lines = [f"{k / 2:.9f},S{socket},1,1.00,Joules,{PKG},1,100.00,," for k in (1, 2) for socket in (0, 1)]
    assert samples(opened(tmp_path, None, "\n".join(lines).encode())).power_mw.tolist() == [4000.0, 4000.0]


def test_log_that_was_cut_takes_the_usual_step_for_its_first_interval(tmp_path):
    content = b"\n".join(log([(PKG, 0.6)], 30).split(b"\n")[15:])
    assert samples(opened(tmp_path, None, content)).power_mw == pytest.approx([6000.0] * 17)


def test_other_events_are_passed_over_and_uncounted_ones_noted(tmp_path):
    content = (
        b"0.1,100,,cycles,1,100.00,,\n0.1,0.6,Joules,power/energy-pkg/,1,100.00,,\n"
        b"0.2,<not counted>,Joules,power/energy-pkg/,0,0.00,,\n0.3,0.6,Joules,power/energy-pkg/,1,100.00,,\n"
    )
    trace = opened(tmp_path, None, content)
    assert samples(trace).power_mw == pytest.approx([6000.0, 6000.0])
    fix = "perf did not count the event then (<not counted>): delete the line, and every inference that touches the "
    fix += "time from 0.1 to 0.2 s."
    assert trace.faults == (TraceFault("trace-format", "no energy of pkg at 0.2 s", "joules", fix, 3),)


def test_log_without_the_package_needs_a_channel(tmp_path):
    assert fault_of(tmp_path, "perf-stat", log([(CORES, 1.0), (RAM, 1.0)])).rule == "trace-channel"


@pytest.mark.parametrize("content", [b"", b"0.1,100,,cycles,1,100.00,,\n"])
def test_other_file_is_refused(tmp_path, content):
    fault = fault_of(tmp_path, "perf-stat", content)
    assert fault.fix == "Log with perf stat -a -I 100 -x, -e power/energy-pkg/."
