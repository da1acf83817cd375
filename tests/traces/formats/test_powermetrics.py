import pytest

from harness.traces.formats import TraceOptions
from tests.traces.formats.samples import fault_of, opened, samples


def sample(second, elapsed_ms, cpu_mw=1500, gpu_mw=300, total="Combined Power (CPU + GPU + ANE)", zone="+0100"):
    return (
        f"*** Sampled system activity (Thu Feb  1 00:00:{second:02} 2024 {zone}) ({elapsed_ms:.2f}ms elapsed) ***\n\n"
        f"CPU Power: {cpu_mw} mW\nGPU Power: {gpu_mw} mW\n{total}: {cpu_mw + gpu_mw} mW\n\n"
    )


def test_lengths_of_the_intervals_space_the_samples(tmp_path):
    times = [0.3 + 0.4 * k for k in range(50)]
    content = "Machine model: Mac\n" + "".join(sample(int(time), 400) for time in times)
    trace = opened(tmp_path, None, content.encode())
    assert samples(trace).stamps_s.tolist() == pytest.approx([0.4 * k for k in range(50)])
    assert trace.start_s == pytest.approx(1706742000.3, abs=0.2)
    assert (trace.kind, trace.scale, trace.stamp_step_s, trace.boundary) == ("mean", "epoch", 0.0, "sum-of-rails")
    assert (samples(trace).power_mw[0], trace.rails, trace.faults) == (1800.0, ("Combined",), ())


@pytest.mark.parametrize(
    ("channel", "power_mw", "boundary"), [("CPU", 1500.0, "rail"), ("CPU+GPU", 1800.0, "sum-of-rails")]
)
def test_channel_picks_parts(tmp_path, channel, power_mw, boundary):
    trace = opened(tmp_path, None, (sample(0, 400) + sample(1, 1000)).encode(), TraceOptions(channel))
    assert (samples(trace).power_mw[0], trace.boundary) == (power_mw, boundary)


def test_package_of_an_intel_processor_is_read_in_watts(tmp_path):
    content = (
        "*** Sampled system activity (Thu Feb  1 00:00:00 2024 +0000) (1000.10ms elapsed) ***\n"
        "Intel energy model derived package power (CPUs+GT+SA): 12.50W\n"
    )
    trace = opened(tmp_path, None, content.encode())
    assert (samples(trace).power_mw.tolist(), trace.boundary) == ([12_500.0], "package")


def test_samples_without_a_date_or_the_power_are_left_out(tmp_path):
    content = sample(0, 400) + sample(0, 400).replace("Thu Feb  1", "?") + sample(0, 400).replace("Combined", "x")
    trace = opened(tmp_path, None, content.encode())
    assert [fault.found for fault in trace.faults] == ["a header without a date", "a sample without Combined Power"]
    assert trace.faults[1].fix == "Delete the whole sample, from its header to the next header."


def test_parts_without_a_total_need_a_channel(tmp_path):
    content = sample(0, 400, total="Sum").encode()
    assert fault_of(tmp_path, "powermetrics", content).rule == "trace-channel"


@pytest.mark.parametrize("content", [b"", b"CPU Power: 12 mW\n"])
def test_other_file_is_refused(tmp_path, content):
    assert fault_of(tmp_path, "powermetrics", content).expected == "samples with lines such as CPU Power: 123 mW"
