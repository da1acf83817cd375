"""The commands for authors of predictors: `evaluate` and `new-predictor`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from harness import api
from harness.cli.options import Backend, Data, Package
from harness.cli.printing import steps
from harness.defaults import (
    EVALUATION,
    FIT_MEMORY_MB,
    FIT_SECONDS,
    LEAST_FIT_MEMORY_MB,
    LEAST_FIT_SECONDS,
    PREDICTORS,
    SUBMISSIONS,
)
from harness.errors import UsageError
from harness.schema.vocabulary import Track

Unconfined = Annotated[
    bool,
    typer.Option("--allow-unconfined", help="Run predictors where they cannot be confined; each result says so."),
]
ShardFolders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DIR]...", help="With --merge: folders of all shards.", show_default=False),
]
TrackOption = Annotated[Track | None, typer.Option("--track", help="What is unseen; all three by default.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--predictor", help="Predictor, by its key; all by default. The baseline is always evaluated."),
]
ShardOption = Annotated[
    str | None, typer.Option("--shard", help="Run one part of several, such as 2/3, into OUT/shard-2-of-3.")
]
BoardFormat = Literal["text", "summary", "json"]


def evaluate(
    folders: ShardFolders = None,
    track: TrackOption = None,
    keys: Keys = None,
    data: Data = None,
    form: Annotated[
        BoardFormat, typer.Option("--format", help="Form of the results; summary: one line per device.")
    ] = "text",
    jobs: Annotated[int, typer.Option("--jobs", help="Predictors at once; -1 for one per core.")] = -1,
    backend: Backend = "threading",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of folds and resamples.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder of results; unchanged ones are used again.")] = EVALUATION,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=LEAST_FIT_SECONDS, help="Seconds for one fit with its predictions.")
    ] = FIT_SECONDS,
    memory_limit: Annotated[
        int, typer.Option("--memory-limit", min=LEAST_FIT_MEMORY_MB, help="Memory of a predictor in MB.")
    ] = FIT_MEMORY_MB,
    package: Package = PREDICTORS,
    allow_unconfined: Unconfined = False,
    shard: ShardOption = None,
    merge: Annotated[bool, typer.Option("--merge", help="Join the results of all shards, in folders DIR.")] = False,
) -> None:
    """Evaluate predictors of energy, each in a process of its own, with intervals, coverage and leaks.

    Exit code 1 where a predictor named by --predictor fails on every split; its results are written all the same.
    Shards can run anywhere: --shard 1/3, 2/3 and 3/3 with the same other options, then --merge with their folders.

    Example: deepen evaluate --track kernels --data submissions/acme-phone --predictor roofline
    """
    _check_merge(merge, folders, shard)
    common: dict[str, Any] = {
        "source": data or SUBMISSIONS, "tracks": [track] if track else None, "predictors": keys or (), "seed": seed,
        "out": out, "package": package, "allow_unconfined": allow_unconfined,
    }  # fmt: skip
    with steps("Evaluating") as step:
        boards = api.merge_shards(folders, **common, on_step=step) if folders else api.evaluate(
            **common, fit_seconds=time_limit, fit_memory_mb=memory_limit, n_jobs=jobs, backend=backend, shard=shard,
            on_step=step,
        )  # fmt: skip
    if shard is not None:
        typer.echo(f"results of shard {shard}: below {out.as_posix()}; join all with deepen evaluate --merge DIR...")
        return
    print_boards(list(boards.values()), form, track or "all", out)
    _refuse_failures(keys or (), boards.values())


def _check_merge(is_merge: bool, folders: list[Path] | None, shard: str | None) -> None:
    if is_merge != bool(folders) or (is_merge and shard is not None):
        raise UsageError(
            "--merge takes the folders of all shards, as in --merge shard-1-of-2 shard-2-of-2, and no --shard"
        )


def print_boards(boards: "Sequence[api.TrackBoard]", form: BoardFormat, track: str, out: Path) -> None:
    """Print boards in a form, and what a reader has to know of results that were made anew."""
    for fault in (fault for board in boards for fault in board.faults):
        typer.echo(f"deepen: {fault}", err=True)
    if form == "json":
        rows = [row for board in boards for row in board.rows]
        networks = [score for board in boards for score in board.networks]
        typer.echo(api.board_json(track, rows, networks), nl=False)
    else:
        _print_boards(boards, is_summary=form == "summary")
        typer.echo(f"results: {out.as_posix()}; every split by kernel type: --format json")


def _refuse_failures(keys: Iterable[str], boards: Iterable["api.TrackBoard"]) -> None:
    """Print which of these predictors failed everywhere, and end with exit code 1 where there is one."""
    failed = list(_failures(keys, boards))
    for line in failed:
        typer.echo(f"deepen: {line}", err=True)
    if failed:
        raise typer.Exit(1)


def _failures(keys: Iterable[str], boards: Iterable["api.TrackBoard"]) -> Iterator[str]:
    """Sentences about predictors that have no result but failures, each with its first reason."""
    boards = list(boards)
    reasons = [
        (row.predictor, row.result.reason if row.result.status == "failed" else "")
        for board in boards
        for row in board.rows
        if row.result.status != "skipped"
    ]
    reasons += [(score.predictor, score.reason) for board in boards for score in board.networks]
    for key in dict.fromkeys(keys):
        own = [reason for predictor, reason in reasons if predictor == key]
        if own and all(own):
            yield f"{key} failed on every split: {own[0]}"


def _print_boards(boards: Iterable["api.TrackBoard"], *, is_summary: bool) -> None:
    # Board tables read the declared columns of boards, and with them the libraries of the evaluation.
    from harness.cli.boards import print_board, print_headlines, print_notes
    from harness.cli.network_board import print_network_board, print_network_headlines

    for board in boards:
        (print_headlines if is_summary else print_board)(board.rows)
        (print_network_headlines if is_summary else print_network_board)(board.networks)
        print_notes(board.notes)


def new_predictor(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Name of the predictor, such as my-forest.")],
    root: Annotated[Path, typer.Option("--root", help="Checkout with predictors/.", file_okay=False)] = Path(),
) -> None:
    """Write the folder of a new predictor, which works as written and marks what to change.

    Example: deepen new-predictor my-forest
    """
    for path in api.new_predictor(key, root):
        typer.echo(path.as_posix())
    typer.echo(f"Change model.py, then check that it conforms: python -m pytest tests/predictors -k {key}")
    typer.echo(f"and see how well it predicts energy: deepen evaluate --predictor {key}")
