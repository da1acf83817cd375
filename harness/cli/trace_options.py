"""Options about power traces that `deepen reduce` and `deepen intake` share, as groups.

A command takes a group as one parameter; `grouped` gives it the options of the group in its place. Fields have the
names of the arguments of `harness.api`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from harness.errors import UsageError
from harness.schema.vocabulary import Boundary, DeviceClass, Dtype, MeterKind


@dataclass(frozen=True, slots=True)
class Reading:
    """How traces are read and reduced, where their files do not say it."""

    channel: Annotated[
        str | None, typer.Option("--channel", help="Power column or rail, where there are several; A+B is their sum.")
    ] = None
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Zone of stamps that state none: Europe/Berlin, UTC or +01:00.")
    ] = None
    voltage_v: Annotated[
        float | None, typer.Option("--voltage", help="Supply voltage in V, of a meter that logs only current.")
    ] = None
    sampling_hz: Annotated[float | None, typer.Option("--sampling-hz", help="Rate of a log without time stamps.")] = (
        None
    )
    layout: Annotated[
        Path | None,
        typer.Option(
            "--layout", help="YAML that states the columns of a table of any tool.", exists=True, dir_okay=False
        ),
    ] = None
    is_aligned: Annotated[
        bool, typer.Option("--align", help="Find the offset between the two clocks, apply it and print it as offset_s.")
    ] = False
    offset_s: Annotated[
        float | None,
        typer.Option("--offset", help="Seconds to add to the windows: an offset_s that was found or measured earlier."),
    ] = None
    drift_ppm: Annotated[
        float | None, typer.Option("--drift", help="Drift of the windows in ppm: a drift_ppm that was found earlier.")
    ] = None
    n_skipped: Annotated[
        int, typer.Option("--skip", min=0, help="Windows to leave out at the beginning, as warm-up.")
    ] = 0
    warm_up: Annotated[
        str | None,
        typer.Option("--warm-up", metavar="auto", help="auto finds the windows of the warm-up and leaves them out."),
    ] = None
    meter_gain_percent: Annotated[
        float | None,
        typer.Option("--meter-gain-percent", min=0, max=100, help="Limit of error of the meter, in % of the reading."),
    ] = None
    meter_offset_mw: Annotated[
        float | None, typer.Option("--meter-offset-mw", min=0, help="Limit of error of the meter at zero, in mW.")
    ] = None
    n_each: Annotated[int, typer.Option("--n-each", min=1, help="Inferences in each window.")] = 1

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the functions of `harness.api`.

        Raises:
            UsageError: the warm-up has another word than `auto`.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        if (warm_up := values.pop("warm_up")) not in (None, "auto"):
            raise UsageError(f"--warm-up {warm_up!r} is not auto; --skip N leaves out a number of windows")
        return values | {"skips_warm_up": warm_up is not None}


@dataclass(frozen=True, slots=True)
class Facts:
    """What no log states about its runs."""

    model: Annotated[str | None, typer.Option("--model", help="Name of the network, of one run.")] = None
    family: Annotated[str | None, typer.Option("--family", help="Family of the networks.")] = None
    dtype: Annotated[Dtype | None, typer.Option("--dtype", help="Data type of weights and activations.")] = None
    delegate: Annotated[
        str | None, typer.Option("--delegate", help="Delegate, as CPU4; NAME=PROCESSOR where its name states none.")
    ] = None
    date: Annotated[str | None, typer.Option("--date", help="Day of the measurement, of logs without a date.")] = None
    runtime: Annotated[str | None, typer.Option("--runtime", help="Inference runtime with its version.")] = None
    licence: Annotated[str | None, typer.Option("--licence", help="SPDX identifier of the data licence.")] = None
    contributors: Annotated[
        list[str] | None, typer.Option("--contributor", help="Person or organisation; repeatable.")
    ] = None
    boundary: Annotated[Boundary | None, typer.Option("--boundary", help="What the energies are of.")] = None
    rails: Annotated[
        list[str] | None, typer.Option("--rail", help="Rail of a boundary rail or sum-of-rails; repeatable.")
    ] = None
    meter: Annotated[str | None, typer.Option("--meter", help="Maker and model of the meter.")] = None
    meter_kind: Annotated[
        MeterKind | None, typer.Option("--meter-kind", help="How it measures, where the format does not state it.")
    ] = None
    identifier: Annotated[str | None, typer.Option("--identifier", help="Commit, DOI or other name of the source.")] = (
        None
    )
    device_name: Annotated[str | None, typer.Option("--device-name", help="Name as its maker writes it.")] = None
    device_class: Annotated[DeviceClass | None, typer.Option("--device-class", help="Kind of the device.")] = None
    inferences: Annotated[
        str | None, typer.Option("--inferences", help="File of the inferences, beside the trace.")
    ] = None

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of `harness.api.intake`."""
        lists = {"contributors": tuple(self.contributors or ()), "rails": tuple(self.rails or ())}
        return asdict(self) | lists


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Command with the options of a group in place of each parameter that is a group."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    flat: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        group = groups.get(parameter.name)
        if group is None:
            flat.append(parameter.replace(annotation=hints[parameter.name], kind=Parameter.KEYWORD_ONLY))
            continue
        options = get_type_hints(group, include_extras=True)
        flat += [
            Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=options[each.name])
            for each in fields(group)
        ]

    def called(**values: Any) -> None:
        given = {
            name: group(**{each.name: values.pop(each.name) for each in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **given)

    called.__name__, called.__doc__, called.__module__ = command.__name__, command.__doc__, command.__module__
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    called.__signature__ = Signature(flat)  # type: ignore[attr-defined]
    return called
