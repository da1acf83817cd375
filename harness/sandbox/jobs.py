"""Runs a predictor in a fresh process for every job, with limits; whatever it does there ends as an outcome.

A worker (`harness.sandbox.worker`) serves many jobs of a predictor: it imports the libraries that the predictor needs
and forks a child for each job, which loads the predictor. So nothing of a predictor passes from one job to another,
no process ever holds rows of two jobs, and none a test label. The parent passes a folder and the descriptor of a fresh
connection to the worker for every job, and the worker answers with the exit status of its child. On the connection,
five messages go to the child: a header, the kernels to fit on or the file of a fitted predictor, what networks are made
of and those to fit on, both empty where kernels are predicted, and the table to predict (Arrow IPC). Two come back: a
header, and the figures (little-endian float64), with the file of the fitted predictor where one is wanted. Headers are
JSON; nothing that comes back is unpickled, which would run code in the parent. Whatever comes back is untrusted: all
that it can bring about is figures, a file with its stamp, or a failure.
`docs/confinement.md` lists what is contained.
"""

import json
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.predictor.features import FEATURES, LABEL
from harness.predictor.figures import fault_of, fault_of_interval
from harness.predictor.networks import LATENCY, LIST_COLUMNS, SYSTEM_COLUMNS
from harness.predictor.persistence import DamagedError, Stamp, read_stamp
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import PACKAGE, predictor_info
from harness.sandbox.answers import harmless, read_header
from harness.sandbox.confinement import Confinement
from harness.sandbox.idle import IdleWorkers
from harness.sandbox.processes import ANSWER_LENGTH, DeathError, Limits, WorkerProcess
from harness.sandbox.worker import LONGEST_MESSAGE

__all__ = ["Job", "Limits", "NetworkJob", "Outcome", "run_jobs"]

Reals = npt.NDArray[np.float64]

MOST_SAVED_BYTES: Final = 256 << 20
"""Size beyond which the file of a fitted predictor is not taken."""
CONFORMANCE_LIMITS: Final = Limits(seconds=300)
"""Of all checks together: they fit a predictor some twenty times."""
MOST_DEATHS: Final = 3
"""Jobs, one after the other, that a predictor may overrun; the rest is not tried."""


class _LoadError(Exception):
    """The predictor cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fit and the predictions of it.

    Attributes:
        train: kernels to fit on, columns `FEATURES` and `energy_mj`; or the content of the file of a predictor that is
            fitted already.
        test: kernels to predict, columns `FEATURES`; a table with labels is refused.
        coverages: coverages of the intervals wanted, where the predictor gives any.
        networks: number of the network that each test kernel belongs to, where they are kernels of networks.
        stamp: what the fitted predictor was trained on, where it is wanted as a file.
        is_plain: whether the fitted predictor is wanted as plain arrays (`harness.predictor.plain`).
        n_timed: rows of one more batch, of test kernels in turn, whose prediction is timed; 0 where none is wanted.
    """

    train: pd.DataFrame | bytes
    test: pd.DataFrame
    coverages: tuple[float, ...] = ()
    networks: npt.NDArray[np.int64] | None = None
    stamp: Stamp | None = None
    is_plain: bool = False
    n_timed: int = 0

    def __post_init__(self) -> None:
        for name, frame, columns in (("train", self.train, (*FEATURES, LABEL)), ("test", self.test, FEATURES)):
            if not isinstance(frame, bytes):
                _check_columns(name, frame, columns)

    def request(self) -> tuple[bytes, ...]:
        """The messages that go to the child."""
        header = {
            "coverages": self.coverages,
            "networks": None if self.networks is None else self.networks.tolist(),
            "is_saved": isinstance(self.train, bytes),
            "stamp": None if self.stamp is None else self.stamp.model_dump_json(),
            "is_plain": self.is_plain,
            "n_timed": self.n_timed,
            "kind": "kernels",
        }
        train = self.train if isinstance(self.train, bytes) else _as_bytes(self.train)
        return json.dumps(header).encode(), train, b"", b"", _as_bytes(self.test)


@dataclass(frozen=True, slots=True)
class NetworkJob:
    """One fit on kernels and networks, and the energies of networks that it predicts.

    Attributes:
        kernels: kernels to fit on, columns `FEATURES` and `energy_mj`; it may have no row.
        lists: networks by data type, columns `LIST_COLUMNS`.
        train: networks to fit on: number in `list`, `SYSTEM_COLUMNS`, `latency_ms` where latencies are given, and
            `energy_mj`.
        test: networks to predict, the same columns but the last; a table with labels is refused.
        series: as for `Job`.
    """

    kernels: pd.DataFrame
    lists: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    series: str = ""
    coverages: ClassVar[tuple[float, ...]] = ()
    networks: ClassVar[None] = None
    stamp: ClassVar[None] = None
    is_plain: ClassVar[bool] = False

    def __post_init__(self) -> None:
        shown = ("list", *SYSTEM_COLUMNS, *((LATENCY,) if LATENCY in self.test else ()))
        for name, columns in {
            "kernels": (*FEATURES, LABEL), "lists": LIST_COLUMNS, "train": (*shown, LABEL), "test": shown,
        }.items():  # fmt: skip
            _check_columns(name, getattr(self, name), columns)

    def request(self) -> tuple[bytes, ...]:
        """The messages that go to the child."""
        header = json.dumps({"kind": "networks"}).encode()
        return header, *map(_as_bytes, (self.kernels, self.lists, self.train, self.test))


def _check_columns(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    if tuple(frame.columns) != columns:
        raise ValueError(f"{name} has columns {', '.join(frame.columns)}; expected {', '.join(columns)}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        status: `ok`, or `failed`.
        reason: what the predictor did wrong, in words; empty where it did not.
        predictions: energy of the test kernels in mJ, shape `(n,)`; None where it failed.
        intervals: by coverage, lower and upper bound in mJ, shape `(n, 2)`; empty where the predictor gives none.
        networks: by number, energy of the networks in mJ; empty where the predictor offers nothing better than the
            sum over their kernels.
        fit_s: time of the fit in seconds; None where it did not come to an end.
        predict_s: time of the predictions in seconds, likewise; None also where there was nothing to predict.
        batch_s: time of the prediction of the timed batch in seconds; None where there was none: because none was
            wanted, or it would have taken longer than `harness.sandbox.worker.LONGEST_BATCH_S`.
        peak_mb: most memory that the process held; None where it did not live to say so.
        saved: content of the file of the fitted predictor, with the stamp of the job, or its plain arrays; empty where
            neither was wanted.
        confinement: what confined the job; None where it never ran.
    """

    status: Literal["ok", "failed"]
    reason: str = ""
    predictions: Reals | None = None
    intervals: Mapping[float, Reals] = field(default_factory=dict)
    networks: Mapping[int, float] = field(default_factory=dict)
    fit_s: float | None = None
    predict_s: float | None = None
    batch_s: float | None = None
    peak_mb: float | None = None
    confinement: Confinement | None = None
    saved: bytes = b""


def run_jobs(
    key: str,
    jobs: Iterable[Job | NetworkJob],
    *,
    package: str = PACKAGE,
    limits: Limits | None = None,
    idle: IdleWorkers | None = None,
) -> Iterator[Outcome]:
    """Outcome of every job of a predictor, in order.

    A job that fails takes no other with it. A predictor that overruns its time in `MOST_DEATHS` jobs in a row does not
    run the rest, and one that cannot be loaded runs none at all; those jobs fail for the same reason.

    Args:
        key: predictor.
        jobs: taken one by one, as they are run.
        package: package that the predictor is in.
        limits: of each job; `Limits()` where None.
        idle: where a worker is taken from, and kept when all jobs have run; a fresh one is started and ended where
            None.

    Raises:
        UsageError: there is no such predictor.
        PredictorError: a predictor of the package is broken in its declaration.
        UnconfinedError: a part of the confinement cannot be applied here, and the limits do not allow that.
    """
    predictor_info(key, package)
    limits = limits or Limits()
    start = WorkerProcess if idle is None else idle.take
    worker: WorkerProcess | None = None
    outcome, n_deaths, is_loadable = Outcome("failed"), 0, True
    with ExitStack() as stack:
        for job in jobs:
            if n_deaths < MOST_DEATHS and is_loadable:
                try:
                    worker = worker or stack.enter_context(closing(start(key, package, limits)))
                    outcome, n_deaths = _run(worker, job), 0
                except _LoadError as error:
                    is_loadable, outcome = False, Outcome("failed", str(error))
                except DeathError as error:
                    n_deaths, outcome = n_deaths + 1, Outcome("failed", str(error))
                outcome = replace(outcome, confinement=worker.confinement if worker else None)
                if n_deaths:
                    stack.close()
                    worker = None
            yield outcome
        if worker is not None and idle is not None:
            stack.pop_all()
            idle.keep(worker, key, package, limits)


def conformance_faults(key: str, package: str = PACKAGE) -> list[str]:
    """Faults of a predictor, one line per check of `harness.predictor.conformance` that it does not pass.

    The checks run beside the predictor, confined with it: they are for its author, and no evidence against one.

    Raises:
        UsageError: there is no such predictor.
        PredictorError: it is broken in its declaration, cannot be loaded, or does not come to an end.
    """
    predictor_info(key, package)
    start = time.monotonic()
    try:
        with closing(WorkerProcess(key, package, CONFORMANCE_LIMITS)) as worker:
            wanted = json.dumps({"kind": "conformance"}).encode()
            answer, status = worker.run((wanted, b"", b"", b"", b""), (LONGEST_MESSAGE, LONGEST_MESSAGE))
    except DeathError as error:
        raise PredictorError(f"{key} {error}") from error
    if status:
        raise PredictorError(f"{key} ended its process with status {status}")
    try:
        said = read_header(b"".join(answer[:1]), time.monotonic() - start)
    except ValueError as error:
        raise PredictorError(f"{key} garbled its answer") from error
    if said.reason is not None:
        raise PredictorError(f"{key}: {harmless(said.reason)}")
    return [harmless(fault) for fault in said.faults]


def _run(worker: WorkerProcess, job: Job | NetworkJob) -> Outcome:
    n_figures = len(job.test) * (2 + 2 * len(job.coverages))
    longest = LONGEST_MESSAGE, LONGEST_MESSAGE + 8 * n_figures + (MOST_SAVED_BYTES if job.stamp or job.is_plain else 0)
    start = time.monotonic()
    answer, status = worker.run(job.request(), longest)
    if status < 0:
        return Outcome("failed", f"was ended by signal {-status} ({signal.strsignal(-status)})")
    if status > 0 or len(answer) < ANSWER_LENGTH:
        return Outcome("failed", f"ended its process with exit code {status}")
    try:
        return _outcome(job, answer[0], answer[1], time.monotonic() - start)
    except (ValueError, TypeError, DamagedError):
        return Outcome("failed", "garbled its answer")


def _as_bytes(frame: pd.DataFrame) -> bytes:
    # Without what pandas would note about its columns, which takes as long as to write them.
    table = pa.table(dict(frame.items()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _outcome(job: Job | NetworkJob, header: bytes, content: bytes, elapsed_s: float) -> Outcome:
    """Outcome of a complete answer of a job that took so many seconds.

    Raises:
        _LoadError: the predictor cannot be loaded.
        ValueError: the answer is none.
    """
    said = read_header(header, elapsed_s)
    reason = None if said.reason is None else harmless(said.reason)
    if not said.is_loaded:
        raise _LoadError(reason or "ended before it was loaded")
    cost: dict[str, Any] = {name: getattr(said, name) for name in ("fit_s", "predict_s", "batch_s", "peak_mb")}
    if reason is not None:
        return Outcome("failed", reason or "failed without a reason", **cost)
    n, n_coverages = len(job.test), len(job.coverages) * said.has_intervals
    numbers = [] if job.networks is None or not said.has_networks else np.unique(job.networks).tolist()
    n_bytes = 8 * (n * (1 + 2 * n_coverages) + len(numbers))
    figures, saved = np.frombuffer(content[:n_bytes], dtype="<f8"), content[n_bytes:]
    if 8 * figures.size != n_bytes or bool(saved) != (job.stamp is not None or job.is_plain):
        raise ValueError("figures are missing")
    if job.stamp is not None and read_stamp(saved) != job.stamp:
        raise ValueError("the file is of something else")
    predictions, bounds, networks = np.split(figures, [n, n * (1 + 2 * n_coverages)])
    intervals = dict(zip(job.coverages, bounds.reshape(n_coverages, n, 2), strict=False))
    faults = (fault_of(predictions, "rows"), *map(fault_of_interval, intervals.values()))
    fault = next(filter(None, (*faults, fault_of(networks, "networks"))), "")
    if fault:
        return Outcome("failed", fault, **cost)
    of_networks = dict(zip(numbers, networks.tolist(), strict=True))
    return Outcome("ok", "", predictions, intervals, of_networks, **cost, saved=saved)
