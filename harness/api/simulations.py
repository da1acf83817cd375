"""Simulated submissions: kernels and networks of the model families on published accelerator models."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.api.arguments import AnyPath, OnStep, as_names, check_at_least, silent
from harness.defaults import ESTIMATES, RUNTIME, SUBMISSIONS
from harness.files.locks import only_writer
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import INPUT_SHAPE, varied_of
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.sampler import COUNTS, sample_kernels
from harness.schema.networks import configuration_of
from harness.simulation.accelerators import Accelerator, accelerator, accelerators, estimator_version
from harness.simulation.cache import open_cache
from harness.simulation.campaign import WrittenCampaign, write_campaign
from harness.simulation.networks import NamedNetwork
from harness.simulation.runner import Progress, Tally
from harness.simulation.runner import simulate as run_simulation

SimulationProgress = Progress
OnProgress = Callable[[SimulationProgress], None]


@dataclass(frozen=True, slots=True)
class Simulation:
    """Outcome of a simulation.

    Attributes:
        tallies: what became of the configurations, by the id of the accelerator.
        campaigns: the submissions written, one per accelerator.
        n_torn: lines of the file of earlier estimates that could not be read; they were estimated again.
    """

    tallies: Mapping[str, Tally]
    campaigns: Sequence[WrittenCampaign]
    n_torn: int


def simulate(
    names: Sequence[str] = (),
    *,
    n_variants: int = 10,
    n_kernels: int | None = None,
    seed: int = 0,
    n_jobs: int = -1,
    out: AnyPath = SUBMISSIONS,
    cache: AnyPath = ESTIMATES,
    on_step: OnStep = silent,
    on_progress: OnProgress = lambda _: None,
) -> Simulation:
    """Simulate kernels and networks of the nine model families on accelerators, as submissions.

    A run that was stopped continues where it was.

    Args:
        names: accelerators, by the ids of their devices; all where none is named.
        n_variants: networks of each family.
        n_kernels: configurations to draw; as many as SEC 2023 measured by default.
        seed: seed of both draws.
        n_jobs: processes; -1 for one per core.
        out: folder of submissions.
        cache: file of the estimates of earlier runs, which are used again.
        on_step: called with each network's name before it is built, and with the number of networks.
        on_progress: called after every estimated layer.

    Returns:
        Counts by accelerator, and the submissions written; energies in them are in mJ.

    Raises:
        UsageError: the estimator is not installed, an accelerator is unknown, or a campaign folder has other files.
        ReleaseError: another run is using the same file of estimates, or writing to the folder of a device.

    Examples:
        >>> from harness import api
        >>> api.simulate(["no-such-accelerator"])  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        harness.errors.UsageError: the estimator is not installed, or the accelerator is unknown
    """
    estimator_version()
    places = [accelerator(name) for name in dict.fromkeys(as_names(names))] or list(accelerators())
    n_drawn = sum(COUNTS.values()) if n_kernels is None else n_kernels
    check_at_least("n_variants", n_variants, 1)
    check_at_least("n_kernels", n_drawn, 1)
    networks = _networks(n_variants, seed, on_step)
    drawn = sample_kernels((network.kernels for network in networks), n_drawn, seed).configurations
    wanted = [*drawn, *(configuration_of(kernel) for network in networks for kernel in network.kernels)]
    with only_writer(Path(cache)):
        known = open_cache(Path(cache))
        tallies = run_simulation(wanted, places, known, n_jobs=n_jobs or -1, on_progress=on_progress)
        commands = {place: _command(place, n_variants, n_drawn, seed) for place in places}
        campaigns = [
            write_campaign(place, drawn, networks, known, out=Path(out), command=command)
            for place, command in commands.items()
        ]
    return Simulation(tallies, campaigns, known.n_torn)


def _networks(n_variants: int, seed: int, on_step: OnStep) -> list[NamedNetwork]:
    """Variants of all families, padded to "same" as the estimator pads, with the kernels of a phone's runtime."""
    rules = read_runtime(RUNTIME)
    variants = varied_of(PHONE_FAMILIES, n_variants, seed)
    networks = []
    for variant in variants:
        on_step(variant.model, len(variants))
        found = kernel_list(graph_of_onnx(variant.build(), variant.model), rules).kernels
        networks.append(NamedNetwork(variant.model, variant.family, variant.name, INPUT_SHAPE, rules.name, found))
    return networks


def _command(place: Accelerator, n_variants: int, n_kernels: int, seed: int) -> str:
    """Command line that makes the same campaign again."""
    options = ("--accelerator", place.id, "--variants", n_variants, "--kernels", n_kernels, "--seed", seed)
    return shlex.join(["deepen", "simulate", *map(str, options)])
