"""The command `deepen`: every command parses its arguments, calls one function of `harness.api`, and prints."""

from typing import Annotated

import typer

from harness import __version__
from harness.cli import calibrate, choose, evaluate, networks, plan, predict, publishing, simulate, submissions, traces
from harness.cli.ending import end_on_signals
from harness.cli.process import spare_processor
from harness.errors import DeepenError, InvalidSubmissionsError, UsageError

app = typer.Typer(
    name="deepen",
    help="Energy of deep learning on edge devices: validate, package, score and publish measurements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _command in (
    submissions.intake,
    submissions.validate,
    submissions.submit,
    publishing.build,
    publishing.score,
    publishing.site,
    publishing.serve,
    publishing.publish,
    traces.reduce,
    submissions.schema,
    submissions.new,
    networks.families,
    evaluate.evaluate,
    evaluate.new_predictor,
    simulate.simulate,
    networks.kernels,
    plan.plan,
    calibrate.calibrate,
    predict.predict,
    choose.choose,
):
    # Otherwise the list of commands cuts each sentence at 45 characters.
    app.command(short_help=(_command.__doc__ or "").partition("\n")[0])(_command)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"deepen {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; faults that have a message show it alone."""
    end_on_signals()
    spare_processor()
    try:
        app()
    except InvalidSubmissionsError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None
    except UsageError as error:
        typer.echo(f"deepen: {error}", err=True)
        raise SystemExit(2) from None
    except DeepenError as error:
        typer.echo(f"deepen: {error}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        # What no room reports better: a file that cannot be read, a full disk.
        place = f"{error.filename}: " if error.filename else ""
        typer.echo(f"deepen: {place}{error.strerror or error}", err=True)
        raise SystemExit(2) from None
