import pytest

from harness.traces.boards import RASPBERRY_PI_5
from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples


def call(amperes=1.0, rails=RASPBERRY_PI_5.total, prefix=""):
    """What vcgencmd prints for rails of 2 V each."""
    currents = [f"{prefix}  {rail}_A current({k})={amperes:.8f}A" for k, rail in enumerate(rails)]
    voltages = [f"{prefix}  {rail}_V volt({k + 30})=2.00000000V" for k, rail in enumerate(rails)]
    return "\n".join([*currents, *voltages, f"{prefix}     EXT5V_V volt(24)=5.1V"])


@pytest.mark.parametrize(
    ("first", "second", "scale"),
    [
        ("1706745600.250", "1706745600.750", "epoch"),
        ("=== 2024-02-01T00:00:00.250Z", "=== 2024-02-01T00:00:00.750Z", "epoch"),
        ("time: 2024-02-01 00:00:00.250", "time: 2024-02-01 00:00:00.750", "local"),
    ],
)
def test_sum_of_all_rails_is_read_at_the_time_before_each_call(tmp_path, first, second, scale):
    content = f"{first}\n{call()}\n{second}\n{call(2.0)}\n".encode()
    trace = opened(tmp_path, None, content)
    assert samples(trace).power_mw.tolist() == [24_000.0, 48_000.0]
    assert samples(trace).stamps_s.tolist() == [0.0, 0.5]
    assert (trace.start_s, trace.scale, trace.kind, trace.faults) == (1706745600.25, scale, "instant", ())
    assert (trace.boundary, trace.rails) == ("sum-of-rails", RASPBERRY_PI_5.total)


def test_time_may_begin_every_line(tmp_path):
    content = "\n".join([call(prefix="1706745600.25"), call(prefix="1706745600.75")]).encode()
    assert samples(opened(tmp_path, None, content)).stamps_s.tolist() == [0.0, 0.5]


def test_channel_picks_a_rail(tmp_path):
    trace = opened(tmp_path, None, f"1706745600.25\n{call()}".encode(), TraceOptions("VDD_CORE"))
    assert (samples(trace).power_mw.tolist(), trace.boundary) == ([2000.0], "rail")


def test_calls_without_times_need_the_rate(tmp_path):
    content = f"{call()}\n{call()}\n".encode()
    assert fault_of(tmp_path, "pmic", content).found == "2 calls without times"
    trace = opened(tmp_path, None, content, TraceOptions(sampling_hz=4))
    assert (samples(trace).stamps_s.tolist(), trace.scale) == ([0.0, 0.25], "relative")


def test_call_that_was_cut_is_left_out(tmp_path):
    content = f"1706745600.25\n{call()}\n1706745600.75\n{call()[:100]}\nbash: vcgencmd\n".encode()
    trace = opened(tmp_path, "pmic", content)
    assert len(samples(trace).power_mw) == 1
    assert trace.faults[-1].found.startswith("no power of ")
    assert trace.faults[-1].fix == "Delete the whole call, from its time to the last of its readings."
    assert opened(tmp_path, "pmic", f"1706745600.25\n{call()}\n".encode()).faults == ()


@pytest.mark.parametrize("content", [b"", b"EXT5V_V volt(24)=5.1V\n"])
def test_log_without_currents_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "pmic", content).fix == "Log date +%s.%N and vcgencmd pmic_read_adc in a loop."
