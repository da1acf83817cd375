"""What holds for every format: it knows its own files, and no bytes bring it down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.traces.formats import TraceOptions, open_trace, trace_formats
from harness.traces.trace import TraceFormatError
from tests.traces.formats.samples import (
    MONSOON,
    NVIDIA_GPUS,
    NVIDIA_SMI,
    PIECES,
    PLAIN,
    RAPL,
    RAPL_BARE,
    TEGRASTATS,
    TEGRASTATS_STAMPED,
    energyrunner,
)

FILES = {
    "monsoon": [MONSOON],
    "energyrunner": [energyrunner([5.0, 6.0, 7.0, 8.0])],
    "tegrastats": [TEGRASTATS, TEGRASTATS_STAMPED],
    "nvidia-smi": [NVIDIA_SMI, NVIDIA_GPUS],
    "rapl": [RAPL, RAPL_BARE],
    "plain": [PLAIN, b"time_us,current_ma,voltage_v\n0,100,4\n200,150,4\n"],
}


def test_every_format_has_a_file_here():
    assert set(FILES) == set(trace_formats())


@pytest.mark.parametrize(("name", "content"), [(name, content) for name, files in FILES.items() for content in files])
def test_a_file_looks_like_its_own_format_alone(name, content):
    assert [known.name for known in trace_formats().values() if known.looks_like(content)] == [name]


@st.composite
def mangled(draw):
    """A format, bytes that once were a file of it, and options."""
    name = draw(st.sampled_from(sorted(FILES)))
    content = draw(st.sampled_from(FILES[name]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 12)))
        content = content[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=6)) + content[end:]
    content = content[: draw(st.integers(0, len(content)) | st.just(len(content)))]
    channel = draw(st.sampled_from([None, None, "total", "GPU0", "VDD_SOC", "pp0", ""]))
    return name, content, TraceOptions(channel, draw(st.sampled_from([None, 1.0, 10.0])))


@settings(max_examples=400)
@given(mangled())
def test_mangled_bytes_are_refused_or_read_as_numbers(tmp_path_factory, case):
    name, content, options = case
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(content)
    for known in trace_formats().values():
        assert known.looks_like(content) in (True, False)
    try:
        trace = open_trace(path, name, options)
        chunks = list(trace.chunks())
    except TraceFormatError as error:
        faults, chunks = [error.fault], []
    else:
        faults = trace.faults
        assert np.isfinite(trace.start_s)
    assert {fault.rule for fault in faults} <= {"trace-format", "trace-unit"}
    for chunk in chunks:
        assert len(chunk.stamps_s) == len(chunk.power_mw) > 0
        assert chunk.stamps_s.dtype == chunk.power_mw.dtype == np.float64
        assert np.isfinite(chunk.stamps_s).all()
        assert np.isfinite(chunk.power_mw).all()
