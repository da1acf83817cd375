"""Estimates many kernel configurations: only those that the cache lacks, in parallel, resumable at any moment.

It draws no configurations and writes no submissions.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from joblib import Parallel, delayed

from harness.children import end_with
from harness.schema.networks import Configuration
from harness.simulation.accelerators import Accelerator, estimator_version
from harness.simulation.cache import Cache, Entry, entry_key
from harness.simulation.estimator import Estimate, UnmappedError, estimate_layer
from harness.simulation.layers import Layer, layers_of

_NICENESS: Final = 10
"""Workers give way to everything else on the machine."""

Work = tuple[Layer, Accelerator]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one configuration on one accelerator.

    Attributes:
        configuration: kernel type and extents.
        estimate: energy and cycles, summed over its layers; None where there are none.
        failure: reason why there are none although the estimator has operations for the kernel type.
    """

    configuration: Configuration
    estimate: Estimate | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run.

    Attributes:
        n_done: layers estimated in this run.
        n_total: layers that this run has to estimate.
        seconds_left: estimate of the time left, from the layers that are done.
    """

    n_done: int
    n_total: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcome of a run on one accelerator; configurations are simulated, without an operation or failed.

    Attributes:
        n_simulated: configurations with an estimate.
        n_without_operation: configurations whose kernel type the estimator has no operations for.
        n_failed: configurations that it has operations for but no mapping.
        n_new: layers estimated in this run.
        n_cached: layers from the cache.
        core_seconds: time that all these layers took on one core, in this run or an earlier one.
    """

    n_simulated: int
    n_without_operation: int
    n_failed: int
    n_new: int
    n_cached: int
    core_seconds: float


def simulate(
    configurations: Iterable[Configuration],
    accelerators: Sequence[Accelerator],
    cache: Cache,
    *,
    n_jobs: int = -1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Tally]:
    """Estimate configurations on accelerators; a layer in the cache is not estimated again.

    Args:
        configurations: kernel types with their extents; each counts once.
        accelerators: where to simulate them.
        cache: outcomes so far; every new one is added at once.
        n_jobs: processes; -1 for one per core.
        on_progress: called after every layer.

    Returns:
        Numbers of outcomes, by the id of the accelerator.

    Raises:
        UsageError: the estimator is not installed.
    """
    estimator_version()
    unique = list({tuple(sorted(each.items())): each for each in configurations}.values())
    layers = list(dict.fromkeys(layer for each in unique for layer in _layers(each)[0]))
    missing = [(layer, place) for place in accelerators for layer in layers if cache.get(layer, place) is None]
    # Neighbours in a network cost alike; in the order of their hashes, the mean so far predicts the time left.
    missing.sort(key=lambda work: entry_key(*work))
    start = time.monotonic()
    for n_done, ((layer, place), entry) in enumerate(_estimates(missing, n_jobs), start=1):
        cache.add(layer, place, entry)
        elapsed = time.monotonic() - start
        on_progress(Progress(n_done, len(missing), elapsed / n_done * (len(missing) - n_done)))
    n_new = {place.id: sum(other == place for _, other in missing) for place in accelerators}
    return {place.id: _tally(unique, layers, place, cache, n_new[place.id]) for place in accelerators}


def outcome_of(configuration: Configuration, accelerator: Accelerator, cache: Cache) -> Outcome:
    """Outcome of a configuration, from the cache."""
    layers, failure = _layers(configuration)
    estimates: list[Estimate] = []
    for layer in layers:
        entry = cache.get(layer, accelerator)
        if entry is None or entry.estimate is None:
            return Outcome(configuration, None, "it was not estimated" if entry is None else entry.failure)
        estimates.append(entry.estimate)
    if not estimates:
        return Outcome(configuration, None, failure)
    energy, cycles = (sum(parts) for parts in zip(*estimates, strict=True))
    return Outcome(configuration, Estimate(energy, cycles), None)


def _estimates(work: Sequence[Work], n_jobs: int) -> Iterable[tuple[Work, Entry]]:
    if not work:
        return ()
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="4 * n_jobs")
    parent = os.getpid()
    found: Iterable[tuple[Work, Entry]] = parallel(delayed(_estimated)(*each, parent) for each in work)
    return found


def _estimated(layer: Layer, accelerator: Accelerator, parent: int) -> tuple[Work, Entry]:
    """One estimation, in a worker."""
    if os.getpid() != parent:
        end_with(parent)
        os.nice(max(_NICENESS - os.nice(0), 0))
    start = time.process_time()
    estimate, failure = None, None
    try:
        estimate = estimate_layer(layer, accelerator)
    except UnmappedError as error:
        failure = str(error)
    return (layer, accelerator), Entry(estimate, failure, time.process_time() - start)


def _layers(configuration: Configuration) -> tuple[tuple[Layer, ...], str | None]:
    """Layers of a configuration, or the reason why it has none."""
    try:
        return layers_of(configuration), None
    except ValueError as error:
        return (), str(error)


def _tally(
    configurations: Sequence[Configuration], layers: Sequence[Layer], place: Accelerator, cache: Cache, n_new: int
) -> Tally:
    outcomes = [outcome_of(each, place, cache) for each in configurations]
    n_simulated = sum(outcome.estimate is not None for outcome in outcomes)
    n_failed = sum(outcome.failure is not None for outcome in outcomes)
    entries = [cache.get(layer, place) for layer in layers]
    return Tally(
        n_simulated=n_simulated,
        n_without_operation=len(outcomes) - n_simulated - n_failed,
        n_failed=n_failed,
        n_new=n_new,
        n_cached=len(layers) - n_new,
        core_seconds=sum(entry.seconds for entry in entries if entry is not None),
    )
