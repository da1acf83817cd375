"""Many calls in parallel by joblib, on the cores of this machine or on a Dask cluster."""

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Literal, TypeVar

from joblib import Parallel, delayed, parallel_config

from harness.children import end_with
from harness.errors import UsageError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_CONNECT_SECONDS: Final = 10
"""Time that the scheduler of a cluster has to answer."""


def at_once(
    call: Callable[[Item], Answer],
    items: Sequence[Item],
    *,
    backend: str,
    n_jobs: int,
    return_as: Literal["generator", "generator_unordered"] = "generator",
) -> Iterator[Answer]:
    """Answers of a function to many items, as they come.

    Args:
        call: function; with processes or a cluster, it and the items are pickled.
        items: arguments, one per call.
        backend: joblib's back end: `loky`, `threading`, or `dask`, which asks the cluster whose scheduler is at the
            address in the variable `DASK_SCHEDULER_ADDRESS`.
        n_jobs: calls at once; -1 for one per core. A cluster decides on its own.
        return_as: `generator` in the order of the items, `generator_unordered` in the order of the answers.

    Raises:
        UsageError: the back end is not available.
    """
    try:
        connection = _cluster() if backend == "dask" else nullcontext()
    except (ImportError, ValueError, OSError) as error:
        raise _not_there(backend, n_jobs, error) from error
    with connection:
        try:
            with parallel_config(backend=backend, n_jobs=n_jobs):
                answers = Parallel(return_as=return_as, batch_size=1)(
                    delayed(_in_child)(call, item, os.getpid()) for item in items
                )
        except (ImportError, ValueError) as error:
            raise _not_there(backend, n_jobs, error) from error
        yield from answers


def _in_child(call: Callable[[Item], Answer], item: Item, parent: int) -> Answer:
    """Answer of a function, in a process that ends with the one that started it, where that is another."""
    end_with(parent)
    return call(item)


def _not_there(backend: str, n_jobs: int, error: Exception) -> UsageError:
    return UsageError(f"joblib back end {backend!r} with {n_jobs} jobs: {error}")


def _cluster() -> AbstractContextManager[Any]:
    """Connection to a running Dask cluster, which joblib finds.

    Raises:
        ImportError: Dask is not installed.
        ValueError: the address of the cluster is not set.
        OSError: the cluster does not answer.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise ImportError(f"{error}; install the extra 'cluster'") from error
    address = importlib.import_module("dask").config.get("scheduler-address", None)
    if address is None:
        raise ValueError("set DASK_SCHEDULER_ADDRESS to where the scheduler is, such as tcp://127.0.0.1:8786")
    client: AbstractContextManager[Any] = distributed.Client(address, timeout=_CONNECT_SECONDS)
    return client
