"""What `deepen evaluate` prints of measured networks: one table of predictors by split, best predictors first."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from harness.api import NetworkScore, NetworkShare

_WIDTH: Final = 280
"""A pipe has no width of its own, and a table cut at 80 columns would lose figures."""


def print_network_board(scores: Sequence[NetworkScore]) -> None:
    """Print every split with what was known elsewhere, then the families and the systems of one split."""
    if not scores:
        return
    console = Console(width=None if Console().is_terminal else _WIDTH)
    typer.echo(f"\nmeasured networks on {max(score.n_systems for score in scores)} systems: unseen networks and boards")
    table = Table("split", "known", "predictor", "given", *_RIGHT)
    for column in table.columns[4:]:
        column.justify = "right"
    for (split, scope), group in groupby(scores, key=lambda score: (score.split, score.scope)):
        for number, score in enumerate(group):
            given = "latency" if score.uses_latency else ""
            table.add_row(*("", "") if number else (split, scope), score.predictor, given, *_cells(score))
        table.add_section()
    console.print(table, markup=False)
    chosen = [score for score in scores if score.is_headline and score.within_10 is not None]
    _print_shares(console, "family", chosen, [score.families for score in chosen])
    _print_shares(console, "system", chosen, [score.systems for score in chosen])
    for score in scores:
        if score.reason:
            typer.echo(f"{score.split}, {score.scope}, {score.predictor}: failed: {score.reason}")
    typer.echo(
        "known: where else the energy of the tested networks is known; ±5 %, ±10 % and median error: medians over the "
        "systems, with the 95 % interval over resamples of networks; mean: mean over the systems"
    )


_RIGHT: Final = ("±5 %", "±10 %", "mean ±5 %", "mean ±10 %", "median error %", "systems", "n")


def print_network_headlines(scores: Iterable[NetworkScore]) -> None:
    """Print one line for each knowledge of other systems, on the families that are left out."""
    chosen = [score for score in scores if score.is_headline]
    for scope, group in groupby(chosen, key=lambda score: score.scope):
        shares = (f"{score.predictor} {_share(score.within_10) or 'failed'}" for score in group)
        typer.echo(f"measured networks, {chosen[0].split}, known {scope}, within ±10 %: {', '.join(shares)}")


def _cells(score: NetworkScore) -> list[str]:
    if score.within_10 is None:
        return ["failed", *[""] * (len(_RIGHT) - 1)]
    return [
        _share(score.within_5), _share(score.within_10) + _interval(score.within_10_ci95), _share(score.mean_within_5),
        _share(score.mean_within_10), f"{score.median_ape:.1f}", str(score.n_systems), str(score.n),
    ]  # fmt: skip


def _print_shares(
    console: Console, what: str, scores: Sequence[NetworkScore], shares: Sequence[Sequence[NetworkShare]]
) -> None:
    """Print shares within ±10 % on the families that are left out: one row per family or system."""
    if not scores:
        return
    typer.echo(f"{scores[0].split}, within ±10 %, by {what}:")
    table = Table(what, *(f"{score.predictor}, {score.scope}" for score in scores))
    for column in table.columns[1:]:
        column.justify = "right"
    for of_one in zip(*shares, strict=True):
        table.add_row(of_one[0].name, *map(_family_or_system, of_one))
    console.print(table, markup=False)


def _family_or_system(share: NetworkShare) -> str:
    return share.count or _share(share.value) + _interval(share.ci95)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _interval(bounds: "tuple[float, float] | None") -> str:
    return "" if bounds is None else f" [{100 * bounds[0]:.1f} {100 * bounds[1]:.1f}]"
