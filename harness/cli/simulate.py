"""The command `deepen simulate`: kernels and networks of the families on simulated accelerators, as submissions."""

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from harness.cli.families import RUNTIME
from harness.cli.printing import steps
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import INPUT_SHAPE, variants_of
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.sampler import COUNTS, sample_kernels
from harness.schema.networks import configuration_of
from harness.simulation.accelerators import Accelerator, accelerator, accelerators, estimator_version
from harness.simulation.cache import open_cache
from harness.simulation.campaign import WrittenCampaign, write_campaign
from harness.simulation.networks import NamedNetwork
from harness.simulation.runner import Progress as Done
from harness.simulation.runner import Tally
from harness.simulation.runner import simulate as run_simulation

_CACHE: Final = Path("dist/simulation/cache.jsonl")


def simulate(
    names: Annotated[
        list[str] | None, typer.Option("--accelerator", help="Accelerator, by the id of its device; all by default.")
    ] = None,
    n_variants: Annotated[int, typer.Option("--variants", min=1, help="Networks of each family.")] = 10,
    n_kernels: Annotated[int, typer.Option("--kernels", min=1, help="Configurations to draw.")] = sum(COUNTS.values()),
    seed: Annotated[int, typer.Option("--seed", help="Seed of both draws.")] = 0,
    n_jobs: Annotated[int, typer.Option("--jobs", min=-1, help="Processes; -1 for one a core.")] = -1,
    out: Annotated[Path, typer.Option("--out", help="Folder of submissions.")] = Path("submissions"),
    cache_file: Annotated[Path, typer.Option("--cache", help="Estimates so far; a run goes on from them.")] = _CACHE,
) -> None:
    """Simulate kernels and networks of the nine model families on published accelerator models, as submissions.

    A run that was stopped goes on where it was. Example: deepen simulate --accelerator zigzag-eyeriss-like --jobs 8
    """
    estimator_version()
    places = [accelerator(name) for name in dict.fromkeys(names or ())] or list(accelerators())
    networks = _networks(n_variants, seed)
    drawn = sample_kernels((network.kernels for network in networks), n_kernels, seed).configurations
    wanted = [*drawn, *(configuration_of(kernel) for network in networks for kernel in network.kernels)]
    cache = open_cache(cache_file)
    if cache.n_torn:
        typer.echo(f"{cache_file.as_posix()}: {cache.n_torn} lines cannot be read and are estimated again")
    start = time.monotonic()
    with _time_left() as show:
        tallies = run_simulation(wanted, places, cache, n_jobs=n_jobs or -1, on_progress=show)
    _print_tallies(tallies, time.monotonic() - start)
    for place in places:
        command = _command(place, n_variants, n_kernels, seed)
        _print_written(write_campaign(place, drawn, networks, cache, out=out, command=command))


def _networks(n_variants: int, seed: int) -> list[NamedNetwork]:
    """Variants of all families with the kernels that a phone's runtime would execute."""
    rules = read_runtime(RUNTIME)
    variants = variants_of(PHONE_FAMILIES, n_variants, seed)
    networks = []
    with steps("Families", len(variants)) as step:
        for variant in variants:
            step(variant.model)
            kernels = kernel_list(graph_of_onnx(variant.build(), variant.model), rules).kernels
            networks.append(NamedNetwork(variant.model, variant.family, variant.name, INPUT_SHAPE, rules.name, kernels))
    return networks


def _command(place: Accelerator, n_variants: int, n_kernels: int, seed: int) -> str:
    options = ("--accelerator", place.id, "--variants", n_variants, "--kernels", n_kernels, "--seed", seed)
    return shlex.join(["deepen", "simulate", *map(str, options)])


@contextmanager
def _time_left() -> Iterator["_Show"]:
    """Progress with the time left, on standard error, where a person looks on."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield _Show(bar)


class _Show:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("Simulating", total=None)

    def __call__(self, done: Done) -> None:
        left = f"Simulating, {_duration(done.seconds_left)} left"
        self._bar.update(self._task, completed=done.n_done, total=done.n_total, description=left)


def _duration(seconds: float) -> str:
    """Time in words.

    >>> _duration(59), _duration(3660)
    ('59 s', '61 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _print_tallies(tallies: Mapping[str, Tally], seconds: float) -> None:
    for name, tally in tallies.items():
        n_layers = tally.n_new + tally.n_cached
        typer.echo(
            f"{name}: {tally.n_simulated} configurations simulated, {tally.n_without_operation} of types without an "
            f"operation, {tally.n_failed} failed"
        )
        typer.echo(
            f"  {n_layers} different layers, {tally.n_cached} from the cache and {tally.n_new} estimated now; "
            f"{tally.core_seconds / max(n_layers, 1):.2f} s each on one core, {_duration(tally.core_seconds)} in all"
        )
    typer.echo(f"wall time {_duration(seconds)}")


def _print_written(written: WrittenCampaign) -> None:
    n_files = len(written.files)
    typer.echo(
        f"{written.folder.as_posix()}: {written.n_kernels} kernels, {written.n_models} networks, {n_files} files"
    )
    for outcome in written.failed:
        typer.echo(f"  failed: {dict(outcome.configuration)}: {outcome.failure}")
    for cost in written.left_out:
        typer.echo(f"  no row: {cost.network.model}, {cost.coverage_flops:.1%} of its FLOPs simulated")
