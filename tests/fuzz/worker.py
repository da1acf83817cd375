"""A process that reads damaged inputs one by one, within limits of memory; who starts it watches the time."""

import gc
import resource
import tempfile
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.inputs import Damaged

MOST_BYTES = 1 << 30
MOST_S = 20.0


@dataclass(frozen=True)
class Outcome:
    """What a reader did with an input: problems in words, seconds, and bytes of memory at the most."""

    problems: tuple[str, ...]
    seconds: float
    n_bytes: int


def read(damaged: Damaged) -> Outcome:
    """Read an input in this process."""
    with tempfile.TemporaryDirectory() as folder:
        damaged.lay_down(Path(folder))
        start = time.monotonic()
        base = _start_of_peak()
        try:
            problems = list(damaged.reader.read(Path(folder)))
        except Exception:  # noqa: BLE001 - any exception is what is looked for
            problems = [traceback.format_exc()]
        seconds = time.monotonic() - start
        return Outcome(tuple(dict.fromkeys(problems)), seconds, _peak() - base)


def serve(connection: Connection) -> None:
    """Read inputs as they come, until the connection ends."""
    warm = _status("VmData")
    resource.setrlimit(resource.RLIMIT_DATA, (warm + MOST_BYTES, warm + MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            damaged = connection.recv()
        except EOFError:
            return
        connection.send(read(damaged))
        gc.collect()


def _start_of_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
