"""The process that forks a fresh child for every job; the child loads the predictor, sees that job alone, and ends.

The process itself only imports installed libraries, under the limits of a job, and holds no memory that a child could
write to, so that no child inherits anything of a predictor or of another job. Every child confines itself before it
loads the predictor. The process ends a child that overruns what it may use, and every process that a child leaves
behind. The parent is `harness.sandbox.jobs`; the messages between the two are described there.
"""

import contextlib
import errno
import gc
import importlib
import importlib.util
import itertools
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.errors import DeepenError
from harness.issues import printable, quoted
from harness.predictor.loading import load_model, raised_at
from harness.predictor.networks import networks_on_systems
from harness.predictor.protocol import Predictor
from harness.sandbox import confinement
from harness.sandbox.confinement import Confinement
from harness.sandbox.kernel import Kernel, adopt_orphans, die_with_parent
from harness.sandbox.semaphores import keep_semaphores_within
from harness.sandbox.watch import Watched, end_of

LONGEST_MESSAGE: Final = 1 << 16
"""Bytes of a message on the control socket, and of the header of an answer."""

LONGEST_BATCH_S: Final = 20.0
"""A batch that would take longer, by the time of a smaller one, is not timed."""

LONGEST_REASON: Final = 400
"""Characters of a reason in the harness's own words, which end with how to fix it."""

Reals = npt.NDArray[np.float64]

_STEP: Final = 10
"""Factor between the sizes of the batches that lead to the timed one."""
_SAME: Final = 1e-6
"""Relative difference of predictions of one kernel in batches of two sizes."""
_REAL: Final = "fiu"
"""Kinds of NumPy arrays whose values are real numbers."""


class _FaultError(Exception):
    """What a predictor did wrong, in words."""


def main(setup: Mapping[str, Any]) -> None:
    """Serve jobs until the parent closes its end or is gone.

    Args:
        setup: `key`, `package`, `libraries` (modules to import once), `control` (descriptor of the socket), `readable`
            (folders and files), `roots` (folders that the package is imported from), `load_seconds`, and those of
            `Limits`.
    """
    control = socket.socket(fileno=setup["control"])
    adopt_orphans(Kernel())
    confinement.limit_resources(setup["memory_mb"], setup["file_mb"])
    for module in filter(_is_installed, setup["libraries"]):
        # Where one cannot be imported, every child finds out for itself.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    _warm_up()
    # Children share these objects; a collection would write to, and so copy, the memory that they lie in.
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"confinement": asdict(_tried(setup)), "shared": _shared_memory()}).encode())
    while True:
        folder, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 1)
        if not descriptors:
            os._exit(0)
        loaded = os.eventfd(0)
        home = Path(os.fsdecode(folder))
        child = os.fork()
        if child == 0:
            control.close()
            _serve(Connection(descriptors[0]), loaded, home, setup)
        os.close(descriptors[0])
        job = Watched(child, loaded, home, setup["load_seconds"], setup["seconds"], setup["file_mb"])
        status, overrun = end_of(job, control)
        os.close(loaded)
        control.send(json.dumps({"status": status, "overrun": overrun}).encode())


def _is_installed(module: str) -> bool:
    """Whether a module is one of an installed library, and no code beside the predictors.

    Modules of Python itself are quick to import, and some of them start programs or tests when they are; so do those
    that are meant to be run.
    """
    name, *inner = module.split(".")
    if name in sys.stdlib_module_names or "__main__" in inner:
        return False
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), *filter(None, [spec.origin])]
    return any(confinement.is_within(os.path.realpath(place), confinement.python_folders()) for place in places)


def _tried(setup: Mapping[str, Any]) -> Confinement:
    """What confines a job here: a child tries it, and runs nothing else."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            found = confinement.confine(setup["readable"], str(Path.cwd()))
            os.write(writing, json.dumps(asdict(found)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    if not said:
        return Confinement(missing=("a process that confines itself ends",))
    return Confinement(**{name: tuple(values) for name, values in json.loads(said).items()})


def _shared_memory() -> str:
    """Writable memory that children would share, by the name of its file; empty where there is none."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        _, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights[1] == "w" and rights[3] == "s":
            return " ".join(name) or "without a name"
    return ""


def _warm_up() -> None:
    """Have pandas and Arrow import what they import at first use, once and not in every child."""
    table = pa.table({"word": ["a"], "number": [1.0]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    frame = _frame(sink.getvalue())
    frame.equals(frame.copy())


def _serve(job: Connection, loaded: int, folder: Path, setup: Mapping[str, Any]) -> None:
    """Do one job in its own folder and end the process, whatever happens."""
    try:
        die_with_parent(Kernel(), signal.SIGKILL)
        _close_all_but(job.fileno(), loaded)
        keep_semaphores_within()
        os.chdir(folder)
        os.environ.update(HOME=str(folder), TMPDIR=str(folder))
        wanted = json.loads(job.recv_bytes())
        kernels, lists, train, test = (pa.py_buffer(job.recv_bytes()) for _ in range(4))
        answer = _Answer()
        try:
            sys.path.extend(root for root in setup["roots"] if root not in sys.path)
            found = confinement.confine(setup["readable"], str(folder), listable=setup["listable"])
            confinement.check_confined(found, setup["is_unconfined_allowed"])
            model = _loaded(setup)
            os.eventfd_write(loaded, 1)
            answer.header["is_loaded"] = True
            if wanted["kind"] == "conformance":
                from harness.predictor.conformance import faults_of

                answer.header["faults"] = faults_of(setup["key"], setup["package"])
            elif wanted["kind"] == "networks":
                answer.work_out_networks(model(), kernels, *map(_frame, (lists, train, test)))
            else:
                answer.work_out(model(), kernels, test, wanted, setup)
        except BaseException as error:  # noqa: BLE001 - whatever a predictor raises is an answer
            answer.header["reason"] = _in_words(error, setup)
            answer.figures.clear()
            answer.saved = b""
        job.send_bytes(json.dumps(answer.header | {"peak_mb": _peak_mb()}).encode())
        job.send_bytes(b"".join([*(part.astype("<f8").tobytes() for part in answer.figures), answer.saved]))
        os._exit(0)
    finally:
        os._exit(1)


def _close_all_but(*kept: int) -> None:
    """Close what this process has inherited; its standard streams lead nowhere."""
    edges = [2, *sorted(kept), confinement.MOST_OPEN_FILES]
    for last, following in itertools.pairwise(edges):
        os.closerange(last + 1, following)


def _loaded(setup: Mapping[str, Any]) -> type[Predictor]:
    """Predictor, freshly imported from its sources, with the same random numbers ahead of it in every job."""
    # Compiled code that lies beside a predictor need not be that of its sources, so it is looked for elsewhere.
    sys.pycache_prefix = str(Path.cwd())
    random.seed(0)
    np.random.seed(0)
    return load_model(setup["key"], setup["package"])


class _Answer:
    """What a job comes to: predictions, the intervals of each coverage, energies of networks; then the saved file."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = dict.fromkeys(("is_loaded", "has_intervals", "has_networks"), False)
        self.header |= {"reason": None, "batch_s": None}
        self.figures: list[Reals] = []
        self.saved = b""

    def work_out(
        self, model: Any, train: pa.Buffer, test: pa.Buffer, wanted: Mapping[str, Any], setup: Mapping[str, Any]
    ) -> None:
        kernels = _frame(test)
        start = time.perf_counter()
        if wanted["is_saved"]:
            from harness.predictor.persistence import load_predictor

            fitted: Any = load_predictor(train.to_pybytes(), setup["key"], setup["package"])
        else:
            fitted = self._fit(model, train)
        self.header["fit_s"] = time.perf_counter() - start
        self._predict(fitted, kernels, wanted)
        if wanted["stamp"] is not None:
            from harness.predictor.persistence import Stamp, saved_bytes

            stamp = Stamp.model_validate_json(wanted["stamp"])
            self.saved = saved_bytes(fitted, stamp, setup["package"])
        elif wanted["is_plain"]:
            from harness.predictor.plain import plain_bytes

            self.saved = plain_bytes(fitted, setup["package"])

    def work_out_networks(
        self, model: Any, kernels: pa.Buffer, lists: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame
    ) -> None:
        asked = networks_on_systems(lists, test)
        before = asked.copy()
        start = time.perf_counter()
        self._fit(model, kernels, networks_on_systems(lists, train))
        fitted = time.perf_counter()
        energies = model.predict_networks(asked)
        self.header |= {"fit_s": fitted - start, "predict_s": time.perf_counter() - fitted}
        self.figures.append(_shaped(energies, (len(asked),), "energies of networks"))
        _check_same(asked, before, "predict_networks")

    def _fit(self, model: Any, train: pa.Buffer, *networks: pd.DataFrame) -> Any:
        given = (_frame(train), *networks)
        before = [frame.copy() for frame in given]
        returned = model.fit(*given)
        if returned is not model:
            raise _FaultError(f"returned {type(returned).__name__} from fit; expected self")
        for frame, copy in zip(given, before, strict=True):
            _check_same(frame, copy, "fit")
        return model

    def _predict(self, model: Any, kernels: pd.DataFrame, wanted: Mapping[str, Any]) -> None:
        if kernels.empty:
            return
        before = kernels.copy()
        start = time.perf_counter()
        predictions = model.predict(kernels)
        self.header["predict_s"] = time.perf_counter() - start
        self.figures.append(_shaped(predictions, (len(kernels),), "predictions"))
        _check_same(kernels, before, "predict")
        if wanted["n_timed"]:
            self._time_batch(model, kernels, wanted["n_timed"])
        if hasattr(model, "predict_interval"):
            for coverage in wanted["coverages"]:
                bounds = model.predict_interval(kernels, coverage)
                self.figures.append(_shaped(bounds, (len(kernels), 2), "intervals"))
                _check_same(kernels, before, "predict_interval")
            self.header["has_intervals"] = True
        if wanted["networks"] is not None and hasattr(model, "predict_models"):
            models = _networks(kernels, wanted["networks"])
            energies = model.predict_models(models)
            self.figures.append(_shaped(energies, (len(models),), "energies of networks"))
            self.header["has_networks"] = True

    def _time_batch(self, model: Any, kernels: pd.DataFrame, n_timed: int) -> None:
        """Time the prediction of so many kernels in one batch, which has to be that of the same kernels before.

        Smaller batches come first, each a tenth of the next, so that none is begun that would take too long.
        """
        size, seconds = len(kernels), self.header["predict_s"]
        while self.header["batch_s"] is None and seconds * _STEP <= LONGEST_BATCH_S:
            size = min(size * _STEP, n_timed)
            rows = np.arange(size) % len(kernels)
            batch = kernels.iloc[rows].reset_index(drop=True)
            start = time.perf_counter()
            predictions = model.predict(batch)
            seconds = time.perf_counter() - start
            found = _shaped(predictions, (size,), "predictions")
            if not np.allclose(found, self.figures[0][rows], rtol=_SAME, atol=0, equal_nan=True):
                raise _FaultError(f"predicted other energies in a batch of {size} kernels")
            self.header["batch_s"] = seconds if size == n_timed else None


def _networks(kernels: pd.DataFrame, networks: list[int]) -> pd.DataFrame:
    """One row a network, with its kernels; in order of their numbers."""
    frames = [rows.reset_index(drop=True) for _, rows in kernels.groupby(np.array(networks))]
    return pd.DataFrame({"kernels": pd.Series(frames, dtype=object)})


def _frame(buffer: pa.Buffer) -> pd.DataFrame:
    # A copy: Arrow's arrays are read-only, and a predictor that writes to its input gets a message that says so.
    frame: pd.DataFrame = pa.ipc.open_stream(buffer).read_all().to_pandas(use_threads=False)
    return frame.copy()


def _check_same(frame: pd.DataFrame, before: pd.DataFrame, method: str) -> None:
    if not frame.equals(before):
        raise _FaultError(f"changed its input in {method}")


def _shaped(values: Any, shape: tuple[int, ...], what: str) -> Reals:
    try:
        given = np.asarray(values)
        is_real = given.dtype.kind in _REAL and not np.ma.is_masked(values)
        found: Reals = given.astype(np.float64) if is_real else np.empty(0)
    except (TypeError, ValueError) as error:
        raise _FaultError(f"gave {what} that are no numbers") from error
    if not is_real:
        raise _FaultError(f"gave {what} that are no numbers")
    if found.shape != shape:
        raise _FaultError(f"gave {what} of shape {found.shape}; expected {shape}")
    return found


def _in_words(error: BaseException, setup: Mapping[str, Any]) -> str:
    """What went wrong, on one line, with the line of the predictor that it went wrong in."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, confinement.RefusedError):
            return quoted(_without_roots(str(cause), setup)) + _place_of(cause, setup)
        if isinstance(cause, _FaultError):
            return quoted(str(cause))
        if isinstance(cause, MemoryError):
            return f"needed more than {size_in_words(setup['memory_mb'])} of memory{_place_of(cause, setup)}"
        if isinstance(cause, OSError) and cause.errno == errno.EFBIG:
            return f"wrote a file larger than {size_in_words(setup['file_mb'])}{_place_of(cause, setup)}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, DeepenError):
        return printable(str(error)[:LONGEST_REASON])
    return quoted(f"raised {type(error).__name__}: {error}") + _place_of(error, setup)


def _place_of(error: BaseException, setup: Mapping[str, Any]) -> str:
    """Line of the package that raised, in words; empty where none of its frames is left."""
    place = raised_at(error, setup["package"])
    return f" ({place})" if place else ""


def _without_roots(text: str, setup: Mapping[str, Any]) -> str:
    """Words with a path from the folder that the package is in, which is the same on every machine."""
    for root in setup["roots"]:
        text = text.replace(f"{root}/", "", 1)
    return text


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


if __name__ == "__main__":
    setup_file = Path(sys.argv[1])
    content = setup_file.read_bytes()
    setup_file.unlink()
    main(json.loads(content))
