"""Small synthetic traces in the layout of every format, and the way to real ones."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.trace import Chunk, PowerTrace, TraceFault, TraceFormatError

_UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[3] / "../shared/data/upstream"))

MONSOON = (
    b"Time(ms),Main(mA),Main Voltage(V),\n"
    b"1700000000000000,100.5,4.0,\n1700000000000002,200.25,4.0,\n1700000000000203,50.0,4.1,\n"
)
TEGRASTATS = (
    b"RAM 900/3900MB (lfb 3x4MB) SWAP 0/4096MB (cached 0MB) CPU [10%@102,off] POM_5V_IN 920/920 POM_5V_GPU 40/40\n"
    b"RAM 901/3900MB (lfb 3x4MB) SWAP 0/4096MB (cached 0MB) CPU [11%@102,off] POM_5V_IN 1537/1228 POM_5V_GPU 80/60\n"
    b"RAM 902/3900MB (lfb 3x4MB) SWAP 0/4096MB (cached 0MB) CPU [12%@102,off] POM_5V_IN 2793/1750 POM_5V_GPU 90/70\n"
)
TEGRASTATS_STAMPED = (
    b"01-31-2024 23:59:59 RAM 1/6834MB (lfb 2x4MB) CPU [1%@9,off] GPU@38C VDD_IN 5542mW/5542mW VDD_SOC 1234mW/1234mW\n"
    b"02-01-2024 00:00:00 RAM 1/6834MB (lfb 2x4MB) CPU [1%@9,off] GPU@38C VDD_IN 5582mW/5562mW VDD_SOC 1236mW/1235mW\n"
    b"02-01-2024 00:00:02 RAM 1/6834MB (lfb 2x4MB) CPU [1%@9,off] GPU@38C VDD_IN 6000mW/5700mW VDD_SOC 1238mW/1236mW\n"
)
NVIDIA_SMI = (
    b"timestamp, power.draw [W]\n2024/01/31 23:59:59.900, 21.76 W\n"
    b"2024/02/01 00:00:00.001, 21.96 W\n2024/02/01 00:00:00.103, 30.5 W\n"
)
NVIDIA_GPUS = b"timestamp,GPU0,GPU1\n1700000000.215,199.5,256.5\n1700000000.415,196.25,261.5\n"
RAPL = (
    b"pkg_current_power, pp0_current_power, pp1_current_power, dram_current_power, total_time\n"
    b"9.5,4.75,2.25,0.5,0.100404\n5.5,3.125,0.25,0.5,0.200598\n"
)
RAPL_BARE = b"2.25,1.5,0,0,0.100519\n1.75,0.5,0.25,0,0.200915\n"
PLAIN = b"time_s,power_mw\n1700000000.000125,3000.5\n1700000000.000325,3100.25\n1700000000.000525,2900\n"
PIECES = [
    b"",
    b"\n",
    b",",
    b"\xff\xfe",
    b"\x00",
    b"nan",
    b"inf",
    b"-",
    b"1e308",
    b"9" * 30,
    b"1e-400",
    b"_",
    b" ",
    b"\r",
]
"""What tests put into the midst of files."""


def energyrunner(energies_uj: list[float], rate_hz: float = 1000.0, tail: bytes = b"") -> bytes:
    """Bytes of an EnergyRunner trace."""
    return struct.pack(f"<Bf{len(energies_uj)}f", 0xF1, rate_hz, *energies_uj) + tail


def opened(tmp_path: Path, name: str | None, content: bytes, options: TraceOptions | None = None) -> PowerTrace:
    """Trace of a file with that content; of the format it looks like where none is named."""
    path = tmp_path / "trace"
    path.write_bytes(content)
    return open_trace(path, name, options or TraceOptions())


def fault_of(tmp_path: Path, name: str, content: bytes, options: TraceOptions | None = None) -> TraceFault:
    """Fault for which a file is refused, when it is opened or read."""
    with pytest.raises(TraceFormatError) as caught:
        list(opened(tmp_path, name, content, options).chunks())
    return caught.value.fault


def samples(trace: PowerTrace) -> Chunk:
    """All samples of a trace in one chunk."""
    chunks = list(trace.chunks())
    return Chunk(
        np.concatenate([chunk.stamps_s for chunk in chunks]), np.concatenate([chunk.power_mw for chunk in chunks])
    )


def upstream(folder: str) -> Path:
    """Folder of real files; the test is skipped where they are absent."""
    path = _UPSTREAM / folder
    if not path.is_dir():
        pytest.skip(f"no real files at {path}; set DEEPEN_UPSTREAM")
    return path
