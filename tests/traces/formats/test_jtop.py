import pytest

from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples


def log(**powers):
    """Two rows of a log with these powers, each given for both rows."""
    header = ",".join(["time", "uptime", "nvp model", "CPU1", "Temp CPU", *(f"Power {name}" for name in powers)])
    rows = [
        f"2024-02-01 00:00:0{k}.100000,1:00:00,15W,20,45.5," + ",".join(str(values[k]) for values in powers.values())
        for k in (0, 1)
    ]
    return "\n".join([header, *rows]).encode()


@pytest.mark.parametrize(
    ("content", "power_mw", "boundary", "rails"),
    [
        (log(VDD_IN=(5000, 6000), TOT=(5000, 6000)), 5000.0, "module", ("VDD_IN",)),
        (log(VDD_CPU_GPU_CV=(1000, 1), VDD_SOC=(900, 1), TOT=(5000, 6000)), 5000.0, "module", ("TOT",)),
        (log(TOT=(3001, 3001), A=(1000, 1000), B=(2000, 2000)), 3001.0, "sum-of-rails", ("A", "B")),
        (
            log(VDD_GPU_SOC=(4, 4), VDD_CPU_CV=(3, 3), VIN_SYS_5V0=(2, 2), VDDQ=(9, 9), TOT=(18, 18)),
            9.0,
            "module",
            ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
        ),
    ],
)
def test_total_of_a_board_comes_from_its_rails_or_from_jtop(tmp_path, content, power_mw, boundary, rails):
    trace = opened(tmp_path, None, content)
    assert (samples(trace).power_mw[0], trace.boundary, trace.rails) == (power_mw, boundary, rails)
    assert (trace.kind, trace.scale, trace.start_s) == ("instant", "local", 1706745600.1)


@pytest.mark.parametrize("channel", ["VDD_SOC", "Power VDD_SOC"])
def test_channel_picks_a_rail_with_or_without_its_prefix(tmp_path, channel):
    trace = opened(tmp_path, None, log(VDD_IN=(5000, 1), VDD_SOC=(900, 1), TOT=(1, 1)), TraceOptions(channel))
    assert (samples(trace).power_mw[0], trace.boundary) == (900.0, "rail")


def test_zone_of_the_options_makes_an_epoch(tmp_path):
    trace = opened(tmp_path, None, log(TOT=(5000, 6000)), TraceOptions(timezone="+01:00"))
    assert (trace.scale, trace.start_s) == ("epoch", 1706742000.1)


def test_rows_without_a_power_are_left_out(tmp_path):
    trace = opened(tmp_path, None, log(TOT=(5000, "OFF")))
    assert [fault.found for fault in trace.faults] == ["Power TOT = OFF"]


@pytest.mark.parametrize("content", [b"", b"time,Power TOT\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "jtop", content).expected == "a header with time, uptime and Power TOT"
