"""Options about power traces that `deepen reduce` and `deepen intake` share."""

from pathlib import Path
from typing import Annotated

import typer

from harness.errors import UsageError

Channel = Annotated[
    str | None, typer.Option("--channel", help="Power column or rail, where there are several; A+B is their sum.")
]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", help="Zone of stamps that state none: Europe/Berlin, UTC or +01:00."),
]
Voltage = Annotated[
    float | None, typer.Option("--voltage", help="Supply voltage in V, of a meter that logs only current.")
]
SamplingHz = Annotated[float | None, typer.Option("--sampling-hz", help="Rate of a log without time stamps.")]
Layout = Annotated[
    Path | None,
    typer.Option("--layout", help="YAML that states the columns of a table of any tool.", exists=True, dir_okay=False),
]
Align = Annotated[
    bool, typer.Option("--align", help="Find the offset between the two clocks, apply it and print it as offset_s.")
]
Offset = Annotated[
    float | None,
    typer.Option("--offset", help="Seconds to add to the windows: an offset_s that was found or measured earlier."),
]
Drift = Annotated[
    float | None, typer.Option("--drift", help="Drift of the windows in ppm, a drift_ppm that was found earlier.")
]
Skip = Annotated[int, typer.Option("--skip", min=0, help="Windows to leave out at the beginning, as warm-up.")]
WarmUp = Annotated[
    str | None,
    typer.Option("--warm-up", metavar="auto", help="auto finds the windows of the warm-up and leaves them out."),
]
MeterGain = Annotated[
    float | None,
    typer.Option("--meter-gain-percent", min=0, max=100, help="Limit of error of the meter, in % of the reading."),
]
MeterOffset = Annotated[
    float | None, typer.Option("--meter-offset-mw", min=0, help="Limit of error of the meter at zero, in mW.")
]
NEach = Annotated[int, typer.Option("--n-each", min=1, help="Inferences in each window.")]


def is_automatic(warm_up: str | None) -> bool:
    """Whether the warm-up is to be found.

    Raises:
        UsageError: the option has another word than `auto`.
    """
    if warm_up not in (None, "auto"):
        raise UsageError(f"--warm-up {warm_up!r} is not auto; --skip N leaves out a number of windows")
    return warm_up is not None
