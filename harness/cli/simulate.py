"""The command `deepen simulate`: kernels and networks of the families on simulated accelerators, as submissions."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from harness import api
from harness.cli.options import Out
from harness.cli.printing import progress, steps
from harness.defaults import ESTIMATES, SUBMISSIONS
from harness.issues import counted


def simulate(
    names: Annotated[
        list[str] | None, typer.Option("--accelerator", help="Accelerator, by the id of its device; all by default.")
    ] = None,
    n_variants: Annotated[int, typer.Option("--variants", min=1, help="Networks of each family.")] = 10,
    n_kernels: Annotated[
        int | None,
        typer.Option("--kernels", min=1, help="Configurations to draw; as many as SEC 2023 measured by default."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of both draws.")] = 0,
    n_jobs: Annotated[int, typer.Option("--jobs", min=-1, help="Processes; -1 for one per core.")] = -1,
    out: Out = SUBMISSIONS,
    cache: Annotated[Path, typer.Option("--cache", help="Estimates so far; a run continues from them.")] = ESTIMATES,
) -> None:
    """Simulate kernels and networks of the nine model families on published accelerator models, as submissions.

    A run that was stopped continues where it was. Example: deepen simulate --accelerator zigzag-eyeriss-like --jobs 8
    """
    start = time.monotonic()
    with steps("Families") as step, _time_left() as show:
        done = api.simulate(
            names or (), n_variants=n_variants, n_kernels=n_kernels, seed=seed, n_jobs=n_jobs, out=out, cache=cache,
            on_step=step, on_progress=show,
        )  # fmt: skip
    if done.n_torn:
        typer.echo(f"{cache.as_posix()}: {done.n_torn} lines cannot be read and are estimated again")
    _print_tallies(done.tallies, time.monotonic() - start)
    for written in done.campaigns:
        _print_written(written)


@contextmanager
def _time_left() -> Iterator[Callable[["api.SimulationProgress"], None]]:
    """Progress with the time left, on standard error, if a person looks on."""
    with progress() as bar:
        task = bar.add_task("Simulating", total=None)

        def show(done: "api.SimulationProgress") -> None:
            left = f"Simulating, {_duration(done.seconds_left)} left"
            bar.update(task, completed=done.n_done, total=done.n_total, description=left)

        yield show


def _duration(seconds: float) -> str:
    """Time in words.

    >>> _duration(59), _duration(3660)
    ('59 s', '61 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _print_tallies(tallies: Mapping[str, "api.Tally"], seconds: float) -> None:
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


def _print_written(written: "api.WrittenCampaign") -> None:
    counts = {"kernel": written.n_kernels, "network": written.n_models, "file": len(written.files)}
    shown = ", ".join(counted(n, noun) for noun, n in counts.items())
    typer.echo(f"{written.folder.as_posix()}: {shown}")
    for outcome in written.failed:
        typer.echo(f"  failed: {dict(outcome.configuration)}: {outcome.failure}")
    for cost in written.left_out:
        typer.echo(f"  no row: {cost.network.model}, {cost.coverage_flops:.1%} of its FLOPs simulated")
