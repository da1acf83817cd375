"""The command `deepen choose`: the cheapest network that is accurate enough, on every system of a device."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import typer

from harness import api
from harness.cli.options import Data
from harness.cli.printing import decimals, print_json, print_table, steps
from harness.defaults import SUBMISSIONS
from harness.issues import counted
from harness.schema.vocabulary import BOUNDARY_TITLES, TIER_TITLES, Dtype

ChoiceFormat = Literal["text", "json", "csv"]
_NETWORK: Final = ("network", "data type", "mJ", "± mJ", "ms", "accuracy %", "idle share")
_CHOICES: Final = ("system", "runtime", "delegate", "round", *_NETWORK, "data set", "tied with", "chosen of")
_FRONT: Final = (*_NETWORK, "on the front")
_LEFT: Final = (
    "system",
    "runtime",
    "delegate",
    "round",
    "network",
    "data type",
    "data set",
    "tied with",
    "on the front",
)
_CSV_SYSTEM: Final = (
    "system_id", "system", "runtime", "delegate", "round", "tier", "boundary", "accuracy_dataset",
)  # fmt: skip
_CSV_NETWORK: Final = (
    "record_id", "model", "family", "variant", "input_shape", "dtype", "accuracy_percent", "energy_mj", "energy_u_mj",
    "latency_ms", "idle_share",
)  # fmt: skip


def choose(
    min_accuracy: Annotated[float, typer.Option("--min-accuracy", min=0, max=100, help="Least accuracy in percent.")],
    device: Annotated[str | None, typer.Option("--device", help="Device, by its id.")] = None,
    system: Annotated[str | None, typer.Option("--system", help="Only this system of a device, by its id.")] = None,
    max_latency: Annotated[
        float | None, typer.Option("--max-latency-ms", help="Longest time of one inference in ms.")
    ] = None,
    dtype: Annotated[Dtype | None, typer.Option("--dtype", help="Only networks of this data type.")] = None,
    family: Annotated[str | None, typer.Option("--family", help="Only networks of this family.")] = None,
    data: Data = None,
    form: Annotated[ChoiceFormat, typer.Option("--format", help="Form of the choice.")] = "text",
) -> None:
    """Choose the network of least energy that is accurate enough, on every system of a device.

    Below each choice is the front: networks that none is as accurate as for as little energy. Exit code 1 where no
    network is accurate enough.

    Example: deepen choose --device raspberry-pi-4 --min-accuracy 70
    """
    with steps("Reading") as step:
        found = api.choose(
            device, min_accuracy=min_accuracy, system_id=system, max_latency_ms=max_latency, dtype=dtype,
            family=family, source=data or SUBMISSIONS, on_step=step,
        )  # fmt: skip
    if form == "json":
        print_json(found.as_json())
    elif form == "csv":
        typer.echo(_as_csv(found), nl=False)
    else:
        _print_choice(found)
    if not any(choice.cheapest for choice in found.systems):
        raise typer.Exit(1)


def _as_csv(found: "api.ChoiceOutput") -> str:
    """One row per system and network: the cheapest, the next one, and those of the front."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_CSV_SYSTEM, "place", *_CSV_NETWORK, "is_tied"])
    for choice in found.systems:
        head = [getattr(choice, name) for name in _CSV_SYSTEM]
        for place, network, is_tied in _places(choice):
            table.writerow([*head, place, *(getattr(network, name) for name in _CSV_NETWORK), is_tied])
    return text.getvalue()


def _places(choice: "api.SystemChoice") -> Iterator[tuple[str, "api.ChosenNetwork", str]]:
    """Networks of a system with their place, and whether they are tied with the one that is better."""
    if choice.cheapest is not None:
        yield "cheapest", choice.cheapest, ""
    if choice.runner_up is not None:
        yield "runner-up", choice.runner_up, _truth(choice.is_tied)
    for network in choice.front:
        yield ("front", network, "") if network.is_on_front else ("off-front", network, _truth(network.is_tied))


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _print_choice(found: "api.ChoiceOutput") -> None:
    """Print the cheapest network of every system, the best of those without one, and the front of each."""
    reached = [choice for choice in found.systems if choice.cheapest is not None]
    if reached:
        rows = [_choice_cells(choice) for choice in reached]
        print_table(_CHOICES, rows, left=_LEFT, width=240, title=f"Cheapest of at least {_asked(found)}")
    for choice in found.systems:
        if choice.cheapest is None:
            best = choice.most_accurate
            typer.echo(
                f"{_named(choice)}: none of {counted(choice.n_networks, 'network')} reaches "
                f"{found.min_accuracy_percent:g} % on {choice.accuracy_dataset}; the best is {best.model} "
                f"({best.dtype}) with {best.accuracy_percent:g} % for {best.energy_mj:.4g} mJ"
            )
    for choice in found.systems:
        if choice.n_networks == 1:
            continue
        title = f"{_named(choice)}: front of {counted(choice.n_networks, 'network')} on {choice.accuracy_dataset}"
        front = [(*_cells(network), "yes" if network.is_on_front else "tied") for network in choice.front]
        print_table(_FRONT, front, left=_LEFT, width=160, title=title)
    for evidence in sorted({(choice.tier, choice.boundary) for choice in found.systems}):
        typer.echo(f"energy: {TIER_TITLES[evidence[0]]}; of {BOUNDARY_TITLES[evidence[1]]}")
    for part in found.left_out:
        typer.echo(f"left out: {counted(part.n_rows, 'row')} {part.reason}")
    for attribution in found.attributions:
        typer.echo(attribution)


def _asked(found: "api.ChoiceOutput") -> str:
    """What was asked for, in words."""
    parts = [f"{found.min_accuracy_percent:g} % on {found.device_id}"]
    parts += [] if found.max_latency_ms is None else [f"within {found.max_latency_ms:g} ms"]
    return ", ".join([*parts, *(part for part in (found.dtype, found.family) if part is not None)])


def _named(choice: "api.SystemChoice") -> str:
    parts = (choice.system, choice.runtime, choice.delegate, choice.round)
    return ", ".join(part for part in parts if part is not None)


def _choice_cells(choice: "api.SystemChoice") -> tuple[str, ...]:
    tied = ""
    if choice.runner_up is not None and choice.is_tied:
        tied = f"{choice.runner_up.model} {choice.runner_up.dtype}, {choice.runner_up.energy_mj:.4g} mJ"
    network = choice.cheapest or choice.most_accurate
    return (
        choice.system,
        choice.runtime,
        choice.delegate,
        choice.round or "",
        *_cells(network),
        choice.accuracy_dataset,
        tied,
        f"{choice.n_accurate} of {choice.n_networks}",
    )


def _cells(network: "api.ChosenNetwork") -> tuple[str, ...]:
    uncertainty = network.energy_u_mj
    places = None if uncertainty is None else decimals(uncertainty)
    return (
        network.model,
        network.dtype,
        f"{network.energy_mj:.4g}" if places is None else f"{network.energy_mj:.{places}f}",
        "" if uncertainty is None else f"{uncertainty:.{places}f}",
        _shown(network.latency_ms, ".4g"),
        f"{network.accuracy_percent:.4g}",
        "" if network.idle_share is None else f"{100 * network.idle_share:.0f} %",
    )


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
