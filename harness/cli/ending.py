"""How a run ends that is told to: as an interrupted one does, so that its children end and nothing is left."""

import signal
from typing import Final, NoReturn

import typer

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Have signals that ask for the end raise an exception in the main thread, unless they are ignored (`nohup`)."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: object) -> NoReturn:
    # What is being undone is not interrupted again.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    typer.echo(f"deepen: ended by {signal.Signals(number).name}", err=True)
    raise SystemExit(128 + number)
