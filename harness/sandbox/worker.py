"""The process that a predictor runs in: loads it once, then forks a child for every job, which sees that job alone.

Labels of one fold are the training labels of another, so no process may see two. The parent is
`harness.sandbox.jobs`; what is said between the two is written down there.
"""

import errno
import gc
import importlib
import json
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.errors import DeepenError
from harness.issues import quoted
from harness.predictor.protocol import Predictor
from harness.predictor.registry import load_model
from harness.sandbox import confinement

MESSAGE_LENGTH: Final = struct.Struct("<Q")
"""Before every message: its length in bytes."""
EXIT_STATUS: Final = struct.Struct("<i")
"""What the worker says of a child that has ended."""

Reals = npt.NDArray[np.float64]


class _FaultError(Exception):
    """What a predictor did wrong, in words."""


def main(setup: Mapping[str, Any]) -> None:
    """Serve jobs until the parent closes its end.

    Args:
        setup: `key`, `package`, `control` (descriptor of the socket), `readable` (folders), `memory_mb`, `file_mb`.
    """
    confinement.die_with_parent()
    control = socket.socket(fileno=setup["control"])
    importlib.import_module("sklearn.base")
    _warm_up()
    control.sendall(message({}))
    confinement.limit_resources(setup["memory_mb"], setup["file_mb"])
    readable = (*setup["readable"], *confinement.python_folders(), *confinement.SYSTEM_FILES)
    confinement.refuse_files(readable, (str(Path.cwd()), *confinement.DEVICES))
    confinement.refuse_network()
    confinement.refuse_processes(confinement.STARTS)
    random.seed(0)
    np.random.seed(0)
    try:
        model = load_model(setup["key"], setup["package"])
    except BaseException as error:  # noqa: BLE001 - whatever a predictor raises is an answer
        control.sendall(message({"reason": _in_words(error, setup)}))
        return
    control.sendall(message({"reason": None}))
    # Children share these objects; a collection would write to, and so copy, the memory that they lie in.
    gc.collect()
    gc.freeze()
    while job := _next_job(control):
        child = os.fork()
        if child == 0:
            _serve(job, control, model, setup)
        os.close(job)
        control.sendall(EXIT_STATUS.pack(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _warm_up() -> None:
    """Have pandas and Arrow import what they import at first use, once and not in every child."""
    table = pa.table({"word": ["a"], "number": [1.0]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    frame = _frame(sink.getvalue())
    frame.equals(frame.copy())


def message(header: Mapping[str, Any]) -> bytes:
    """JSON with its length before it."""
    content = json.dumps(header).encode()
    return MESSAGE_LENGTH.pack(len(content)) + content


def _next_job(control: socket.socket) -> int | None:
    """Descriptor of the socket of the next job; None where the parent has no more."""
    _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    return descriptors[0] if descriptors else None


def _serve(job: int, control: socket.socket, model: type[Predictor], setup: Mapping[str, Any]) -> None:
    """Do one job and end the process, whatever happens."""
    try:
        control.close()
        confinement.die_with_parent()
        confinement.refuse_processes(confinement.FORKS)
        with os.fdopen(job, "r+b", buffering=0) as stream:
            stream_answer(stream, model, setup)
        os._exit(0)
    finally:
        os._exit(1)


def stream_answer(stream: Any, model: type[Predictor], setup: Mapping[str, Any]) -> None:
    """Read a job, do it and answer."""
    wanted = json.loads(_read(stream))
    train, test = (pa.py_buffer(_read(stream)) for _ in range(2))
    answer = _Answer()
    try:
        answer.work_out(model(), train, test, wanted)
    except BaseException as error:  # noqa: BLE001 - whatever a predictor raises is an answer
        answer.header["reason"] = _in_words(error, setup)
        answer.figures.clear()
    header = message(answer.header | {"peak_mb": _peak_mb()})
    rest = memoryview(b"".join((header, *(part.astype("<f8").tobytes() for part in answer.figures))))
    while rest:
        rest = rest[stream.write(rest) :]


class _Answer:
    """What a job comes to: predictions, then the intervals of each coverage, then the energies of networks."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = {"reason": None, "has_intervals": False, "has_networks": False}
        self.figures: list[Reals] = []

    def work_out(self, model: Any, train: pa.Buffer, test: pa.Buffer, wanted: Mapping[str, Any]) -> None:
        kernels, labelled = _frame(test), _frame(train)
        start = time.perf_counter()
        model.fit(labelled)
        self.header["fit_s"] = time.perf_counter() - start
        _check_untouched(labelled, train, "fit")
        if kernels.empty:
            return
        start = time.perf_counter()
        predictions = model.predict(kernels)
        self.header["predict_s"] = time.perf_counter() - start
        self.figures.append(_shaped(predictions, (len(kernels),), "predictions"))
        _check_untouched(kernels, test, "predict")
        if hasattr(model, "predict_interval"):
            for coverage in wanted["coverages"]:
                bounds = model.predict_interval(kernels, coverage)
                self.figures.append(_shaped(bounds, (len(kernels), 2), "intervals"))
                _check_untouched(kernels, test, "predict_interval")
            self.header["has_intervals"] = True
        if wanted["networks"] is not None and hasattr(model, "predict_models"):
            models = _networks(kernels, wanted["networks"])
            energies = model.predict_models(models)
            self.figures.append(_shaped(energies, (len(models),), "energies of networks"))
            self.header["has_networks"] = True


def _networks(kernels: pd.DataFrame, networks: list[int]) -> pd.DataFrame:
    """One row a network, with its kernels; in order of their numbers."""
    frames = [rows.reset_index(drop=True) for _, rows in kernels.groupby(np.array(networks))]
    return pd.DataFrame({"kernels": pd.Series(frames, dtype=object)})


def _frame(buffer: pa.Buffer) -> pd.DataFrame:
    # A copy, because what Arrow lends is read-only, and a predictor that writes to its input is to be told so.
    frame: pd.DataFrame = pa.ipc.open_stream(buffer).read_all().to_pandas(use_threads=False)
    return frame.copy()


def _check_untouched(frame: pd.DataFrame, buffer: pa.Buffer, method: str) -> None:
    if not frame.equals(_frame(buffer)):
        raise _FaultError(f"changed its input in {method}")


def _shaped(values: Any, shape: tuple[int, ...], what: str) -> Reals:
    try:
        found: Reals = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _FaultError(f"gave {what} that are no numbers") from error
    if found.shape != shape:
        raise _FaultError(f"gave {what} of shape {found.shape}; expected {shape}")
    return found


def _in_words(error: BaseException, setup: Mapping[str, Any]) -> str:
    """What went wrong, on one line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (confinement.RefusedError, _FaultError)):
            return quoted(str(cause))
        if isinstance(cause, MemoryError):
            return f"needed more than {size_in_words(setup['memory_mb'])} of memory"
        if isinstance(cause, OSError) and cause.errno == errno.EFBIG:
            return f"wrote a file larger than {size_in_words(setup['file_mb'])}"
        cause = cause.__cause__ or cause.__context__
    return quoted(str(error) if isinstance(error, DeepenError) else f"raised {type(error).__name__}: {error}")


def size_in_words(megabytes: int) -> str:
    """Size as messages show it.

    >>> size_in_words(2048), size_in_words(1500)
    ('2 GB', '1500 MB')
    """
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"


def _peak_mb() -> float:
    """Most memory that this process has held at once, from its own high-water mark.

    `getrusage` would count what the parent held when it started the worker.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _read(stream: Any) -> bytes:
    length = MESSAGE_LENGTH.unpack(_exactly(stream, MESSAGE_LENGTH.size))[0]
    return _exactly(stream, length)


def _exactly(stream: Any, length: int) -> bytes:
    content = bytearray(length)
    view = memoryview(content)
    n_read = 0
    while n_read < length:
        n_now = stream.readinto(view[n_read:])
        if not n_now:
            raise EOFError("the parent has gone")
        n_read += n_now
    return bytes(content)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
